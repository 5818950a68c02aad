#include "sluice/base/wakeup.h"

#include <cerrno>
#include <cstdint>
#include <system_error>

#include <poll.h>
#include <sys/eventfd.h>

namespace sluice {

Wakeup::Wakeup() : fd_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  // Out of descriptors while starting: nothing can work; the thread top turns it into an error.
  if (!fd_) throw std::system_error(errno, std::generic_category(), "eventfd");
}

void Wakeup::notify() noexcept {
  const std::uint64_t one = 1;
  // Fails only with EAGAIN when the counter is full: then it is readable already.
  [[maybe_unused]] const auto n = ::write(fd_.get(), &one, sizeof one);
}

void Wakeup::clear() noexcept {
  std::uint64_t count = 0;
  // Fails only with EAGAIN when nothing was pending.
  [[maybe_unused]] const auto n = ::read(fd_.get(), &count, sizeof count);
}

void Wakeup::wait(std::chrono::milliseconds timeout) noexcept {
  pollfd wait{fd(), POLLIN, 0};
  ::poll(&wait, 1, static_cast<int>(timeout.count()));
  clear();
}

}  // namespace sluice
