#pragma once
#include <string_view>

#include "sluice/base/result.h"
#include "sluice/base/text_buffer.h"
#include "sluice/redis/connection.h"

namespace sluice::pipeline {

// An applied record that is read, and written only when nobody else has written it since.
class RecordGuard {
 public:
  // `redis` outlives it.
  explicit RecordGuard(redis::Connection& redis) : redis_(&redis) {}
  // WATCH and GET: what GET answers, or an error that WATCH does.
  Result<redis::Reply> fence(std::string_view key);
  // What was fenced may be written by others again.
  Status drop();
  // Of what was fenced last; without a text it is removed.  False: nothing was done, for somebody
  // else has written it, or its slot is moving.  The fence is gone in any case.
  Result<bool> write(std::string_view key, std::string_view text);

 private:
  redis::Connection* redis_;
  TextBuffer commands_;
};

}  // namespace sluice::pipeline
