#pragma once
#include <optional>
#include <random>
#include <vector>

#include "sluice/config/options.h"

namespace sluice::queue {

// The brokers of one cluster as one user of them sees it, who connects again after each loss.  A
// value; belongs to one thread.  A copy is another user's, with an order of its own.
class Brokers {
 public:
  // `options` must outlive this.
  explicit Brokers(const QueueOptions& options);
  Brokers(const Brokers& other);
  Brokers& operator=(const Brokers&) = delete;
  ~Brokers() = default;
  const QueueOptions& options() const noexcept { return *options_; }
  // In which order to try them now: a random one, in which the one that was connected to last comes
  // last (it is the one that was lost).  Never empty.
  std::vector<HostPort> order();
  void connected(const HostPort& host) { last_ = host; }

 private:
  const QueueOptions* options_;
  std::vector<HostPort> hosts_;
  std::optional<HostPort> last_;
  std::minstd_rand random_;
};

}  // namespace sluice::queue
