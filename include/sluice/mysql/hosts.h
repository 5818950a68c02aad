#pragma once
#include <atomic>
#include <cstddef>
#include <string>
#include <vector>

#include "sluice/base/result.h"
#include "sluice/config/options.h"

namespace sluice::mysql {

// Where one server is.
struct Endpoint {
  std::string host;
  std::uint32_t port = 0;
  std::string socket;             // when set, the others are not used
  std::string to_string() const;  // "db1:3306", or the socket
  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

// The servers that the options name, the first one first; never empty.
std::vector<Endpoint> endpoints_of(const SourceOptions& options);

// The servers of a source and which of them is followed now.  Thread-safe.
class Hosts {
 public:
  // `options` must outlive this.
  explicit Hosts(const SourceOptions& options)
      : options_(&options), endpoints_(endpoints_of(options)) {}
  const SourceOptions& options() const noexcept { return *options_; }
  std::size_t size() const noexcept { return endpoints_.size(); }
  const Endpoint& at(std::size_t host) const { return endpoints_[host]; }
  std::size_t followed() const noexcept { return followed_.load(); }
  const Endpoint& current() const { return endpoints_[followed_.load()]; }
  void follow(std::size_t host) noexcept { followed_.store(host); }
  // One of them.
  void follow(const Endpoint& endpoint);

 private:
  const SourceOptions* options_;
  const std::vector<Endpoint> endpoints_;
  std::atomic<std::size_t> followed_{0};
};

}  // namespace sluice::mysql
