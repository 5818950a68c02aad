#include <gmock/gmock.h>

#include "unit/mapping/maps.h"

namespace sluice::mapping {
namespace {

using testing::Command;
using testing::Commands;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Maps;
using testing::Table;

const Table& users() {
  static const Table kUsers({{"id", "int"}, {"name", "varchar(20)"}, {"note", "text"}}, {"id"});
  return kUsers;
}

TEST(DefaultMapping, InsertSetsTheColumnsThatAreNotNull) {
  Maps map("");
  EXPECT_EQ(map(users().insert({"8", "LL", {}})),
            (Commands{{"HSET", "shop:user:8", "id", "8", "name", "LL"}}));
  EXPECT_EQ(map(users().insert({"8", "", "x"})),
            (Commands{{"HSET", "shop:user:8", "id", "8", "name", "", "note", "x"}}));
}

TEST(DefaultMapping, DeleteUnlinksTheKey) {
  Maps map("");
  EXPECT_EQ(map(users().remove({"8", "LL", {}})), (Commands{{"UNLINK", "shop:user:8"}}));
}

TEST(DefaultMapping, UpdateSetsEverythingAndDeletesFieldsThatBecameNull) {
  Maps map("");
  EXPECT_EQ(
      map(users().update({"8", "a", "b"}, {"8", {}, "c"})),
      (Commands{{"HSET", "shop:user:8", "id", "8", "note", "c"}, {"HDEL", "shop:user:8", "name"}}));
  EXPECT_EQ(map(users().update({"8", {}, "b"}, {"8", {}, "c"})),
            (Commands{{"HSET", "shop:user:8", "id", "8", "note", "c"}}));
  EXPECT_EQ(
      map(users().update({"8", "a", "b"}, {"8", {}, {}})),
      (Commands{{"HSET", "shop:user:8", "id", "8"}, {"HDEL", "shop:user:8", "name", "note"}}));
}

TEST(DefaultMapping, KeyChangeUnlinksTheOldKeyAndSetsTheNewOne) {
  Maps map("");
  EXPECT_EQ(map(users().update({"8", "a", "b"}, {"9", "a", {}})),
            (Commands{{"UNLINK", "shop:user:8"}, {"HSET", "shop:user:9", "id", "9", "name", "a"}}));
}

TEST(DefaultMapping, KeyPartsStandInKeyOrderAndDoNotRunTogether) {
  const Table table({{"a", "varchar(9)"}, {"b", "varchar(9)"}}, {"b", "a"});
  Maps map("");
  const auto key = [&](const std::string& b, const std::string& a) {
    return map(table.remove({a, b})).at(0).at(1);
  };
  EXPECT_EQ(key("1", "23"), "shop:user:1:23");
  EXPECT_EQ(key("12", "3"), "shop:user:12:3");
  EXPECT_EQ(key("1:2", "3"), "shop:user:1\\:2:3");
  EXPECT_EQ(key("1", "2:3"), "shop:user:1:2\\:3");
  EXPECT_EQ(key("1\\", "2"), "shop:user:1\\\\:2");
  EXPECT_EQ(key("1\\:2", ""), "shop:user:1\\\\\\:2:");
  EXPECT_EQ(key("", ""), "shop:user::");
  EXPECT_EQ(map(table.update({"1", "2"}, {"1", "3"})),
            (Commands{{"UNLINK", "shop:user:2:1"}, {"HSET", "shop:user:3:1", "a", "1", "b", "3"}}));
}

TEST(DefaultMapping, NamesAreEscapedAndValuesKeepTheirBytes) {
  const std::string bytes = std::string("\0\r\n:\\\xFF", 6);
  const Table table({{"id", "varbinary(9)"}, {"v", "blob"}}, {"id"});
  Maps map("");
  EXPECT_EQ(map(table.insert({bytes, bytes})),
            (Commands{{"HSET", std::string("shop:user:\0\r\n\\:\\\\\xFF", 18), "id", bytes, "v",
                       bytes}}));
  ChangeView v = table.remove({"1", "2"});
  v.database = "a:b";
  v.table = "c\\d";
  EXPECT_EQ(Maps("")(v), (Commands{{"UNLINK", "a\\:b:c\\\\d:1"}}));
}

TEST(DefaultMapping, ATableWithoutAKeyIsNotMappedNorAreTicks) {
  const Table table({{"a", "int"}}, {});
  Maps map("");
  EXPECT_THAT(map(table.insert({"1"})), IsEmpty());
  EXPECT_THAT(map(table.update({"1"}, {"2"})), IsEmpty());
  EXPECT_THAT(map.keys(table.insert({"1"})), IsEmpty());
  ChangeView tick = users().insert({"1", "a", "b"});
  tick.kind = ChangeKind::tick;
  EXPECT_THAT(map(tick), IsEmpty());
}

TEST(DefaultMapping, ARowWithoutItsKeyIsPoisonAndAppendsNothing) {
  Maps map("");
  for (ChangeView v :
       {users().insert({{}, "a", "b"}), users().update({{}, "a", "b"}, {{}, "c", "b"}),
        users().remove({{}, "a", "b"})}) {
    const Error null = map.refusal(v);
    EXPECT_EQ(null.cls, ErrorClass::poison);
    EXPECT_EQ(null.code, Errc::queue_message);
    EXPECT_EQ(null.what, "shop.user row 1.2.3.4.7.0: key column id is NULL");
    v.fields.erase(v.fields.begin());
    v.rows[0].data_end -= 1;
    v.rows[0].old_begin -= 1;
    v.rows[0].old_end -= 1;
    EXPECT_THAT(map.refusal(v).what, HasSubstr("row 1.2.3.4.7.0: column id is missing"));
    std::vector<TouchedKey> keys;
    EXPECT_EQ(map.mapper().append_keys(v, v.rows[0], keys).ok(), v.kind == ChangeKind::remove);
    EXPECT_THAT(keys, IsEmpty());
  }
}

TEST(DefaultMapping, ProbesOnlyKeysItWritesHashesTo) {
  Maps map("");
  EXPECT_THAT(map.keys(users().insert({"1", "a", "b"})), ElementsAre("hash shop:user:1"));
  EXPECT_THAT(map.keys(users().update({"1", "a", "b"}, {"2", "a", "b"})),
              ElementsAre("hash shop:user:2"));
  EXPECT_THAT(map.keys(users().remove({"1", "a", "b"})), IsEmpty());
}

TEST(DefaultMapping, ColumnsTheRowDoesNotCarryAreLeftAlone) {
  ChangeView v = users().update({"8", "a", "b"}, {"8", "c", {}});
  v.fields.erase(v.fields.begin() + 2);  // note, of the row as it is
  v.rows[0].data_end -= 1;
  v.rows[0].old_begin -= 1;
  v.rows[0].old_end -= 1;
  EXPECT_EQ(Maps("")(v), (Commands{{"HSET", "shop:user:8", "id", "8", "name", "c"}}));
}

TEST(DefaultMapping, TablesThatChangeAreMadeAnew) {
  Maps map("");
  const Table wide({{"id", "int"}, {"a", "int"}, {"b", "int"}}, {"id"});
  ChangeView v = wide.insert({"1", "2", "3"});
  EXPECT_EQ(map(users().insert({"1", "x", {}})).at(0).size(), 6U);
  ChangeView::Shown later = *v.shown;
  later.id = 2;
  v.shown = &later;
  EXPECT_EQ(map(v), (Commands{{"HSET", "shop:user:1", "id", "1", "a", "2", "b", "3"}}));
  v.pk_names = {"a"};
  EXPECT_EQ(map(v).at(0).at(1), "shop:user:2") << "another key, of the same columns";
}

TEST(HashMapping, HasAKeyColumnsTtlAndWhatStandsForNull) {
  Maps map("{key: 'u:{id}', columns: {exclude: [id]}, ttl: 1h, on_null: \"fixed '-'\"}");
  EXPECT_EQ(map(users().insert({"8", "a:b", {}})),
            (Commands{{"HSET", "u:8", "name", "a:b", "note", "-"}, {"PEXPIRE", "u:8", "3600000"}}));
  EXPECT_EQ(map(users().update({"8", "a", "x"}, {"8", {}, {}})),
            (Commands{{"HSET", "u:8", "name", "-", "note", "-"}, {"PEXPIRE", "u:8", "3600000"}}));
}

TEST(HashMapping, WritesWhatChangedWhenAskedTo) {
  Maps map("{key: 'u:{id}', write: changed}");
  EXPECT_EQ(map(users().insert({"8", "a", "b"})),
            (Commands{{"HSET", "u:8", "id", "8", "name", "a", "note", "b"}}));
  EXPECT_EQ(map(users().update({"8", "a", "b"}, {"8", "c", "b"})),
            (Commands{{"HSET", "u:8", "name", "c"}}));
  EXPECT_EQ(map(users().update({"8", "a", "b"}, {"8", "a", {}})),
            (Commands{{"HDEL", "u:8", "note"}}));
  EXPECT_EQ(map(users().update({"8", "a", "b"}, {"9", "a", "b"})),
            (Commands{{"UNLINK", "u:8"}, {"HSET", "u:9", "id", "9", "name", "a", "note", "b"}}));
}

TEST(HashMapping, SaysHowFreshItIs) {
  Maps map("{freshness: true, columns: {include: [name]}}");
  EXPECT_EQ(map(users().insert({"8", "a", {}})),
            (Commands{{"HSET", "shop:user:8", "name", "a", "_pos", "1.2.3.4.7.0", "_ts",
                       "1700000000123"}}));
}

TEST(HashMapping, ARowThatNoLongerSatisfiesTheConditionGoes) {
  Maps map("{when: \"name = 'in'\"}");
  EXPECT_THAT(map(users().insert({"8", "out", {}})), IsEmpty());
  EXPECT_THAT(map(users().insert({"8", {}, {}})), IsEmpty());
  EXPECT_EQ(map(users().insert({"8", "in", {}})).at(0).at(0), "HSET");
  EXPECT_EQ(map(users().update({"8", "out", {}}, {"8", "in", {}})),
            (Commands{{"HSET", "shop:user:8", "id", "8", "name", "in"}}));
  EXPECT_EQ(map(users().update({"8", "in", {}}, {"8", "out", {}})),
            (Commands{{"UNLINK", "shop:user:8"}}));
  EXPECT_THAT(map(users().update({"8", "out", {}}, {"8", "off", {}})), IsEmpty());
  EXPECT_THAT(map(users().remove({"8", "out", {}})), IsEmpty());
  EXPECT_EQ(map(users().remove({"8", "in", {}})), (Commands{{"UNLINK", "shop:user:8"}}));
}

TEST(HashMapping, KeepsWhatIsDeletedWhenAskedTo) {
  Maps map("{on_delete: keep}");
  EXPECT_THAT(map(users().remove({"8", "a", {}})), IsEmpty());
  EXPECT_EQ(map(users().update({"8", "a", {}}, {"9", "a", {}})).at(0),
            (Command{"UNLINK", "shop:user:8"}))
      << "a new key is no delete";
}

TEST(HashMapping, ANullInATemplatesColumnIsNoEntry) {
  Maps map("{key: 'n:{name}'}");
  EXPECT_THAT(map(users().insert({"8", {}, {}})), IsEmpty());
  EXPECT_EQ(map(users().update({"8", "a", {}}, {"8", {}, {}})), (Commands{{"UNLINK", "n:a"}}));
  EXPECT_EQ(map(users().update({"8", {}, {}}, {"8", "b", {}})),
            (Commands{{"HSET", "n:b", "id", "8", "name", "b"}}));
}

TEST(Mappings, NeverWriteKeysThatAreSluicesOwn) {
  Maps map("{key: '{name}'}");
  EXPECT_EQ(map(users().insert({"8", "sluic", {}})).at(0).at(1), "sluic");
  const Error error = map.refusal(users().insert({"8", "sluice:main:p16:0", {}}));
  EXPECT_EQ(error.cls, ErrorClass::poison);
  EXPECT_THAT(error.what, HasSubstr("its key would be one of Sluice's own, by column name"));
  Maps own("{key: 'sluice:{id}'}");
  EXPECT_THAT(own.refusal(users().insert({"8", "x", {}})).what,
              HasSubstr("key: character 1: keys that begin with sluice: are Sluice's own"));
}

TEST(Mappings, SeveralOfATableAreWrittenInTheirOrder) {
  Maps map("{key: 'a:{id}'}, {type: none}, {type: set, key: 'all', member: '{id}'}");
  EXPECT_EQ(map(users().insert({"8", "x", {}})),
            (Commands{{"HSET", "a:8", "id", "8", "name", "x"}, {"SADD", "all", "8"}}));
  EXPECT_THAT(map.keys(users().insert({"8", "x", {}})), ElementsAre("hash a:8", "set all"));
  Maps none("{type: none}");
  EXPECT_THAT(none(users().insert({"8", "x", {}})), IsEmpty());
}

TEST(Mappings, ThatDoNotFitTheTableAreAnErrorThatNamesThePlace) {
  Maps column("{key: 'u:{nmae}'}");
  EXPECT_EQ(
      column.refusal(users().insert({"8", "x", {}})).what,
      "tables[0].mappings[0] for shop.user: key: character 3: shop.user has no column nmae; it "
      "has id, name, note");
  Maps when("{when: 'size > 1'}");
  EXPECT_THAT(when.refusal(users().insert({"8", "x", {}})).what,
              HasSubstr("tables[0].mappings[0] for shop.user: when: 1:1: "));
  Maps chosen("{columns: {include: [nope]}}");
  EXPECT_THAT(chosen.refusal(users().insert({"8", "x", {}})).what, HasSubstr("columns: "));
  EXPECT_EQ(chosen.refusal(users().insert({"8", "x", {}})).cls, ErrorClass::fatal);
}

}  // namespace
}  // namespace sluice::mapping
