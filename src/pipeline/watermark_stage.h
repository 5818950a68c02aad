#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "sluice/base/clock.h"
#include "sluice/base/mutex.h"
#include "sluice/position/applied_record.h"
#include "sluice/redis/connection.h"

namespace sluice::pipeline {

// All partitions' applied records, nullopt where Redis has none.  Errors: the connection's; fatal
// for a record that is not ours.
Result<std::vector<std::optional<position::AppliedRecord>>> read_applied(
    redis::Connection& redis, const std::string& instance, std::uint32_t partitions);
// The smallest tick, or nothing as long as a partition has none.
std::optional<position::TickMark> lowest_tick(
    const std::vector<std::optional<position::AppliedRecord>>& records);

// The watermark's thread: once a second the smallest tick over all partitions becomes
// `sluice:<instance>:watermark`.
class WatermarkStage {
 public:
  WatermarkStage(std::function<Result<std::unique_ptr<redis::Connection>>()> connect,
                 std::string instance, std::uint32_t partitions, const Clock& clock)
      : connect_(std::move(connect)),
        instance_(std::move(instance)),
        partitions_(partitions),
        clock_(&clock) {}

  // Until `st` is stopped (stopped), or an error that must end the process.
  Status run(const std::stop_token& st);
  // The latest; any thread.
  std::optional<position::Watermark> latest() const;

 private:
  Status update(redis::Connection& redis);

  std::function<Result<std::unique_ptr<redis::Connection>>()> connect_;
  const std::string instance_;
  const std::uint32_t partitions_;
  const Clock* clock_;
  mutable Mutex mu_;
  std::optional<position::Watermark> latest_ GUARDED_BY(mu_);
};

}  // namespace sluice::pipeline
