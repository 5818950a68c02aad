#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sluice/config/load.h"

#include "unit/config/loading.h"

namespace sluice {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(Environment, ReplacesVariablesInAnyValue) {
  const LoadResult result = load(
      "source: {host: 'db-${N}.${ZONE}', port: \"${PORT}\", password: \"${PASS}\"}\n"
      "filter: {include: ['${DB}\\.a', '${DB}\\.b']}\n"
      "tables: [{partition_by: ['${DB}']}]\n",
      {{"N", "7"}, {"ZONE", "eu"}, {"PORT", "3307"}, {"PASS", "a'b\"${N}"}, {"DB", "shop"}});
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result.options->source.host(), "db-7.eu");
  EXPECT_EQ(result.options->source.port(), 3307U);
  EXPECT_EQ(result.options->source.password().reveal(), "a'b\"${N}")
      << "values are not looked into again";
  EXPECT_TRUE(result.options->filter.include().matches("shop.b"));
  EXPECT_THAT(result.options->tables()[0].partition_by(), ElementsAre("shop"));
}

TEST(Environment, AnEmptyVariableIsEmptyText) {
  EXPECT_EQ(load("source: {user: \"${E}\"}", {{"E", ""}}).options->source.user(), "");
  EXPECT_THAT(problems("source: {port: \"${E}\"}", {{"E", ""}}),
              ElementsAre(HasSubstr("\"\" is not a whole number")));
}

TEST(Environment, TwoDollarsStandForThemselvesBeforeABrace) {
  EXPECT_EQ(load("source: {user: \"$${A} $A $$ $\"}").options->source.user(), "${A} $A $$ $");
  EXPECT_EQ(load("source: {user: \"$$${A}\"}").options->source.user(), "$${A}");
}

TEST(Environment, NamesEveryMissingVariable) {
  EXPECT_THAT(problems("source: {user: \"${A}-${B}\"}"),
              ElementsAre("c.yaml:1:16: source.user: there is no environment variable A",
                          "c.yaml:1:16: source.user: there is no environment variable B"));
}

TEST(Environment, RefusesBracesAroundWhatIsNoName) {
  for (const std::string text : {"${A", "${}", "${A-B}", "${1A}", "${A:-x}"})
    EXPECT_THAT(problems("source: {user: \"" + text + "\"}"),
                ElementsAre(HasSubstr("must be followed by a variable's name")))
        << text;
}

TEST(Environment, KeysAreLeftAlone) {
  EXPECT_THAT(problems("\"${A}\": 1", {{"A", "instance"}}),
              ElementsAre("c.yaml:1:1: unknown key ${A}"));
}

class SecretFile : public testing::Test {
 protected:
  SecretFile() { fs::create_directories(dir_); }
  ~SecretFile() override { fs::remove_all(dir_); }
  // A file only we can read.
  std::string write(const std::string& name, const std::string& content) {
    std::ofstream(dir_ / name, std::ios::binary) << content;
    fs::permissions(dir_ / name, fs::perms::owner_read | fs::perms::owner_write);
    return (dir_ / name).string();
  }
  const fs::path dir_ = fs::path(testing::TempDir()) /
                        (std::string("sluice_secret_") +
                         testing::UnitTest::GetInstance()->current_test_info()->name());
};

TEST_F(SecretFile, HoldsTheSecretWithoutItsLastLineEnd) {
  for (const auto& [content, secret] :
       {std::pair<std::string, std::string>{"pass word\n", "pass word"},
        {"p", "p"},
        {"p\r\n", "p"},
        {"a\nb\n\n", "a\nb\n"},
        {"${X}$${\n", "${X}$${"}}) {
    const LoadResult result = load("redis: {password_file: '" + write("s", content) + "'}");
    ASSERT_TRUE(result.ok()) << content;
    EXPECT_EQ(result.options->redis.password().reveal(), secret);
    EXPECT_THAT(result.warnings, IsEmpty());
  }
}

TEST_F(SecretFile, IsLookedForBesideTheConfiguration) {
  write("s", "hidden\n");
  const std::string file = write("c.yaml", "queue:\n  password_file: s\n");
  const LoadResult result = load_file(file);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result.options->queue.password().reveal(), "hidden");
}

TEST_F(SecretFile, ThePathMayComeFromTheEnvironment) {
  write("s", "hidden\n");
  const LoadResult result = load("queue: {password_file: '${DIR}/s'}", {{"DIR", dir_.string()}});
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result.options->queue.password().reveal(), "hidden");
}

TEST_F(SecretFile, ThatEveryoneCanReadIsWarnedOf) {
  const std::string path = write("s", "hidden\n");
  fs::permissions(path, fs::perms::others_read, fs::perm_options::add);
  const LoadResult result = load("redis:\n  password_file: " + path);
  ASSERT_TRUE(result.ok());
  ASSERT_EQ(result.warnings.size(), 1U);
  EXPECT_EQ(result.warnings[0].to_string(),
            "c.yaml:2:18: redis.password_file: " + path + " can be read by everyone; chmod o-r it");
}

TEST_F(SecretFile, ThatIsMissingEmptyHugeOrAFolderIsAProblem) {
  const auto problems_with = [](const std::string& path) {
    return problems("redis:\n  password_file: " + path);
  };
  EXPECT_THAT(problems_with((dir_ / "none").string()),
              ElementsAre(testing::StartsWith("c.yaml:2:18: redis.password_file: ")));
  EXPECT_THAT(problems_with(dir_.string()), testing::SizeIs(1));
  EXPECT_THAT(problems_with(write("empty", "\n")), ElementsAre(EndsWith("empty is empty")));
  EXPECT_THAT(problems_with(write("huge", std::string(70'000, 'x'))),
              ElementsAre(HasSubstr("larger than 64KiB")));
  EXPECT_THAT(problems("redis: {password_file: [a]}"),
              ElementsAre("c.yaml:1:24: redis.password_file: a path is expected, not a list"));
}

TEST_F(SecretFile, IsNotReadWhenTheSecretIsGivenToo) {
  EXPECT_THAT(
      problems("redis:\n  password_file: /none\n  password: a\n"),
      ElementsAre(
          "c.yaml:2:3: redis.password_file: password is given too; one of the two is enough"));
}

}  // namespace
}  // namespace sluice
