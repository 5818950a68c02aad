#pragma once
#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "sluice/base/unique_fd.h"
#include "sluice/base/wakeup.h"

namespace sluice::queue {

// A TCP connection to the broker with a hand on it: takes one client at a time on a free port of
// loopback.
class Proxy {
 public:
  // upstream_port 0: nobody behind it, the client is accepted and hears nothing.
  explicit Proxy(std::uint32_t upstream_port);
  ~Proxy();
  Proxy(const Proxy&) = delete;
  Proxy& operator=(const Proxy&) = delete;

  std::uint32_t port() const noexcept { return port_; }
  void cut();                           // resets both sides
  void hold_to_broker(bool on);         // reads nothing more from the client
  void hold_to_client(bool on);         // passes nothing more to the client
  void inject(std::string_view bytes);  // to the broker, as if the client had sent them

 private:
  void run(const std::stop_token& stop);
  UniqueFd listener_;
  std::uint32_t port_ = 0;
  const std::uint32_t upstream_port_;
  std::atomic<bool> cut_{false}, hold_to_broker_{false}, hold_to_client_{false};
  std::mutex mutex_;
  std::string injected_;
  Wakeup wake_;
  std::jthread thread_;
};

}  // namespace sluice::queue
