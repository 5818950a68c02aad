#include "net/tcp.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <limits>
#include <memory>
#include <system_error>

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "sluice/base/clock.h"

#include "net/tls.h"

namespace sluice::net {
namespace {

// 0, or the errno of the failure.
int wait_connected(int fd, Time deadline) {
  for (;;) {
    pollfd p{fd, POLLOUT, 0};
    const int n = ::poll(&p, 1, poll_ms(system_clock().steady(), deadline));
    if (n == 0) return ETIMEDOUT;
    if (n < 0) {
      if (errno == EINTR) continue;
      return errno;
    }
    int error = 0;
    socklen_t size = sizeof error;
    if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) return errno;
    return error;
  }
}

// A connection without these works, only slower or noticed dead later.
void tune(int fd) {
  struct Setting {
    int level, name, value;
  };
  constexpr std::array<Setting, 5> kSettings{{{IPPROTO_TCP, TCP_NODELAY, 1},
                                              {SOL_SOCKET, SO_KEEPALIVE, 1},
                                              {IPPROTO_TCP, TCP_KEEPIDLE, 30},
                                              {IPPROTO_TCP, TCP_KEEPINTVL, 10},
                                              {IPPROTO_TCP, TCP_KEEPCNT, 3}}};
  for (const Setting& s : kSettings) {
    [[maybe_unused]] const int done = ::setsockopt(fd, s.level, s.name, &s.value, sizeof s.value);
  }
}

// 0, or the errno of the failure.
int connect_one(int family, const sockaddr* address, socklen_t size, Time deadline, UniqueFd& out) {
  UniqueFd fd(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return errno;
  if (family != AF_UNIX) tune(fd.get());
  if (::connect(fd.get(), address, size) != 0) {
    // An interrupted connect() goes on in the background, as EINPROGRESS does.
    if (errno != EINPROGRESS && errno != EINTR) return errno;
    if (const int error = wait_connected(fd.get(), deadline); error != 0) return error;
  }
  out = std::move(fd);
  return 0;
}

class PlainStream final : public Stream {
 public:
  explicit PlainStream(UniqueFd fd) : fd_(std::move(fd)) {}

  Result<Transfer> read(std::span<char> into) override {
    for (;;) {
      const auto n = ::recv(fd_.get(), into.data(), into.size(), MSG_DONTWAIT);
      if (n > 0) return Transfer{static_cast<std::size_t>(n), false};
      if (n == 0) return Transfer{0, true};
      if (errno == EAGAIN) return Transfer{};
      if (errno != EINTR) return retry(Errc::io, "read: " + errno_text(errno));
    }
  }

  Result<Transfer> write(std::span<const iovec> pieces) override {
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(pieces.data());  // sendmsg() only reads
    message.msg_iovlen = std::min<std::size_t>(pieces.size(), IOV_MAX);
    for (;;) {
      const auto n = ::sendmsg(fd_.get(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (n >= 0) return Transfer{static_cast<std::size_t>(n), false};
      if (errno == EAGAIN) return Transfer{};
      if (errno != EINTR) return retry(Errc::io, "write: " + errno_text(errno));
    }
  }

  int fd() const noexcept override { return fd_.get(); }
  short read_events() const noexcept override { return POLLIN; }
  short write_events() const noexcept override { return POLLOUT; }
  bool has_received() const noexcept override { return false; }

 private:
  UniqueFd fd_;
};

}  // namespace

std::string errno_text(int error) {
  return std::generic_category().message(error);
}

int poll_ms(Time now, Time deadline) noexcept {
  if (deadline <= now) return 0;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - now).count();
  return static_cast<int>(std::min<std::int64_t>(left, std::numeric_limits<int>::max()));
}

Result<UniqueFd> connect_tcp(const std::string& host, std::uint32_t port, Time deadline) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (const int rc = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
      rc != 0)
    return retry(Errc::io, std::string("host name: ") + ::gai_strerror(rc));
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> addresses(found, ::freeaddrinfo);
  int error = ENOENT;
  for (const addrinfo* a = addresses.get(); a != nullptr; a = a->ai_next) {
    UniqueFd fd;
    error = connect_one(a->ai_family, a->ai_addr, a->ai_addrlen, deadline, fd);
    if (error == 0) return fd;
  }
  return retry(Errc::io, "connect: " + errno_text(error));
}

std::unique_ptr<Stream> plain_stream(UniqueFd fd) {
  return std::make_unique<PlainStream>(std::move(fd));
}

Result<std::unique_ptr<Stream>> connect_unix(const std::string& path, Time deadline) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    return fatal(Errc::config_invalid, "a unix socket's path has at most " +
                                           std::to_string(sizeof address.sun_path - 1) +
                                           " bytes: " + path);
  std::memcpy(&address.sun_path[0], path.data(), path.size());
  UniqueFd fd;
  if (const int error = connect_one(AF_UNIX, reinterpret_cast<const sockaddr*>(&address),
                                    sizeof address, deadline, fd);
      error != 0)
    return retry(Errc::io, "connect: " + errno_text(error));
  return plain_stream(std::move(fd));
}

Result<std::unique_ptr<Stream>> connect(const Target& target, Time deadline) {
  SLUICE_TRY_ASSIGN(UniqueFd fd, connect_tcp(target.host, target.port, deadline));
  if (target.tls == nullptr || target.tls->mode() == TlsOptions::Mode::disabled)
    return plain_stream(std::move(fd));
  return start_tls(std::move(fd), target, deadline);
}

}  // namespace sluice::net
