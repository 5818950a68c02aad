#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "sluice/base/mutex.h"
#include "sluice/base/result.h"
#include "sluice/model/event_id.h"
#include "sluice/model/message_headers.h"

#include "pipeline/refused.h"

namespace sluice::pipeline {

// What was refused of messages that are applied, until their letters are written: such a message
// comes again as a repeat, of which Redis says nothing any more.  By partition, for whichever
// thread of this process serves it then; of each the last message is kept, for it comes again
// before all others.  Thread-safe.
class Unsettled {
 public:
  struct Refused {
    std::vector<Refusal> rows;
    std::optional<Error> unreadable;
    bool empty() const noexcept { return rows.empty() && !unreadable; }
  };
  // Of the message with these headers; when it is empty there is nothing to keep of the partition.
  void keep(std::uint32_t partition, const MessageHeaders& headers, Refused refused);
  // What was kept of this very message; empty: nothing.
  Refused of(std::uint32_t partition, const MessageHeaders& headers) const;

 private:
  struct Kept {
    EventId prev, last;
    Refused refused;
  };
  mutable Mutex mu_;
  std::map<std::uint32_t, Kept> kept_ GUARDED_BY(mu_);
};

}  // namespace sluice::pipeline
