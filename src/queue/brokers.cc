#include "sluice/queue/brokers.h"

#include <algorithm>
#include <utility>

namespace sluice::queue {

Brokers::Brokers(const QueueOptions& options, std::stop_token stop)
    : options_(&options),
      hosts_(all_hosts(options.host(), options.port(), options.hosts())),
      stop_(std::move(stop)),
      random_(std::random_device{}()) {}

Brokers::Brokers(const Brokers& other)
    : options_(other.options_),
      hosts_(other.hosts_),
      stop_(other.stop_),
      random_(std::random_device{}()) {}

std::vector<HostPort> Brokers::order() {
  std::vector<HostPort> out = hosts_;
  std::shuffle(out.begin(), out.end(), random_);
  std::stable_partition(out.begin(), out.end(), [this](const HostPort& h) { return h != last_; });
  return out;
}

}  // namespace sluice::queue
