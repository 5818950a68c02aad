#pragma once
#include <optional>
#include <random>
#include <stop_token>
#include <vector>

#include "sluice/config/options.h"

namespace sluice::queue {

// The brokers of one cluster as one user of them sees it, who connects again after each loss.  A
// value; belongs to one thread.  A copy is another user's, with an order of its own.
class Brokers {
 public:
  // `options` must outlive this.  Once `stop` is asked for, a broker that does not answer is the
  // last one tried.
  explicit Brokers(const QueueOptions& options, std::stop_token stop = {});
  Brokers(const Brokers& other);
  Brokers& operator=(const Brokers&) = delete;
  ~Brokers() = default;
  const QueueOptions& options() const noexcept { return *options_; }
  bool stopping() const noexcept { return stop_.stop_requested(); }
  // In which order to try them now: a random one, in which the one that was connected to last comes
  // last (it is the one that was lost).  Never empty.
  std::vector<HostPort> order();
  void connected(const HostPort& host) { last_ = host; }

 private:
  const QueueOptions* options_;
  std::vector<HostPort> hosts_;
  std::stop_token stop_;
  std::optional<HostPort> last_;
  std::minstd_rand random_;
};

}  // namespace sluice::queue
