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
// The watermark as it stands in Redis; nullopt: there is none.  Errors: as above.
Result<std::optional<position::Watermark>> read_watermark(redis::Connection& redis,
                                                          const std::string& instance);
// The smallest tick, or nothing as long as a partition has none.
std::optional<position::TickMark> lowest_tick(
    const std::vector<std::optional<position::AppliedRecord>>& records);

// The watermark's thread: once a second the smallest tick over all partitions becomes
// `sluice:<instance>:watermark`, and the layout stands in `sluice:<instance>:layout`, while this
// process publishes; else the watermark that the publisher has written is read.
class WatermarkStage {
 public:
  WatermarkStage(std::function<Result<std::unique_ptr<redis::Connection>>()> connect,
                 std::string instance, position::Layout layout, std::function<bool()> publishes,
                 const Clock& clock)
      : connect_(std::move(connect)),
        instance_(std::move(instance)),
        layout_(std::move(layout)),
        publishes_(std::move(publishes)),
        clock_(&clock) {}

  // Until `st` is stopped (stopped), or an error that must end the process.
  Status run(const std::stop_token& st);
  // The latest; any thread.
  std::optional<position::Watermark> latest() const;

 private:
  Status update(redis::Connection& redis);
  Status write(redis::Connection& redis);
  Status read(redis::Connection& redis);
  void set(position::Watermark mark);

  std::function<Result<std::unique_ptr<redis::Connection>>()> connect_;
  const std::string instance_;
  const position::Layout layout_;
  const std::function<bool()> publishes_;
  const Clock* clock_;
  mutable Mutex mu_;
  std::optional<position::Watermark> latest_ GUARDED_BY(mu_);
};

}  // namespace sluice::pipeline
