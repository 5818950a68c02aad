#include "sluice/pipeline/exit_code.h"

#include <fstream>
#include <map>
#include <set>
#include <string>

#include <gtest/gtest.h>

namespace sluice::pipeline {
namespace {

constexpr int kCodes = static_cast<int>(Errc::pipeline_timeout) + 1;  // the last of the list

TEST(ExitCode, IsZeroOnlyForAStopThatWasAsked) {
  for (int c = 0; c < kCodes; ++c) {
    const auto code = static_cast<Errc>(c);
    const int exit = exit_code(fatal(code, ""));
    EXPECT_EQ(exit == 0, code == Errc::stopped) << errc_name(code);
    EXPECT_LE(exit, 11) << errc_name(code);
  }
}

TEST(ExitCode, StandsInTheManual) {
  std::ifstream manual(SLUICE_MANUAL);
  ASSERT_TRUE(manual.is_open()) << SLUICE_MANUAL;
  std::set<int> documented;
  bool table = false;
  for (std::string line; std::getline(manual, line);) {
    if (line.rfind("## ", 0) == 0) table = line == "## Exit codes";
    if (table && line.size() > 2 && line[0] == '|' && line[2] >= '0' && line[2] <= '9')
      documented.insert(std::stoi(line.substr(2)));
  }
  for (int c = 0; c < kCodes; ++c) {
    const auto code = static_cast<Errc>(c);
    EXPECT_EQ(documented.count(exit_code(fatal(code, ""))), 1u) << errc_name(code);
  }
}

TEST(ExitCode, FollowsTheRoomOfTheErrorsName) {
  const std::map<std::string, int> rooms = {{"config", 3}, {"mysql", 4},  {"position", 5},
                                            {"binlog", 7}, {"schema", 7}, {"queue", 9},
                                            {"redis", 10}};
  for (int c = 0; c < kCodes; ++c) {
    const auto code = static_cast<Errc>(c);
    const std::string name(errc_name(code));
    const auto room = rooms.find(name.substr(0, name.find('.')));
    if (room == rooms.end() || code == Errc::redis_refused) continue;
    EXPECT_EQ(exit_code(fatal(code, "")), room->second) << name;
  }
}

TEST(ExitCode, TellsWhatAnOperatorMustTellApart) {
  EXPECT_EQ(exit_code(fatal(Errc::internal, "")), 1);
  EXPECT_EQ(exit_code(fatal(Errc::io, "")), 1);
  EXPECT_EQ(exit_code(fatal(Errc::no_space, "")), 1);
  EXPECT_EQ(exit_code(fatal(Errc::usage, "")), 2);
  EXPECT_EQ(exit_code(fatal(Errc::pipeline_gap, "")), 6);
  EXPECT_EQ(exit_code(fatal(Errc::pipeline_unsupported, "")), 7);
  EXPECT_EQ(exit_code(fatal(Errc::redis_refused, "")), 8);
  EXPECT_EQ(exit_code(fatal(Errc::pipeline_timeout, "")), 11);
}

TEST(ExitCode, IsThatOfTheCodeWhateverTheClass) {
  EXPECT_EQ(exit_code(retry(Errc::redis_lost, "")), 10);
  EXPECT_EQ(exit_code(Error{ErrorClass::poison, Errc::redis_refused, ""}), 8);
}

}  // namespace
}  // namespace sluice::pipeline
