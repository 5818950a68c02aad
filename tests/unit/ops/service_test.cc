#include "sluice/ops/service.h"

#include <array>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "sluice/base/unique_fd.h"

namespace sluice::ops {
namespace {

// The service manager's end: a datagram socket and the variables that point to it.
class Service : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "sluice-notify-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override {
    for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) ::unsetenv(name);
    std::filesystem::remove_all(folder_);
  }
  // `name` as in $NOTIFY_SOCKET.
  void listen(const std::string& name) {
    manager_.reset(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    ASSERT_LT(name.size(), sizeof address.sun_path);
    std::memcpy(&address.sun_path[0], name.data(), name.size());
    auto size = static_cast<socklen_t>(sizeof address);
    if (name[0] == '@') {
      address.sun_path[0] = '\0';
      size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    }
    ASSERT_EQ(::bind(manager_.get(), reinterpret_cast<const sockaddr*>(&address), size), 0)
        << std::strerror(errno);
    ::setenv("NOTIFY_SOCKET", name.c_str(), 1);
  }
  // One datagram that has come, or "(none)".
  std::string told() const {
    std::array<char, 4096> buf{};
    const auto n = ::recv(manager_.get(), buf.data(), buf.size(), 0);
    return n < 0 ? "(none)" : std::string(buf.data(), static_cast<std::size_t>(n));
  }

  std::filesystem::path folder_;
  UniqueFd manager_;
};

TEST_F(Service, TellsEachStateInOneDatagram) {
  listen((folder_ / "notify").string());
  notify_ready();
  notify_status("lag 0.2 s, 12 rows/s");
  notify_watchdog();
  notify_stopping();
  EXPECT_EQ(told(), "READY=1");
  EXPECT_EQ(told(), "STATUS=lag 0.2 s, 12 rows/s");
  EXPECT_EQ(told(), "WATCHDOG=1");
  EXPECT_EQ(told(), "STOPPING=1");
  EXPECT_EQ(told(), "(none)");
}

TEST_F(Service, FindsSocketsInTheAbstractNamespace) {
  listen("@sluice-test-" + std::to_string(::getpid()));
  notify_ready();
  EXPECT_EQ(told(), "READY=1");
}

TEST_F(Service, AStatusCannotSmuggleInAnotherAssignment) {
  listen((folder_ / "notify").string());
  notify_status("a\nMAINPID=1");
  EXPECT_EQ(told(), "STATUS=a MAINPID=1");
}

TEST_F(Service, DoesNothingWithoutAManager) {
  listen((folder_ / "notify").string());
  ::unsetenv("NOTIFY_SOCKET");
  notify_ready();
  EXPECT_EQ(told(), "(none)");
}

TEST_F(Service, GoesOnWhenTheManagerIsAwayAndTellsItLater) {
  const std::string path = (folder_ / "notify").string();
  for (const std::string& bad :
       {path, std::string("relative"), std::string("/"), "/" + std::string(200, 'x')}) {
    ::setenv("NOTIFY_SOCKET", bad.c_str(), 1);
    notify_ready();
  }
  listen(path);
  notify_ready();
  EXPECT_EQ(told(), "READY=1");
}

TEST_F(Service, ReadsTheWatchdogIntervalMeantForThisProcess) {
  EXPECT_EQ(watchdog_interval(), std::nullopt);
  ::setenv("WATCHDOG_USEC", "30000000", 1);
  EXPECT_EQ(watchdog_interval(), std::chrono::seconds(30));
  ::setenv("WATCHDOG_PID", std::to_string(::getpid()).c_str(), 1);
  EXPECT_EQ(watchdog_interval(), std::chrono::seconds(30));
  ::setenv("WATCHDOG_PID", std::to_string(::getpid() + 1).c_str(), 1);
  EXPECT_EQ(watchdog_interval(), std::nullopt);
  ::setenv("WATCHDOG_PID", "x", 1);
  EXPECT_EQ(watchdog_interval(), std::nullopt);
}

TEST_F(Service, HasNoWatchdogForIntervalsThatAreNone) {
  for (const char* text : {"", "0", "-1", "10s", "99999999999999999999"}) {
    ::setenv("WATCHDOG_USEC", text, 1);
    EXPECT_EQ(watchdog_interval(), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace sluice::ops
