#pragma once
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sluice/base/unique_fd.h"
#include "sluice/redis/connection.h"

namespace sluice::redis {

// "host:port" from the environment into the options; false when the variable is not set.
inline bool server_from_environment(const char* variable, RedisOptions& options) {
  const char* value = std::getenv(variable);  // NOLINT(concurrency-mt-unsafe): before threads start
  if (value == nullptr) return false;
  const std::string_view text(value);
  const auto colon = text.rfind(':');
  std::uint32_t port = 0;
  std::from_chars(text.data() + colon + 1, text.data() + text.size(), port);
  options.host.set(std::string(text.substr(0, colon)));
  options.port.set(port);
  return true;
}

// A test on each of the running servers named by SLUICE_TEST_REDIS7 and SLUICE_TEST_REDIS8, which
// others may use too: keys begin with key(""), and are removed.
class OnServer : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (!server_from_environment(GetParam(), options_)) GTEST_SKIP() << GetParam() << " is not set";
    first_ = connect();
  }
  void TearDown() override {
    if (!first_) return;
    auto connection = connect();  // the test may have used up the first
    const auto keys = connection->command({"KEYS", key("*")});
    ASSERT_TRUE(keys.ok());
    for (const Reply& k : keys->items) ASSERT_TRUE(connection->command({"DEL", k.text}).ok());
  }
  std::unique_ptr<Connection> connect() {
    auto c = Connection::open(options_);
    EXPECT_TRUE(c.ok()) << to_string(c.error());
    return c ? std::move(c).value() : nullptr;
  }
  static std::string key(std::string_view name) {
    return "sluice-test-" + std::to_string(::getpid()) + ":" + std::string(name);
  }
  Connection& connection() { return *first_; }

  RedisOptions options_;
  std::unique_ptr<Connection> first_;
};

inline std::string server_name(const ::testing::TestParamInfo<const char*>& info) {
  return std::string(info.param) == "SLUICE_TEST_REDIS7" ? "redis7" : "redis8";
}

// A redis-server of the test's own, from the PATH, on a unix socket in a folder of its own: to be
// killed, stopped and reconfigured.
class OwnServer {
 public:
  // Null when there is no redis-server.
  static std::unique_ptr<OwnServer> start(std::vector<std::string> settings = {}) {
    auto server = std::unique_ptr<OwnServer>(new OwnServer);
    return server->spawn(std::move(settings)) ? std::move(server) : nullptr;
  }
  // On a TCP port of its own instead.
  static std::unique_ptr<OwnServer> start_with_port(std::vector<std::string> settings = {}) {
    auto server = std::unique_ptr<OwnServer>(new OwnServer);
    server->options_.socket.set("");
    server->options_.port.set(free_port());
    settings.insert(settings.begin(),
                    {"--port", std::to_string(server->port()), "--bind", "127.0.0.1"});
    return server->spawn(std::move(settings)) ? std::move(server) : nullptr;
  }
  // With a port for TLS (tls_options()) beside the unix socket.
  static std::unique_ptr<OwnServer> start_with_tls(std::vector<std::string> settings) {
    auto server = std::unique_ptr<OwnServer>(new OwnServer);
    settings.insert(settings.begin(),
                    {"--tls-port", std::to_string(server->add_tls()), "--bind", "127.0.0.1"});
    return server->spawn(std::move(settings)) ? std::move(server) : nullptr;
  }
  // A Sentinel of the master "mymaster" at that port, alone; with a port for TLS, too.
  static std::unique_ptr<OwnServer> start_sentinel(std::uint32_t master,
                                                   std::vector<std::string> lines = {},
                                                   bool tls = false) {
    auto server = std::unique_ptr<OwnServer>(new OwnServer);
    server->options_.socket.set("");
    server->options_.port.set(free_port());
    if (tls) lines.push_back("tls-port " + std::to_string(server->add_tls()));
    const std::string file = (server->folder_ / "sentinel.conf").string();
    std::ofstream out(file);
    // What concerns TLS before what uses it.
    for (const std::string& line : lines) out << line << "\n";
    out << "port " << server->port() << "\nbind 127.0.0.1\ndir " << server->folder_.string()
        << "\nlogfile " << (server->folder_ / "log").string()
        << "\nsentinel monitor mymaster 127.0.0.1 " << master << " 1\n";
    out.close();
    return server->spawn_words({"redis-server", file, "--sentinel"}) ? std::move(server) : nullptr;
  }
  OwnServer(const OwnServer&) = delete;
  OwnServer& operator=(const OwnServer&) = delete;
  ~OwnServer() {
    if (pid_ > 0) signal_and_reap(SIGKILL);
    std::filesystem::remove_all(folder_);
  }
  // A port that nobody has at the moment.
  static std::uint32_t free_port() {
    const UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), size), 0);
    EXPECT_EQ(::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
    return ntohs(address.sin_port);
  }
  void kill() { signal_and_reap(SIGKILL); }
  void pause() const { ::kill(pid_, SIGSTOP); }
  void resume() const { ::kill(pid_, SIGCONT); }
  std::uint32_t port() const { return options_.port(); }
  const std::filesystem::path& folder() const { return folder_; }
  const RedisOptions& options() const { return options_; }
  RedisOptions& options() { return options_; }
  RedisOptions& tls_options() { return tls_options_; }

 private:
  OwnServer() {
    std::string name = (std::filesystem::temp_directory_path() / "sluice-redis-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::filesystem::filesystem_error("mkdtemp", {});
    folder_ = name;
    options_.socket.set((folder_ / "socket").string());
  }
  bool spawn(std::vector<std::string> settings) {
    std::vector<std::string> words{
        "redis-server",   "--port", "0", "--unixsocket", (folder_ / "socket").string(), "--dir",
        folder_.string(), "--save", "",  "--logfile",    (folder_ / "log").string()};
    words.insert(words.end(), settings.begin(), settings.end());
    return spawn_words(std::move(words));
  }
  std::uint32_t add_tls() {
    tls_options_.host.set("127.0.0.1");
    tls_options_.port.set(free_port());
    return tls_options_.port();
  }
  bool spawn_words(std::vector<std::string> words) {
    std::vector<char*> argv;
    for (std::string& w : words) argv.push_back(w.data());
    argv.push_back(nullptr);
    if (::posix_spawnp(&pid_, "redis-server", nullptr, nullptr, argv.data(), environ) != 0) {
      pid_ = 0;
      return false;
    }
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (std::chrono::steady_clock::now() < end) {
      const auto answer = Connection::open(options_);
      if (answer.ok() || answer.error().code == Errc::redis_denied) return true;
      int status = 0;
      if (::waitpid(pid_, &status, WNOHANG) == pid_) {
        pid_ = 0;
        return false;
      }
      ::usleep(10'000);
    }
    return false;
  }
  void signal_and_reap(int signal) {
    ::kill(pid_, signal);
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = 0;
  }

  std::filesystem::path folder_;
  RedisOptions options_, tls_options_;
  pid_t pid_ = 0;
};

}  // namespace sluice::redis
