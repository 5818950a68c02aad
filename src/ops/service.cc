#include "sluice/ops/service.h"

#include <atomic>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string>
#include <system_error>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "sluice/base/log.h"
#include "sluice/base/unique_fd.h"

// The protocol is one datagram of NAME=value lines to a unix socket (sd_notify(3)): 40 lines by
// hand spare the dependency on libsystemd.
namespace sluice::ops {
namespace {

// The program sets no environment variables: reading them is safe from any thread.
std::string_view environment(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe)
  return value == nullptr ? std::string_view() : value;
}

// 0 or what went wrong.  `path` is absolute, or "@name" for a name in the abstract namespace.
int send_datagram(std::string_view path, std::string_view message) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() < 2 || (path[0] != '/' && path[0] != '@')) return EAFNOSUPPORT;
  if (path.size() >= sizeof address.sun_path) return ENAMETOOLONG;
  std::memcpy(&address.sun_path[0], path.data(), path.size());
  if (path[0] == '@') address.sun_path[0] = '\0';
  // An abstract name is as long as the address says; a path ends at its NUL.
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() +
                                           (path[0] == '/' ? 1 : 0));
  const UniqueFd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd) return errno;
  for (;;) {
    if (::sendto(fd.get(), message.data(), message.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
                 reinterpret_cast<const sockaddr*>(&address), size) >= 0)
      return 0;
    if (errno != EINTR) return errno;
  }
}

// Says so once when the manager cannot be told: it would kill us for silence and nobody knew why.
void notify(std::string_view message) {
  static std::atomic<bool> failing{false};
  const std::string_view path = environment("NOTIFY_SOCKET");
  if (path.empty()) return;
  const int err = send_datagram(path, message);
  if (failing.exchange(err != 0) == (err != 0)) return;
  if (err != 0)
    log::get("ops").warn("service manager cannot be told, going on without socket={} error={}",
                         path, std::generic_category().message(err));
  else
    log::get("ops").info("service manager can be told again socket={}", path);
}

template <class T>
std::optional<T> number(std::string_view text) {
  T v{};
  const auto [end, err] = std::from_chars(text.data(), text.data() + text.size(), v);
  if (err != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return v;
}

}  // namespace

void notify_ready() {
  notify("READY=1");
}
void notify_stopping() {
  notify("STOPPING=1");
}
void notify_watchdog() {
  notify("WATCHDOG=1");
}

void notify_status(std::string_view line) {
  std::string message = "STATUS=";
  for (const char c : line)
    message.push_back(c == '\n' ? ' ' : c);  // a second line would be another assignment
  notify(message);
}

std::optional<std::chrono::microseconds> watchdog_interval() {
  const auto interval = number<std::int64_t>(environment("WATCHDOG_USEC"));
  if (!interval || *interval <= 0) return std::nullopt;
  // Meant for another process: we have inherited its environment.
  const std::string_view pid = environment("WATCHDOG_PID");
  if (!pid.empty() && number<pid_t>(pid) != ::getpid()) return std::nullopt;
  return std::chrono::microseconds(*interval);
}

}  // namespace sluice::ops
