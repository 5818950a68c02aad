#include "pipeline/signals.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <system_error>

#include <poll.h>
#include <pthread.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "sluice/base/log.h"
#include "sluice/base/unique_fd.h"

namespace sluice::pipeline {
namespace {

sigset_t watched() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  return set;
}

}  // namespace

void block_signals() {
  sigset_t set = watched();
  sigaddset(&set, SIGPIPE);
  if (const int err = pthread_sigmask(SIG_BLOCK, &set, nullptr); err != 0)
    throw std::system_error(err, std::generic_category(), "pthread_sigmask");
}

SignalThread::SignalThread(std::function<void(int)> on_first) {
  const sigset_t set = watched();
  auto fd = std::make_unique<UniqueFd>(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!*fd) throw std::system_error(errno, std::generic_category(), "signalfd");
  thread_ = std::jthread(
      [this, fd = std::move(fd), on_first = std::move(on_first)](const std::stop_token& st) {
        name_thread("signals");
        bool asked = false;
        while (!st.stop_requested()) {
          std::array<pollfd, 2> waits{{{fd->get(), POLLIN, 0}, {end_.fd(), POLLIN, 0}}};
          if (::poll(waits.data(), waits.size(), -1) < 0) continue;  // EINTR: nothing else can come
          signalfd_siginfo info{};
          if (::read(fd->get(), &info, sizeof info) != sizeof info) continue;
          const int number = static_cast<int>(info.ssi_signo);
          if (asked) {
            log::get("app").warn("second signal, ending at once signal={}", number);
            log::flush();
            ::_exit(128 + number);
          }
          asked = true;
          on_first(number);
        }
      });
}

SignalThread::~SignalThread() {
  thread_.request_stop();
  end_.notify();
}

void name_thread(const char* name) {
  pthread_setname_np(pthread_self(), name);
}

}  // namespace sluice::pipeline
