#include "sluice/mysql/gtid_state.h"

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace sluice::mysql {
namespace {

const std::string kA = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
const std::string kB = "4e11fa47-71ca-11e1-9e33-c80aa9429562";

GtidSet set(const std::string& text, Flavor flavor) {
  auto s = GtidSet::parse(flavor, text);
  EXPECT_TRUE(s.ok()) << text;
  return s.ok() ? std::move(s).value() : GtidSet(flavor);
}

struct Case {
  const char* what;
  std::string ours;
  ServerGtids server;
  std::string missing, purged;
  bool may_lag;
};

ServerGtids mysql_server(const std::string& executed, const std::string& purged = "",
                         const std::string& uuid = kB) {
  ServerGtids s;
  s.executed = set(executed, Flavor::mysql);
  s.purged = set(purged, Flavor::mysql);
  s.server_uuid = uuid;
  return s;
}

// As read_server_gtids() makes it of the variables.
ServerGtids mariadb_server(std::vector<MariadbGtid> state, const std::string& executed,
                           const std::string& purged = "", const std::string& slave_pos = "") {
  ServerGtids s;
  s.executed = set(executed, Flavor::mariadb);
  s.purged = set(purged, Flavor::mariadb);
  s.binlog_state = std::move(state);
  s.slave_pos = *set(slave_pos, Flavor::mariadb).mariadb();
  return s;
}

class CompareGtids : public testing::TestWithParam<Case> {};

TEST_P(CompareGtids, TellsWhatIsMissingAndWhatIsPurged) {
  const Case& c = GetParam();
  const GtidDifference d = compare_gtids(set(c.ours, c.server.executed.flavor()), c.server);
  EXPECT_EQ(d.missing.to_string(), c.missing) << c.what;
  EXPECT_EQ(d.purged.to_string(), c.purged) << c.what;
  EXPECT_EQ(d.may_lag, c.may_lag) << c.what;
}

INSTANTIATE_TEST_SUITE_P(
    Mysql, CompareGtids,
    testing::Values(
        Case{"the same", kA + ":1-5", mysql_server(kA + ":1-5"), "", "", false},
        Case{"more there", kA + ":1-5", mysql_server(kA + ":1-9," + kB + ":1"), "", "", false},
        Case{"purged up to ours", kA + ":1-5", mysql_server(kA + ":1-9", kA + ":1-5"), "", "",
             false},
        Case{"purged beyond ours", kA + ":1-5", mysql_server(kA + ":1-9", kA + ":1-7"), "",
             kA + ":6-7", false},
        Case{"purged of a tag", kA + ":1-5", mysql_server(kA + ":1-9:t:1", kA + ":t:1"), "",
             kA + ":t:1", false},
        Case{"behind us", kA + ":1-5", mysql_server(kA + ":1-3"), kA + ":4-5", "", true},
        Case{"behind us from the start", kA + ":1-5", mysql_server(""), kA + ":1-5", "", true},
        Case{"its own, which it cannot get", kA + ":1-5", mysql_server(kA + ":1-3", "", kA),
             kA + ":4-5", "", false},
        Case{"a hole below what it has", kA + ":1-5", mysql_server(kA + ":1-3:5-9"), kA + ":4", "",
             false},
        Case{"nothing of ours", "", mysql_server(kA + ":1-3"), "", "", false}));

INSTANTIATE_TEST_SUITE_P(
    Mariadb, CompareGtids,
    testing::Values(Case{"the same", "0-1-5", mariadb_server({{0, 1, 5}}, "0-1-5"), "", "", false},
                    Case{"another server went on", "0-1-5",
                         mariadb_server({{0, 1, 5}, {0, 2, 9}}, "0-2-9"), "", "", false},
                    Case{"behind us", "0-1-5", mariadb_server({{0, 1, 3}}, "0-1-3"), "0-1-5", "",
                         true},
                    Case{"the number is another's there", "0-1-5",
                         mariadb_server({{0, 1, 4}, {0, 2, 5}}, "0-2-5"), "0-1-5", "", false},
                    Case{"an unknown domain", "0-1-5,7-1-1", mariadb_server({{0, 1, 5}}, "0-1-5"),
                         "7-1-1", "", true},
                    Case{"purged beyond ours", "0-1-5",
                         mariadb_server({{0, 1, 9}}, "0-1-9", "0-1-7"), "", "0-1-7", false},
                    Case{"purged of a domain that we never saw", "0-1-5",
                         mariadb_server({{0, 1, 9}, {3, 1, 4}}, "0-1-9,3-1-4", "0-1-2,3-1-1"), "",
                         "3-1-1", false},
                    Case{"replicated and not logged, up to ours", "0-1-5",
                         mariadb_server({}, "0-1-5", "0-1-5", "0-1-5"), "", "", false},
                    Case{"replicated and not logged, beyond ours", "0-1-5",
                         mariadb_server({}, "0-1-9", "0-1-9", "0-1-9"), "", "0-1-9", false}));

}  // namespace
}  // namespace sluice::mysql
