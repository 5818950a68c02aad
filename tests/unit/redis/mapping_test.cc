#include "sluice/redis/mapping.h"

#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>

namespace sluice::redis {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using namespace std::string_literals;

struct Column {
  std::string_view name;
  std::optional<std::string_view> value;
};

// A line with one row.
ChangeView change(ChangeKind kind, std::vector<std::string_view> pk,
                  const std::vector<Column>& data, const std::vector<Column>& old = {}) {
  ChangeView v;
  v.kind = kind;
  v.database = "shop";
  v.table = "user";
  v.seq = {1, 2, 3, 4, 0};
  v.pk_names = std::move(pk);
  const auto add = [&v](const std::vector<Column>& columns) {
    for (const Column& c : columns)
      v.fields.push_back({c.name, c.value.value_or(""), !c.value, false});
  };
  ChangeView::Row row;
  row.index = 7;
  add(data);
  row.data_end = static_cast<std::uint32_t>(v.fields.size());
  row.old_begin = row.data_end;
  add(old);
  row.old_end = static_cast<std::uint32_t>(v.fields.size());
  v.rows = {row};
  return v;
}

// RESP of commands given as words.
std::string resp(const std::vector<std::vector<std::string>>& commands) {
  std::string out;
  for (const auto& words : commands) {
    out += "*" + std::to_string(words.size()) + "\r\n";
    for (const auto& w : words) out += "$" + std::to_string(w.size()) + "\r\n" + w + "\r\n";
  }
  return out;
}

struct Mapped {
  std::string bytes;
  CommandCounts counts;
};
Mapped map(const ChangeView& v) {
  TextBuffer out;
  Mapped m;
  const auto status = HashMapping().append(v, v.rows[0], out, m.counts);
  EXPECT_TRUE(status.ok()) << to_string(status.error());
  m.bytes = out.view();
  return m;
}

std::vector<std::string> keys_of(const ChangeView& v) {
  std::vector<std::string> keys;
  EXPECT_TRUE(HashMapping().append_keys(v, v.rows[0], keys).ok());
  return keys;
}

TEST(HashMapping, InsertSetsTheColumnsThatAreNotNull) {
  const auto m = map(
      change(ChangeKind::insert, {"id"}, {{"id", "8"}, {"name", "LL"}, {"note", {}}, {"e", ""}}));
  EXPECT_EQ(m.bytes,
            "*8\r\n$4\r\nHSET\r\n$11\r\nshop:user:8\r\n$2\r\nid\r\n$1\r\n8\r\n$4\r\nname\r\n$"
            "2\r\nLL\r\n$1\r\ne\r\n"
            "$0\r\n\r\n");
  EXPECT_EQ(m.counts.commands, 1U);
  EXPECT_EQ(m.counts.hset, 1U);
  EXPECT_EQ(m.counts.hdel, 0U);
  EXPECT_EQ(m.counts.unlink, 0U);
}

TEST(HashMapping, DeleteUnlinksTheKey) {
  const auto m = map(change(ChangeKind::remove, {"id"}, {{"id", "8"}, {"name", "LL"}}));
  EXPECT_EQ(m.bytes, "*2\r\n$6\r\nUNLINK\r\n$11\r\nshop:user:8\r\n");
  EXPECT_EQ(m.counts.commands, 1U);
  EXPECT_EQ(m.counts.unlink, 1U);
  EXPECT_EQ(m.counts.hset, 0U);
}

TEST(HashMapping, UpdateSetsEverythingAndDeletesFieldsThatBecameNull) {
  const auto m = map(change(ChangeKind::update, {"id"},
                            {{"id", "8"}, {"a", {}}, {"b", "new"}, {"c", {}}, {"d", {}}},
                            {{"a", "1"}, {"b", {}}, {"d", "x"}}));
  EXPECT_EQ(m.bytes, resp({{"HSET", "shop:user:8", "id", "8", "b", "new"},
                           {"HDEL", "shop:user:8", "a", "d"}}));
  EXPECT_EQ(m.counts.commands, 2U);
  EXPECT_EQ(m.counts.hset, 1U);
  EXPECT_EQ(m.counts.hdel, 1U);
}

TEST(HashMapping, UpdateWithoutNewNullsDeletesNoField) {
  const auto m =
      map(change(ChangeKind::update, {"id"}, {{"id", "8"}, {"a", "2"}, {"n", {}}}, {{"a", "1"}}));
  EXPECT_EQ(m.bytes, resp({{"HSET", "shop:user:8", "id", "8", "a", "2"}}));
  EXPECT_EQ(m.counts.commands, 1U);
}

TEST(HashMapping, NulledColumnsAreFoundWhateverTheOrderOfOld) {
  const auto m = map(change(ChangeKind::update, {"id"}, {{"a", {}}, {"b", {}}, {"id", "8"}},
                            {{"b", "1"}, {"a", "1"}}));
  EXPECT_EQ(m.bytes, resp({{"HSET", "shop:user:8", "id", "8"}, {"HDEL", "shop:user:8", "b", "a"}}));
}

TEST(HashMapping, KeyChangeUnlinksTheOldKeyAndSetsTheNewOne) {
  const auto m = map(change(ChangeKind::update, {"id"}, {{"id", "9"}, {"name", "LL"}, {"gone", {}}},
                            {{"id", "8"}, {"gone", "x"}}));
  EXPECT_EQ(m.bytes,
            resp({{"UNLINK", "shop:user:8"}, {"HSET", "shop:user:9", "id", "9", "name", "LL"}}));
  EXPECT_EQ(m.counts.commands, 2U);
  EXPECT_EQ(m.counts.unlink, 1U);
  EXPECT_EQ(m.counts.hset, 1U);
  EXPECT_EQ(m.counts.hdel, 0U);
}

TEST(HashMapping, TheOldKeyTakesUnchangedPartsFromTheNewRow) {
  const auto m =
      map(change(ChangeKind::update, {"b", "a"}, {{"a", "1"}, {"b", "3"}}, {{"b", "2"}}));
  EXPECT_EQ(m.bytes,
            resp({{"UNLINK", "shop:user:2:1"}, {"HSET", "shop:user:3:1", "a", "1", "b", "3"}}));
}

TEST(HashMapping, KeyPartsStandInKeyOrderNotInColumnOrder) {
  EXPECT_THAT(keys_of(change(ChangeKind::insert, {"z", "a"}, {{"a", "1"}, {"m", "2"}, {"z", "3"}})),
              ElementsAre("shop:user:3:1"));
}

TEST(HashMapping, CompositeKeysDoNotRunTogether) {
  const auto key = [](std::string_view a, std::string_view b) {
    return keys_of(change(ChangeKind::insert, {"a", "b"}, {{"a", a}, {"b", b}})).at(0);
  };
  EXPECT_EQ(key("1", "23"), "shop:user:1:23");
  EXPECT_EQ(key("12", "3"), "shop:user:12:3");
  EXPECT_EQ(key("1:2", "3"), "shop:user:1\\:2:3");
  EXPECT_EQ(key("1", "2:3"), "shop:user:1:2\\:3");
  EXPECT_EQ(key("1\\", "2"), "shop:user:1\\\\:2");
  EXPECT_EQ(key("1\\:2", ""), "shop:user:1\\\\\\:2:");
  EXPECT_EQ(key("", ""), "shop:user::");
}

TEST(HashMapping, NamesAreEscapedToo) {
  ChangeView v = change(ChangeKind::remove, {"id"}, {{"id", "1"}});
  v.database = "a:b";
  v.table = "c\\d";
  EXPECT_EQ(map(v).bytes, resp({{"UNLINK", "a\\:b:c\\\\d:1"}}));
  EXPECT_THAT(keys_of(change(ChangeKind::update, {"id"}, {{"id", "1"}})),
              ElementsAre("shop:user:1"));
}

TEST(HashMapping, ValuesKeepTheirBytes) {
  const std::string bytes = "\0\r\n:\\\xFF"s;
  const auto m = map(change(ChangeKind::insert, {"id"}, {{"id", bytes}, {"v", bytes}}));
  EXPECT_EQ(m.bytes, resp({{"HSET", "shop:user:\0\r\n\\:\\\\\xFF"s, "id", bytes, "v", bytes}}));
}

TEST(HashMapping, ColumnsTheRowDoesNotCarryAreLeftAlone) {
  const auto m =
      map(change(ChangeKind::update, {"id"}, {{"id", "8"}, {"b", "2"}}, {{"a", "1"}, {"b", "1"}}));
  EXPECT_EQ(m.bytes, resp({{"HSET", "shop:user:8", "id", "8", "b", "2"}}));
}

TEST(HashMapping, ATableWithoutAPrimaryKeyIsNotMapped) {
  for (const auto kind : {ChangeKind::insert, ChangeKind::update, ChangeKind::remove}) {
    const auto v = change(kind, {}, {{"a", "1"}});
    EXPECT_EQ(map(v).bytes, "");
    EXPECT_EQ(map(v).counts.commands, 0U);
    EXPECT_THAT(keys_of(v), IsEmpty());
  }
}

TEST(HashMapping, TicksAndDdlAreNotMapped) {
  for (const auto kind : {ChangeKind::tick, ChangeKind::ddl})
    EXPECT_EQ(map(change(kind, {"id"}, {{"id", "1"}})).bytes, "");
}

TEST(HashMapping, ARowWithoutItsKeyIsPoisonAndAppendsNothing) {
  TextBuffer out;
  CommandCounts counts;
  std::vector<std::string> keys;
  const auto expect_poison = [&](const ChangeView& v, const char* what) {
    const auto r = HashMapping().append(v, v.rows[0], out, counts);
    ASSERT_FALSE(r.ok());
    EXPECT_EQ(r.error().cls, ErrorClass::poison);
    EXPECT_EQ(r.error().code, Errc::queue_message);
    EXPECT_THAT(r.error().what, HasSubstr("shop.user row 1.2.3.4.7.0: key column id "s + what));
    EXPECT_FALSE(HashMapping().append_keys(v, v.rows[0], keys).ok());
    EXPECT_TRUE(out.empty());
    EXPECT_EQ(counts.commands, 0U);
    EXPECT_THAT(keys, IsEmpty());
  };
  for (const auto kind : {ChangeKind::insert, ChangeKind::update, ChangeKind::remove}) {
    expect_poison(change(kind, {"id"}, {{"a", "1"}}), "is missing");
    expect_poison(change(kind, {"id"}, {{"id", {}}, {"a", "1"}}), "is NULL");
  }
  const auto old_is_null = change(ChangeKind::update, {"id"}, {{"id", "1"}}, {{"id", {}}});
  EXPECT_FALSE(HashMapping().append(old_is_null, old_is_null.rows[0], out, counts).ok());
  EXPECT_TRUE(out.empty());
}

TEST(HashMapping, ProbesOnlyKeysItWritesHashesTo) {
  EXPECT_THAT(keys_of(change(ChangeKind::insert, {"id"}, {{"id", "1"}})),
              ElementsAre("shop:user:1"));
  EXPECT_THAT(keys_of(change(ChangeKind::update, {"id"}, {{"id", "2"}}, {{"id", "1"}})),
              ElementsAre("shop:user:2"));
  EXPECT_THAT(keys_of(change(ChangeKind::remove, {"id"}, {{"id", "1"}})), IsEmpty());
}

TEST(HashMapping, CountsAddUpOverRows) {
  TextBuffer out;
  CommandCounts counts;
  const auto insert = change(ChangeKind::insert, {"id"}, {{"id", "1"}});
  const auto remove = change(ChangeKind::remove, {"id"}, {{"id", "1"}});
  ASSERT_TRUE(HashMapping().append(insert, insert.rows[0], out, counts).ok());
  ASSERT_TRUE(HashMapping().append(remove, remove.rows[0], out, counts).ok());
  EXPECT_EQ(out.view(), resp({{"HSET", "shop:user:1", "id", "1"}, {"UNLINK", "shop:user:1"}}));
  EXPECT_EQ(counts.commands, 2U);
}

TEST(KeyPart, EscapesColonAndBackslash) {
  TextBuffer out;
  append_key_part(out, "a:b\\c");
  append_key_part(out, "");
  EXPECT_EQ(out.view(), "a\\:b\\\\c");
}

}  // namespace
}  // namespace sluice::redis
