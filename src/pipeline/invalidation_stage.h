#pragma once
#include <chrono>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <utility>

#include "sluice/base/clock.h"
#include "sluice/config/options.h"
#include "sluice/redis/connection.h"

namespace sluice::pipeline {

// The thread that deletes keys of caches once more (invalidate's again_after), while this process
// publishes.  What is due stands in Redis, written in the step that deleted the key first, so no
// end of a process loses it; one is deleted before it is taken off the list, so at worst twice.
class InvalidationStage {
 public:
  InvalidationStage(std::function<Result<std::unique_ptr<redis::Connection>>()> connect,
                    const Options& options, std::function<bool()> publishes, const Clock& clock);

  // Until `st` is stopped (stopped), or an error that must end the process.
  Status run(const std::stop_token& st);
  // All that is due.  Errors: the connection's; fatal when the list is not one.
  Status sweep(redis::Connection& redis) const;
  // How often it looks: a fraction of the shortest again_after.
  std::chrono::milliseconds every() const noexcept { return every_; }

 private:
  std::function<Result<std::unique_ptr<redis::Connection>>()> connect_;
  const std::string key_;
  const std::chrono::milliseconds every_;
  const std::function<bool()> publishes_;
  const Clock* clock_;
};

}  // namespace sluice::pipeline
