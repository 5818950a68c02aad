#include "sluice/config/show.h"

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/config/loading.h"

namespace sluice {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::string file_text(const std::string& path) {
  std::ifstream in(std::filesystem::path(SLUICE_SOURCE_DIR) / path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

// Values that are hard to write down, in every kind of option.
constexpr std::string_view kUnusual =
    "instance: \"no\"\n"
    "state_dir: \"/srv/a b/$${x}/'q'/\\\"d\\\"/\\\\/\\t#\"\n"
    "source:\n"
    "  host: \"::1\"\n"
    "  user: \"größe: - ?\"\n"
    "  password: hunter2\n"
    "  heartbeat: 1500ms\n"
    "  start: {file: \"odd name.000001\", pos: 18446744073709551615}\n"
    "filter:\n"
    "  include: ['shop\\..*', 'it''s, [a]\\.b{2}', \"a\\nb\"]\n"
    "  exclude: ['shop\\.tmp_\\d+']\n"
    "tables:\n"
    "  - match: 'shop\\.a'\n"
    "    partition_by: [\"a, b\", \"null\", c]\n"
    "  - single_partition: true\n"
    "queue: {message_bytes: 1025, type: classic}\n"
    "rendering: {time_zone: \"-03:30\", binary: base64}\n"
    "redis: {is_cache: true, password: \"\"}\n";

TEST(PrintEffective, LoadsBackToTheSame) {
  const LoadResult first = load(kUnusual);
  ASSERT_TRUE(first.ok());
  const std::string printed = print_effective(*first.options);
  const LoadResult second = load(printed);
  ASSERT_TRUE(second.ok()) << printed;
  EXPECT_EQ(print_effective(*second.options), printed);
  const Options& a = *first.options;
  const Options& b = *second.options;
  EXPECT_EQ(b.instance(), "no");
  EXPECT_EQ(b.state_dir(), "/srv/a b/${x}/'q'/\"d\"/\\/\t#");
  EXPECT_EQ(b.source.host(), a.source.host());
  EXPECT_EQ(b.source.user(), a.source.user());
  EXPECT_EQ(b.source.start(), a.source.start());
  EXPECT_EQ(b.source.heartbeat(), 1500ms);
  EXPECT_EQ(b.filter.include(), a.filter.include());
  EXPECT_EQ(b.filter.exclude(), a.filter.exclude());
  ASSERT_EQ(b.tables.size(), 2U);
  EXPECT_EQ(b.tables()[0].partition_by(), a.tables()[0].partition_by());
  EXPECT_TRUE(b.tables()[1].single_partition());
  EXPECT_EQ(b.queue.message_bytes(), ByteSize{1025});
  EXPECT_EQ(b.queue.type(), QueueOptions::Type::classic);
  EXPECT_EQ(b.rendering.time_zone(), a.rendering.time_zone());
  EXPECT_TRUE(b.redis.is_cache());
  EXPECT_EQ(layout_fingerprint(b), layout_fingerprint(a));
}

TEST(PrintEffective, HidesSecretsButShowsWhichAreEmpty) {
  const std::string printed = print_effective(*load(kUnusual).options);
  EXPECT_THAT(printed, Not(HasSubstr("hunter2")));
  EXPECT_THAT(printed, Not(HasSubstr("password: guest")));
  EXPECT_THAT(printed, HasSubstr("source:\n  host: \"::1\"\n"));
  EXPECT_THAT(printed, HasSubstr("  password: \"***\"\n"));
  EXPECT_THAT(printed, HasSubstr("  password: \"\"\n"));
}

TEST(PrintEffective, WritesListsOfSections) {
  EXPECT_THAT(print_effective(Options()), HasSubstr("\ntables: []\n"));
  const std::string rules =
      "    logical: {}\n    operations: [insert, update, delete]\n    when: \"\"\n"
      "    columns: {include: [], exclude: []}\n    mask: {}\n    mask_salt: \"\"\n"
      "    script: \"\"\n    script_key_columns: []\n    script_inexact: false\n"
      "    mappings: []\n";
  EXPECT_THAT(print_effective(*load("tables: [{match: a}, {partition_by: [b]}]").options),
              HasSubstr("\ntables:\n"
                        "  - match: a\n    partition_by: []\n    single_partition: false\n" +
                        rules +
                        "  - match: \".*\"\n    partition_by: [b]\n"
                        "    single_partition: false\n" +
                        rules));
}

// `of_list`: what a list in a list's entry counts beside its options.
std::size_t count_options(const Section& section, std::size_t of_list, bool in_entry = false) {
  std::size_t count = 0;
  section.each([&count, of_list, in_entry](const auto& member) {
    using Member = std::remove_cvref_t<decltype(member)>;
    if constexpr (std::is_same_v<Member, OptionBase>) {
      ++count;
    } else if constexpr (std::is_same_v<Member, Section>) {
      count += count_options(member, of_list);
    } else {
      count += (in_entry ? of_list : 0) + count_options(member.sample(), of_list, true);
    }
  });
  return count;
}

TEST(Example, LoadsAsItIsAndGivesTheDefaults) {
  const LoadResult result = load(example_yaml());
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(print_effective(*result.options), print_effective(Options()));
  EXPECT_EQ(result.options->queue.password(), Options().queue.password());
}

TEST(Example, HoldsEveryOptionAndLoadsWithAllOfThemTakenIn) {
  const std::regex option_line(R"((^|\n)( *)#((- |  )?[a-z_]+:))");
  const std::string text = example_yaml();
  const auto found = std::distance(std::sregex_iterator(text.begin(), text.end(), option_line),
                                   std::sregex_iterator());
  // Such a list has a line of its own there, which is taken in with its options.
  EXPECT_EQ(static_cast<std::size_t>(found), count_options(Options(), 1));
  const LoadResult result = load(std::regex_replace(text, option_line, "$1$2$3"));
  ASSERT_THAT(result.problems, IsEmpty()) << result.problems[0].to_string();
  EXPECT_EQ(result.options->tables.size(), 1U);
  result.options->tables.clear();
  EXPECT_EQ(print_effective(*result.options), print_effective(Options()));
  EXPECT_EQ(result.options->queue.password(), Options().queue.password());
}

TEST(Example, SaysRangesAndDefaults) {
  EXPECT_THAT(example_yaml(), HasSubstr("  # TCP port. (1..65535; default 3306)\n  #port: 3306\n"));
  EXPECT_THAT(example_yaml(), HasSubstr("or password_file: PATH)"));
}

TEST(Documents, TheExampleInTheTreeIsTheGeneratedOne) {
  EXPECT_TRUE(file_text("config/sluice.example.yaml") == example_yaml())
      << "options have changed; run: sluice config example > config/sluice.example.yaml";
}

TEST(Documents, TheReferenceInTheTreeIsTheGeneratedOne) {
  EXPECT_TRUE(file_text("docs/configuration.md") == reference_markdown())
      << "options have changed; run: sluice config reference > docs/configuration.md";
}

TEST(Reference, HasARowForEveryOptionAndAHeadingForEverySection) {
  const std::string text = reference_markdown();
  const std::regex row(R"(\n\| `[a-z_]+` \|)");
  EXPECT_EQ(static_cast<std::size_t>(std::distance(
                std::sregex_iterator(text.begin(), text.end(), row), std::sregex_iterator())),
            count_options(Options(), 0));
  EXPECT_THAT(text, HasSubstr("\n## source.tls\n"));
  EXPECT_THAT(text, HasSubstr("\n| `port` | whole number | `3306` | `1..65535` | TCP port. |\n"));
}

// The values are part of state files: a change of one makes every running installation drain its
// queues.
TEST(LayoutFingerprint, IsTheSameForever) {
  EXPECT_EQ(layout_fingerprint(Options()), "b2160375b45d1c02");
  EXPECT_EQ(layout_fingerprint(*load(kUnusual).options), "2ae34fd171a4088d");
}

TEST(LayoutFingerprint, ChangesWithWhatChangesTheMeaningOfMessages) {
  const std::string before = layout_fingerprint(Options());
  for (const std::string_view text :
       {"filter: {include: [a]}", "filter: {include: []}", "filter: {exclude: ['.*']}",
        "tables: [{match: a}]", "tables: [{partition_by: [a]}]",
        "tables: [{single_partition: true}]", "tables: [{logical: {table: a}}]",
        "tables: [{operations: [insert]}]", "tables: [{when: a = 1}]",
        "tables: [{columns: {include: [a]}}]", "tables: [{columns: {exclude: [a]}}]",
        "tables: [{mask: {a: null}}]", "rendering: {time_zone: '+01:00'}",
        "rendering: {invalid_text: replace}", "rendering: {binary: base64}"})
    EXPECT_NE(layout_fingerprint(*load(text).options), before) << text;
  const auto of = [](const std::string& text) { return layout_fingerprint(*load(text).options); };
  EXPECT_NE(of("tables: [{match: a}, {match: b}]"), of("tables: [{match: b}, {match: a}]"));
  EXPECT_NE(of("tables: [{partition_by: [a, b]}]"), of("tables: [{partition_by: [b, a]}]"));
  EXPECT_NE(of("tables: [{partition_by: [ab]}]"), of("tables: [{partition_by: [a, b]}]"));
  const std::vector<std::string_view> rules{"logical: {table: a}",
                                            "logical: {database: a}",
                                            "operations: [insert]",
                                            "operations: [delete]",
                                            "when: a = 1",
                                            "when: a = 2",
                                            "columns: {include: [a]}",
                                            "columns: {exclude: [a]}",
                                            "columns: {exclude: [a, b]}",
                                            "mask: {a: null}",
                                            "mask: {a: sha256}",
                                            "mask: {a: sha256}, mask_salt: x",
                                            "mask: {a: sha256}, mask_salt: y",
                                            "mask: {a: fixed 'x'}",
                                            "mask: {a: fixed 'y'}",
                                            "mask: {b: null}"};
  std::set<std::string> different;
  for (const std::string_view rule : rules)
    different.insert(of("tables: [{" + std::string(rule) + "}]"));
  EXPECT_EQ(different.size(), rules.size());
}

TEST(LayoutFingerprint, StaysWithEverythingElse) {
  const std::string before = layout_fingerprint(Options());
  for (const std::string_view text :
       {"instance: other", "queue: {partitions: 64, type: classic, message_bytes: 4MiB}",
        "limits: {drain: 1min}", "source: {host: x, start: earliest}", "log: {level: debug}",
        "filter: {include: ['.*', '.*']}"})
    EXPECT_EQ(layout_fingerprint(*load(text).options), before) << text;
  const auto of = [](std::string_view text) { return layout_fingerprint(*load(text).options); };
  EXPECT_EQ(of("filter: {include: [a, b]}"), of("filter: {include: [b, a]}"));
  EXPECT_EQ(of("filter: {include: [a, b]}"), of("filter: {include: 'a,b'}"));
  EXPECT_EQ(of("tables: [{match: a}]"),
            of("tables: [{match: a, operations: [delete, update, insert], when: '', mask: {}, "
               "mask_salt: x, columns: {}, logical: {}}]"));
  EXPECT_EQ(of("tables: [{columns: {include: [a, b]}}]"),
            of("tables: [{columns: {include: [b, a]}}]"));
}

}  // namespace
}  // namespace sluice
