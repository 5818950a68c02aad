#include "integration/queue/proxy.h"

#include <array>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

namespace sluice::queue {
namespace {

sockaddr_in loopback(std::uint32_t port) {
  sockaddr_in a{};
  a.sin_family = AF_INET;
  a.sin_port = htons(static_cast<std::uint16_t>(port));
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return a;
}

const sockaddr* any(const sockaddr_in& a) {
  return reinterpret_cast<const sockaddr*>(&a);
}

bool send_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto n = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

// One read passed on; false: the end.
bool pass(int from, int to, std::vector<char>& buffer) {
  const auto n = ::recv(from, buffer.data(), buffer.size(), 0);
  return n > 0 && send_all(to, {buffer.data(), static_cast<std::size_t>(n)});
}

void reset(UniqueFd& fd) {
  const linger now{1, 0};  // close() sends RST
  if (fd) ::setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
  fd.reset();
}

}  // namespace

Proxy::Proxy(std::uint32_t upstream_port)
    : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), upstream_port_(upstream_port) {
  sockaddr_in a = loopback(0);
  socklen_t size = sizeof a;
  if (::bind(listener_.get(), any(a), sizeof a) == 0 && ::listen(listener_.get(), 4) == 0 &&
      ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&a), &size) == 0)
    port_ = ntohs(a.sin_port);
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

Proxy::~Proxy() {
  thread_.request_stop();
  wake_.notify();
}

void Proxy::cut() {
  cut_ = true;
  wake_.notify();
}

void Proxy::hold_to_broker(bool on) {
  hold_to_broker_ = on;
  wake_.notify();
}

void Proxy::hold_to_client(bool on) {
  hold_to_client_ = on;
  wake_.notify();
}

void Proxy::inject(std::string_view bytes) {
  const std::lock_guard lock(mutex_);
  injected_ += bytes;
  wake_.notify();
}

void Proxy::run(const std::stop_token& stop) {
  UniqueFd client;
  UniqueFd broker;
  std::vector<char> buffer(64U << 10U);
  while (!stop.stop_requested()) {
    const bool up = static_cast<bool>(client);
    std::array<pollfd, 4> p{{{wake_.fd(), POLLIN, 0},
                             {up ? -1 : listener_.get(), POLLIN, 0},
                             {up && broker && !hold_to_broker_ ? client.get() : -1, POLLIN, 0},
                             {up && broker && !hold_to_client_ ? broker.get() : -1, POLLIN, 0}}};
    if (::poll(p.data(), p.size(), -1) < 0) continue;
    if (p[0].revents != 0) wake_.clear();
    if (cut_.exchange(false)) {
      reset(client);
      reset(broker);
      continue;
    }
    {
      const std::lock_guard lock(mutex_);
      if (broker && !injected_.empty()) send_all(broker.get(), std::exchange(injected_, {}));
    }
    if (p[1].revents != 0) {
      client.reset(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (upstream_port_ == 0) continue;
      broker.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
      const sockaddr_in a = loopback(upstream_port_);
      if (::connect(broker.get(), any(a), sizeof a) != 0) client.reset();
      continue;
    }
    const bool alive = (p[2].revents == 0 || pass(client.get(), broker.get(), buffer)) &&
                       (p[3].revents == 0 || pass(broker.get(), client.get(), buffer));
    if (!alive) {
      client.reset();
      broker.reset();
    }
  }
}

}  // namespace sluice::queue
