#pragma once
#include <charconv>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

#include "sluice/mysql/connection.h"

namespace sluice::mysql {

// Options are neither copied nor moved: each test has its own.
struct OwnOptions {
  SourceOptions source{nullptr, "source", ""};
};

// One of the servers named in the environment as host:port:socket; its root has no password over
// the socket.
class OnServer : public ::testing::TestWithParam<const char*> {
 protected:
  static constexpr const char* kPassword = "hard-to-guess-7";

  void SetUp() override {
    const char* value =
        std::getenv(GetParam());  // NOLINT(concurrency-mt-unsafe): before threads start
    if (value == nullptr) GTEST_SKIP() << GetParam() << " is not set";
    const std::string text(value);
    const auto first = text.find(':');
    const auto second = text.find(':', first + 1);
    ASSERT_NE(second, std::string::npos) << GetParam() << " is not host:port:socket";
    host_ = text.substr(0, first);
    std::from_chars(text.data() + first + 1, text.data() + second, port_);
    socket_ = text.substr(second + 1);
    admin_options_.source.socket.set(socket_);
    admin_options_.source.user.set("root");
    auto admin = Connection::open(admin_options_.source);
    ASSERT_TRUE(admin.ok()) << admin.error().what;
    admin_.emplace(std::move(admin).value());
    sql("CREATE DATABASE IF NOT EXISTS " + database());
  }

  void TearDown() override {
    if (!admin_) return;
    for (const std::string& statement : undo_) sql(statement);
    for (const std::string& user : users_) sql("DROP USER IF EXISTS '" + user + "'@'%'");
    sql("DROP DATABASE IF EXISTS " + database());
  }

  // As root; a failure fails the test.
  ResultRows sql(const std::string& statement) {
    auto rows = admin_->query(statement);
    EXPECT_TRUE(rows.ok()) << statement << ": " << (rows.ok() ? "" : rows.error().what);
    return rows.ok() ? std::move(rows).value() : ResultRows();
  }
  std::string value(const std::string& statement) {
    const auto rows = sql(statement);
    return rows.empty() ? std::string() : rows.front().front().value_or("");
  }
  // Sets a global for the time of this test.
  void set_global(const std::string& name, const std::string& wanted) {
    undo_.insert(undo_.begin(),
                 "SET GLOBAL " + name + " = '" + value("SELECT @@GLOBAL." + name) + "'");
    sql("SET GLOBAL " + name + " = '" + wanted + "'");
  }

  // A new account with these rights on *.*, which `options` is then set to use over TCP.
  void make_account(SourceOptions& options, const std::string& rights,
                    const std::string& plugin = "") {
    const std::string user =
        "sluice_t" + std::to_string(::getpid()) + "_" + std::to_string(users_.size());
    sql("CREATE USER '" + user + "'@'%' IDENTIFIED " +
        (plugin.empty() ? "BY '" : "WITH " + plugin + " BY '") + kPassword + "'");
    users_.push_back(user);
    if (!rights.empty()) sql("GRANT " + rights + " ON *.* TO '" + user + "'@'%'");
    options.host.set(host_);
    options.port.set(port_);
    options.user.set(user);
    options.password.set(Secret{kPassword});
  }
  std::string all_rights() const { return "SELECT, REPLICATION SLAVE, REPLICATION CLIENT"; }

  bool is_mysql() const { return admin_->server().flavor == Flavor::mysql; }
  Flavor flavor() const { return admin_->server().flavor; }
  static std::string database() { return "sluice_t" + std::to_string(::getpid()); }
  Connection& admin() { return *admin_; }

  std::string host_, socket_;
  std::uint32_t port_ = 0;
  OwnOptions admin_options_;
  std::optional<Connection> admin_;
  std::vector<std::string> users_, undo_;
};

constexpr const char* kMariadb = "SLUICE_TEST_MARIADB";
constexpr const char* kMariadb118 = "SLUICE_TEST_MARIADB118";
constexpr const char* kMysql = "SLUICE_TEST_MYSQL";
inline const auto kAllServers = ::testing::Values(kMariadb, kMariadb118, kMysql);
inline const auto kMariadbServers = ::testing::Values(kMariadb, kMariadb118);

inline std::string server_name(const ::testing::TestParamInfo<const char*>& info) {
  const std::string_view variable = info.param;
  if (variable == kMysql) return "mysql";
  return variable == kMariadb118 ? "mariadb118" : "mariadb";
}

}  // namespace sluice::mysql
