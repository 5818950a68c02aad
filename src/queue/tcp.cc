#include "queue/tcp.h"

#include <algorithm>
#include <cerrno>
#include <limits>
#include <memory>
#include <system_error>

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include "sluice/base/clock.h"

namespace sluice::queue {
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

// 0, or the errno of the failure.
int connect_one(const addrinfo& address, Time deadline, UniqueFd& out) {
  UniqueFd fd(::socket(address.ai_family, address.ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC,
                       address.ai_protocol));
  if (!fd) return errno;
  const int on = 1;
  // A connection without these two works, only slower or noticed dead later.
  [[maybe_unused]] const int a = ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  [[maybe_unused]] const int b = ::setsockopt(fd.get(), SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  if (::connect(fd.get(), address.ai_addr, address.ai_addrlen) != 0) {
    // An interrupted connect() goes on in the background, as EINPROGRESS does.
    if (errno != EINPROGRESS && errno != EINTR) return errno;
    if (const int error = wait_connected(fd.get(), deadline); error != 0) return error;
  }
  out = std::move(fd);
  return 0;
}

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
  const std::string where = "RabbitMQ at " + host + ":" + std::to_string(port) + ": ";
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (const int rc = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
      rc != 0)
    return retry(Errc::queue_lost, where + "host name: " + ::gai_strerror(rc));
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> addresses(found, ::freeaddrinfo);
  int error = ENOENT;
  for (const addrinfo* a = addresses.get(); a != nullptr; a = a->ai_next) {
    UniqueFd fd;
    error = connect_one(*a, deadline, fd);
    if (error == 0) return fd;
  }
  return retry(Errc::queue_lost, where + "connect: " + errno_text(error));
}

}  // namespace sluice::queue
