#include "pipeline/redis_loop.h"

#include "sluice/base/backoff.h"
#include "sluice/base/log.h"

namespace sluice::pipeline {

using std::chrono::milliseconds;

Status redis_loop(const std::function<Result<std::unique_ptr<redis::Connection>>()>& connect,
                  milliseconds every, std::string_view what, const std::stop_token& st,
                  const std::function<Status(redis::Connection&)>& step) {
  Backoff backoff(milliseconds(200), milliseconds(5000));
  while (!st.stop_requested()) {
    auto redis = connect();
    Status s = redis.ok() ? Status{} : Status(redis.error());
    const std::stop_callback end(st, [&redis] {
      if (redis.ok()) (*redis)->interrupt();
    });
    while (s.ok() && !st.stop_requested()) {
      s = step(**redis);
      if (s.ok()) {
        backoff.reset();
        if (!wait_for(every, st)) return stopped();
      }
    }
    if (st.stop_requested()) break;
    if (s.error().cls != ErrorClass::retry) return s;
    // The appliers say that Redis is away.
    log::get("redis").debug("{} error=\"{}\"", what, to_string(s.error()));
    if (!wait_for(backoff.next(), st)) break;
  }
  return stopped();
}

}  // namespace sluice::pipeline
