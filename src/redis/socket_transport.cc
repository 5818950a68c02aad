#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <system_error>

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "sluice/base/unique_fd.h"
#include "sluice/base/wakeup.h"

#include "transport.h"

namespace sluice::redis {
namespace {

using SteadyClock = std::chrono::steady_clock;

Error lost(int err) {
  return retry(Errc::redis_lost, std::generic_category().message(err));
}

// poll() takes whole milliseconds, and 0 means "do not wait".
int poll_timeout(SteadyClock::time_point deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - SteadyClock::now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 3'600'000));
}

class SocketTransport final : public Transport {
 public:
  explicit SocketTransport(UniqueFd fd) : fd_(std::move(fd)) {}

  Result<Transfer> read(std::span<char> into) override {
    for (;;) {
      const auto n = ::recv(fd_.get(), into.data(), into.size(), 0);
      if (n > 0) return Transfer{static_cast<std::size_t>(n), false};
      if (n == 0) return Transfer{0, true};
      if (errno == EAGAIN) return Transfer{};
      if (errno != EINTR) return lost(errno);
    }
  }

  Result<Transfer> write(std::string_view bytes) override {
    for (;;) {
      const auto n = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n >= 0) return Transfer{static_cast<std::size_t>(n), false};
      if (errno == EAGAIN) return Transfer{};
      if (errno != EINTR) return lost(errno);
    }
  }

  Result<Wake> wait(bool to_write, Duration timeout) override {
    const auto deadline = SteadyClock::now() + timeout;
    const auto events = static_cast<short>(to_write ? POLLIN | POLLOUT : POLLIN);
    std::array<pollfd, 2> fds{{{fd_.get(), events, 0}, {wakeup_.fd(), POLLIN, 0}}};
    for (;;) {
      const int n = ::poll(fds.data(), fds.size(), poll_timeout(deadline));
      if (n == 0) return Wake::timeout;
      if (n > 0) return fds[1].revents != 0 ? Wake::interrupted : Wake::ready;
      if (errno != EINTR) return lost(errno);
    }
  }

  void interrupt() noexcept override { wakeup_.notify(); }

 private:
  UniqueFd fd_;
  Wakeup wakeup_;
};

// Waits for a connect() under way.
Status finish_connect(int fd, SteadyClock::time_point deadline) {
  pollfd p{fd, POLLOUT, 0};
  for (;;) {
    const int n = ::poll(&p, 1, poll_timeout(deadline));
    if (n == 0) return lost(ETIMEDOUT);
    if (n > 0) break;
    if (errno != EINTR) return lost(errno);
  }
  int err = 0;
  socklen_t size = sizeof err;
  if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &size) != 0) return lost(errno);
  return err == 0 ? Status{} : lost(err);
}

Result<UniqueFd> connect_to(int family, const sockaddr* address, socklen_t size,
                            SteadyClock::time_point deadline) {
  UniqueFd fd(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return lost(errno);
  if (::connect(fd.get(), address, size) != 0) {
    if (errno != EINPROGRESS && errno != EINTR) return lost(errno);
    SLUICE_TRY(finish_connect(fd.get(), deadline));
  }
  return fd;
}

// Requests are written whole: no delay for the last segment.  Keepalive finds a dead peer while
// nothing is asked.
Status tune_tcp(int fd) {
  struct Setting {
    int level, name, value;
  };
  constexpr std::array<Setting, 5> kSettings{{{IPPROTO_TCP, TCP_NODELAY, 1},
                                              {SOL_SOCKET, SO_KEEPALIVE, 1},
                                              {IPPROTO_TCP, TCP_KEEPIDLE, 30},
                                              {IPPROTO_TCP, TCP_KEEPINTVL, 10},
                                              {IPPROTO_TCP, TCP_KEEPCNT, 3}}};
  for (const Setting& s : kSettings) {
    if (::setsockopt(fd, s.level, s.name, &s.value, sizeof s.value) != 0) return lost(errno);
  }
  return {};
}

Result<UniqueFd> connect_unix(const std::string& path, SteadyClock::time_point deadline) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    return fatal(Errc::config_invalid, "redis.socket: a unix socket's path has at most " +
                                           std::to_string(sizeof address.sun_path - 1) +
                                           " bytes: " + path);
  std::memcpy(&address.sun_path[0], path.data(), path.size());
  return connect_to(AF_UNIX, reinterpret_cast<const sockaddr*>(&address), sizeof address, deadline);
}

Result<UniqueFd> connect_tcp(const std::string& host, std::uint32_t port,
                             SteadyClock::time_point deadline) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int rc = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
      rc != 0)
    return retry(Errc::redis_lost,
                 rc == EAI_SYSTEM ? std::generic_category().message(errno) : ::gai_strerror(rc));
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> addresses(found, &::freeaddrinfo);
  Error last = lost(EADDRNOTAVAIL);
  for (const addrinfo* a = addresses.get(); a != nullptr; a = a->ai_next) {
    auto fd = connect_to(a->ai_family, a->ai_addr, a->ai_addrlen, deadline);
    if (fd) {
      SLUICE_TRY(tune_tcp(fd->get()));
      return fd;
    }
    last = std::move(fd).error();
  }
  return last;
}

}  // namespace

std::string address_of(const RedisOptions& options) {
  if (!options.socket().empty()) return options.socket();
  const std::string& host = options.host();
  const bool brackets = host.find(':') != std::string::npos;
  return (brackets ? "[" + host + "]" : host) + ":" + std::to_string(options.port());
}

Result<std::unique_ptr<Transport>> connect_socket(const RedisOptions& options) {
  const auto deadline = SteadyClock::now() + options.connect_timeout();
  auto fd = options.socket().empty() ? connect_tcp(options.host(), options.port(), deadline)
                                     : connect_unix(options.socket(), deadline);
  if (!fd) return std::move(fd).error();
  return std::unique_ptr<Transport>(std::make_unique<SocketTransport>(std::move(fd).value()));
}

}  // namespace sluice::redis
