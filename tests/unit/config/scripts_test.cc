// Files of `tables[].script`.
#include <fstream>

#include <gmock/gmock.h>

#include "sluice/config/load.h"
#include "sluice/config/show.h"

#include "unit/temp_folder.h"

namespace sluice {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class Scripts : public ::testing::Test {
 protected:
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_.path() / name) << text;
    return (folder_.path() / name).string();
  }
  LoadResult load(const std::string& entry) const {
    return load_file(write("sluice.yaml", "tables: [{match: 'a\\.b', " + entry + "}]\n"));
  }
  std::vector<std::string> problems(const std::string& entry) const {
    std::vector<std::string> out;
    for (const Problem& p : load(entry).problems) out.push_back(p.message);
    return out;
  }
  testing::TempFolder folder_;
};

TEST_F(Scripts, AreReadBesideTheConfiguration) {
  const std::string path = write("rule.lua", "-- one ${NONE}\n");
  for (const std::string& given : {std::string("rule.lua"), path}) {
    const LoadResult result = load("script: " + given + ", script_key_columns: [id]");
    ASSERT_THAT(result.problems, IsEmpty()) << result.problems[0].to_string();
    const TableOptions& table = result.options->tables()[0];
    EXPECT_EQ(table.script().path, given);
    EXPECT_EQ(table.script().text, "-- one ${NONE}\n");
    EXPECT_THAT(table.script_key_columns(), ElementsAre("id"));
  }
}

TEST_F(Scripts, ThatAreMissingAFolderOrHugeAreProblems) {
  EXPECT_THAT(problems("script: none.lua"), ElementsAre(StartsWith("tables[0].script: ")));
  EXPECT_THAT(problems("script: ."), ElementsAre(StartsWith("tables[0].script: ")));
  EXPECT_THAT(problems("script: [a]"),
              ElementsAre("tables[0].script: a path is expected, not a list"));
  write("huge.lua", std::string((1U << 20U) + 1, '-'));
  EXPECT_THAT(problems("script: huge.lua"), ElementsAre(HasSubstr("larger than 1MiB")));
}

TEST_F(Scripts, KeyColumnsNeedAScript) {
  EXPECT_THAT(problems("script_key_columns: [id]"),
              ElementsAre("tables[0].script_key_columns: is given without script"));
  EXPECT_THAT(problems("script_inexact: true"),
              ElementsAre("tables[0].script_inexact: is given without script"));
}

TEST_F(Scripts, AreOfTheLayoutByWhatTheyHold) {
  const auto layout = [this](const std::string& entry) {
    return layout_fingerprint(*load(entry).options);
  };
  write("a.lua", "-- one\n");
  write("b.lua", "-- one\n");
  const std::string plain = layout("single_partition: true");
  const std::string before = layout("single_partition: true, script: a.lua");
  EXPECT_NE(before, plain);
  EXPECT_EQ(layout("single_partition: true, script: b.lua"), before);
  EXPECT_NE(layout("single_partition: true, script: a.lua, script_key_columns: [id]"), before);
  write("a.lua", "-- two\n");
  EXPECT_NE(layout("single_partition: true, script: a.lua"), before);
}

TEST_F(Scripts, HaveLimits) {
  const LoadResult result = load_file(write(
      "l.yaml", "limits: {script_memory: 8MiB, script_instructions: 5000, script_time: 1s}\n"));
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result.options->limits.script_memory(), 8_MiB);
  EXPECT_EQ(result.options->limits.script_instructions(), 5000U);
  EXPECT_EQ(result.options->limits.script_time(), 1s);
}

}  // namespace
}  // namespace sluice
