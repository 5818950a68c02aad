#pragma once
#include <chrono>
#include <functional>
#include <memory>
#include <stop_token>
#include <string_view>

#include "sluice/redis/connection.h"

namespace sluice::pipeline {

// A thread's loop: does `step` on a connection of its own, waits for `every`, and connects anew
// when it is lost; `what`, for the log, is what does not happen meanwhile.  Returns when `st` is
// stopped (stopped), or with an error that must end the process.
Status redis_loop(const std::function<Result<std::unique_ptr<redis::Connection>>()>& connect,
                  std::chrono::milliseconds every, std::string_view what, const std::stop_token& st,
                  const std::function<Status(redis::Connection&)>& step);

}  // namespace sluice::pipeline
