// What the rules of a table make of its rows: from ROWS events to lines.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "sluice/base/sha256.h"
#include "sluice/event/line_reader.h"
#include "sluice/event/rows_encoder.h"

#include "unit/event/fixture.h"

namespace sluice::event::test {
namespace {

using binlog::RowsKind;
using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::uint32_t kPartitions = 8;

std::vector<Column> order_columns() {
  return {int_column("id"),
          varchar_column("status"),
          {"total", "decimal(10,2)", DeclaredType::decimal, binlog::ColumnType::newdecimal, 10, 2},
          varchar_column("email", "latin1"),
          varbinary_column("raw")};
}

constexpr std::string_view kLarge = "800000e00a";  // 224.10
constexpr std::string_view kSmall = "800000000a";  // 0.10

// One row image of these columns.
Image order(std::int32_t id, std::string status, std::string_view total = kLarge,
            std::string email = "a@b", std::string raw = "\x01\xff") {
  Image image;
  image.int32(id).value(std::move(status)).hex(total);
  image.value(std::move(email)).value(std::move(raw));
  return image;
}

// Collects finished lines as JSON, "INSERT 5.0" and so on.
class Lines final : public LineSink {
 public:
  void take(std::uint32_t partition, LineEncoder& line) override {
    TextBuffer text, out;
    const EncodedLine done = line.finish(text);
    append_line(out, text.view(), done, true, 1);
    all.push_back(json::parse(out.view()));
    partitions.push_back(partition);
  }
  std::vector<std::string> changes() const {
    std::vector<std::string> out;
    for (const json& line : all)
      for (std::size_t i = 0; i < line["data"].size(); ++i)
        out.push_back(line["type"].get<std::string>() + " " +
                      line["data"][i]["id"].get<std::string>() + " row " +
                      std::to_string(line["rows"][i].get<int>()) + " " +
                      line["seq"].get<std::string>().substr(11));
    return out;
  }
  std::vector<json> all;
  std::vector<std::uint32_t> partitions;
};

class TableRulesTest : public ::testing::Test {
 protected:
  // Encodes the rows of one event; an update's images stand in turn.
  Status encode(RowsKind kind, const std::vector<Image>& images) {
    auto plan = plan_of(columns, {0}, options, rules);
    if (!plan) return std::move(plan).error();
    plans.push_back(*plan);
    binlog::RowsEvent event;
    event.kind = kind;
    event.width = static_cast<std::uint32_t>(columns.size());
    event.present = event.present_after = as_bytes(all_present);
    bytes.clear();
    for (const Image& image : images) append_row(bytes, columns, image);
    event.rows = as_bytes(bytes);
    const auto count = encoder.encode(**plan, event, context(), lines);
    if (!count) return count.error();
    taken = *count;
    return {};
  }
  void expect_ok(const Status& s) { EXPECT_TRUE(s.ok()) << to_string(s.error()); }
  void condition(std::string_view text) { rules.when = expr::Condition::parse(text).value(); }
  // The only row of the only line.
  json data(std::size_t line = 0) { return lines.all.at(line)["data"][0]; }

  std::vector<Column> columns = order_columns();
  RenderOptions options;
  TableRules rules;
  RowsEncoder encoder{kPartitions};
  Lines lines;
  std::uint64_t taken = 0;
  std::vector<std::shared_ptr<const TablePlan>> plans;

 private:
  std::string all_present = "\x1f";
  std::string bytes;
};

TEST_F(TableRulesTest, WithoutRulesAllIsShown) {
  expect_ok(encode(RowsKind::insert, {order(5, "new")}));
  EXPECT_EQ(taken, 1U);
  EXPECT_EQ(data(), json::parse(R"({"id":"5","status":"new","total":"224.10","email":"a@b",)"
                                R"("raw":"\u0001\u00ff"})"));
  const TablePlan& plan = *plans[0];
  for (const RowsKind kind : {RowsKind::insert, RowsKind::update, RowsKind::remove})
    EXPECT_TRUE(plan.takes(kind));
  EXPECT_FALSE(plan.has_condition());
  EXPECT_THAT(plan.unknown_columns(), IsEmpty());
}

TEST_F(TableRulesTest, OperationsAreThoseOfTheSource) {
  rules.updates = false;
  const auto plan = plan_of(columns, {0}, {}, rules);
  ASSERT_TRUE(plan.ok());
  EXPECT_TRUE((*plan)->takes(RowsKind::insert));
  EXPECT_FALSE((*plan)->takes(RowsKind::update));
  EXPECT_TRUE((*plan)->takes(RowsKind::remove));
}

TEST_F(TableRulesTest, RowsThatDoNotSatisfyTheConditionAreLeftOut) {
  condition("status = 'active' and total > 10");
  expect_ok(encode(RowsKind::insert, {order(1, "active"), order(2, "gone"), order(3, "active"),
                                      order(4, "active", kSmall)}));
  EXPECT_EQ(taken, 2U);
  expect_ok(encode(RowsKind::remove, {order(1, "gone"), order(2, "active")}));
  EXPECT_EQ(taken, 1U);
  EXPECT_THAT(lines.changes(), testing::UnorderedElementsAre("INSERT 1 row 0 0", "INSERT 3 row 2 0",
                                                             "DELETE 2 row 1 0"));
}

// Redis then holds exactly the rows that satisfy it.
TEST_F(TableRulesTest, AnUpdateIntoTheConditionIsAnInsertAndOutOfItADelete) {
  condition("status = 'active'");
  expect_ok(encode(RowsKind::update, {order(1, "new"), order(1, "active"),   // comes
                                      order(2, "active"), order(2, "gone"),  // goes
                                      order(3, "new"), order(3, "gone"),     // never
                                      order(4, "active", kSmall), order(4, "active")}));
  EXPECT_EQ(taken, 3U);
  EXPECT_THAT(lines.changes(), testing::UnorderedElementsAre("INSERT 1 row 0 0", "DELETE 2 row 1 0",
                                                             "UPDATE 4 row 3 0"));
  for (const json& line : lines.all) {
    EXPECT_EQ(line["data"][0]["status"], "active");
    EXPECT_EQ(line["old"],
              line["type"] == "UPDATE" ? json::parse(R"([{"total":"0.10"}])") : json());
  }
}

TEST_F(TableRulesTest, AKeyChangeIsHalvedOnlyWhereBothHalvesSatisfyTheCondition) {
  condition("status = 'active'");
  expect_ok(encode(RowsKind::update,
                   {order(1, "active"), order(11, "active"), order(2, "new"), order(12, "active"),
                    order(3, "active"), order(13, "gone"), order(4, "new"), order(14, "gone")}));
  EXPECT_THAT(lines.changes(),
              testing::UnorderedElementsAre("DELETE 1 row 0 0", "INSERT 11 row 0 1",
                                            "INSERT 12 row 1 0", "DELETE 3 row 2 0"));
  // Each goes where the rows of its key go.
  TextBuffer scratch;
  for (std::size_t i = 0; i < lines.all.size(); ++i)
    EXPECT_EQ(lines.partitions[i],
              *plans[0]->partition(
                  order(std::stoi(lines.all[i]["data"][0]["id"].get<std::string>()), "").cells(),
                  kPartitions, scratch));
}

TEST_F(TableRulesTest, NullSatisfiesNothing) {
  condition("email = 'a@b' or not email = 'a@b'");
  Image none = Image().int32(1).value("x").hex(kLarge).null().value("");
  expect_ok(encode(RowsKind::insert, {none, order(2, "x")}));
  EXPECT_THAT(lines.changes(), ElementsAre("INSERT 2 row 1 0"));
}

TEST_F(TableRulesTest, ConditionsSeeCharactersAndBytesAndColumnsThatAreNotShown) {
  rules.hidden_columns = {"email"};
  rules.masks = {{"raw", ColumnMask::Kind::null, ""}};
  condition("email = 'ä' and raw like '__' and raw <> 'ab'");
  expect_ok(encode(RowsKind::insert,
                   {order(1, "x", kLarge, "\xe4", "\xff\x80"),
                    order(2, "x", kLarge, "a", "\xff\x80"), order(3, "x", kLarge, "\xe4", "ab")}));
  EXPECT_THAT(lines.changes(), ElementsAre("INSERT 1 row 0 0"));
}

TEST_F(TableRulesTest, ColumnsAreChosenByNameInAnyCase) {
  rules.shown_columns = {"ID", "Email", "raw"};
  rules.hidden_columns = {"RAW"};
  expect_ok(encode(RowsKind::insert, {order(5, "new")}));
  EXPECT_EQ(data(), json::parse(R"({"id":"5","email":"a@b"})"));
  EXPECT_EQ(lines.all[0]["mysqlType"], json::parse(R"j({"id":"int","email":"varchar(255)"})j"));
  EXPECT_EQ(lines.all[0]["sqlType"], json::parse(R"({"id":4,"email":12})"));
}

TEST_F(TableRulesTest, AnUpdateOfWhatIsNotShownIsLeftOut) {
  rules.hidden_columns = {"status"};
  rules.masks = {{"email", ColumnMask::Kind::fixed, "x"}};
  expect_ok(encode(RowsKind::update,
                   {order(1, "a"), order(1, "b"), order(2, "a"), order(2, "a", kLarge, "other"),
                    order(3, "a"), order(3, "b", kSmall), order(4, "a"), order(40, "b")}));
  EXPECT_EQ(taken, 2U);
  EXPECT_THAT(lines.changes(), testing::UnorderedElementsAre("UPDATE 3 row 2 0", "DELETE 4 row 3 0",
                                                             "INSERT 40 row 3 1"));
  for (const json& line : lines.all)
    if (line["type"] == "UPDATE") {
      EXPECT_EQ(line["old"], json::parse(R"([{"total":"224.10"}])"));
    }
}

TEST_F(TableRulesTest, MasksStandForValues) {
  rules.masks = {{"status", ColumnMask::Kind::null, ""},
                 {"email", ColumnMask::Kind::sha256, ""},
                 {"raw", ColumnMask::Kind::sha256, ""},
                 {"total", ColumnMask::Kind::fixed, "a \"b\" ö"}};
  rules.salt = Secret("pepper");
  options.binary_base64 = true;
  expect_ok(encode(RowsKind::insert, {order(5, "new", kLarge, "\xe4"),
                                      Image().int32(6).null().null().null().null()}));
  // sha256 of "pepperä" in UTF-8, and of "pepper" 01 FF.
  const json& rows = lines.all[0]["data"];
  EXPECT_EQ(rows[0]["status"], nullptr);
  EXPECT_EQ(rows[0]["email"], "3d6bd5eae99e8b56c3151777ea60c69be9806912dbfee4c3567786fbf11c5460");
  EXPECT_EQ(rows[0]["raw"], "5b9f4bc5c291e20d2a652b18dde2500e4fec95a03eddaa3e9ba116875f427086");
  EXPECT_EQ(rows[0]["total"], "a \"b\" ö");
  EXPECT_EQ(lines.all[0]["mysqlType"],
            json::parse(R"j({"id":"int","status":"varchar(255)","total":"varchar(7)",)j"
                        R"j("email":"char(64)","raw":"char(64)"})j"));
  EXPECT_EQ(lines.all[0]["sqlType"],
            json::parse(R"({"id":4,"status":12,"total":12,"email":1,"raw":1})"));
}

TEST_F(TableRulesTest, OldHoldsHashesAndNothingOfConstants) {
  rules.masks = {{"status", ColumnMask::Kind::null, ""},
                 {"email", ColumnMask::Kind::sha256, ""},
                 {"total", ColumnMask::Kind::fixed, "x"}};
  expect_ok(encode(RowsKind::update, {order(1, "a", kLarge, "old"), order(1, "b", kSmall, "new")}));
  const auto hash = [](std::string_view text) {
    const auto hex = Sha256().update(text).hex();
    return std::string(hex.begin(), hex.end());
  };
  EXPECT_EQ(lines.all[0]["old"], json::array({{{"email", hash("old")}}}));
  EXPECT_EQ(data()["email"], hash("new"));
}

TEST_F(TableRulesTest, AKeyCanBeShownAsItsHashAndStaysWhereItWas) {
  expect_ok(encode(RowsKind::insert, {order(5, "new")}));
  rules.masks = {{"id", ColumnMask::Kind::sha256, ""}};
  expect_ok(encode(RowsKind::insert, {order(5, "new")}));
  EXPECT_EQ(lines.all[1]["data"][0]["id"],
            "ef2d127de37b942baad06145e54b0c619a1f22327b2ebbcfbec78f5564afe39d");
  EXPECT_EQ(lines.all[1]["pkNames"], json::array({"id"}));
  EXPECT_EQ(lines.partitions[0], lines.partitions[1]);
}

TEST_F(TableRulesTest, RefusesToHideWhatTellsRowsApart) {
  const auto refused = [this] {
    const Status s = encode(RowsKind::insert, {order(5, "new")});
    EXPECT_FALSE(s.ok());
    EXPECT_EQ(s.error().code, Errc::config_invalid);
    return s.error().what;
  };
  rules.shown_columns = {"status"};
  EXPECT_EQ(refused(),
            "shop.user: column id is part of the key, which tells rows apart: "
            "`columns` must not leave it out");
  rules = {};
  rules.hidden_columns = {"Id"};
  EXPECT_THAT(refused(), HasSubstr("column id is part of the key"));
  for (const auto kind : {ColumnMask::Kind::null, ColumnMask::Kind::fixed}) {
    rules = {};
    rules.masks = {{"id", kind, "x"}};
    EXPECT_THAT(refused(), HasSubstr("`mask` must keep it apart, as sha256 does"));
  }
}

TEST_F(TableRulesTest, AConditionThatDoesNotFitTheTableIsRefusedWithItsPlace) {
  condition("status = 'a' and\n  cost > 1");
  Status s = encode(RowsKind::insert, {order(5, "new")});
  ASSERT_FALSE(s.ok());
  EXPECT_EQ(s.error().code, Errc::config_invalid);
  EXPECT_EQ(s.error().what, "shop.user: when: 2:3: the table has no column `cost`");
  condition("status > 1");
  s = encode(RowsKind::insert, {order(5, "new")});
  ASSERT_FALSE(s.ok());
  EXPECT_EQ(s.error().what, "shop.user: when: 1:10: `status` is text, 1 is a whole number");
}

TEST_F(TableRulesTest, NamesThatTheTableLacksAreKept) {
  rules.shown_columns = {"id", "status", "phone"};
  rules.hidden_columns = {"mobile"};
  rules.masks = {{"fax", ColumnMask::Kind::null, ""}, {"status", ColumnMask::Kind::null, ""}};
  expect_ok(encode(RowsKind::insert, {order(5, "new")}));
  EXPECT_THAT(plans[0]->unknown_columns(), ElementsAre("phone", "mobile", "fax"));
  EXPECT_EQ(data(), json::parse(R"({"id":"5","status":null})"));
}

TEST_F(TableRulesTest, RowsGoByTheLogicalName) {
  rules.database = "mall";
  rules.table = "orders";
  expect_ok(encode(RowsKind::insert, {order(5, "new")}));
  EXPECT_EQ(lines.all[0]["database"], "mall");
  EXPECT_EQ(lines.all[0]["table"], "orders");
  // The partition is that of a table of this name.
  auto map = map_of(columns);
  map.database = "mall";
  map.table = "orders";
  const auto plain = TablePlan::make(map, schema_of(columns, {0}), {}, {});
  TextBuffer scratch;
  bool differs = false;
  const auto other = plan_of(columns, {0});
  for (std::int32_t id = 0; id < 20; ++id) {
    const Image image = order(id, "");
    const auto cells = image.cells();
    const auto p = plans[0]->partition(cells, kPartitions, scratch);
    EXPECT_EQ(*p, *(*plain)->partition(cells, kPartitions, scratch));
    differs = differs || *p != *(*other)->partition(cells, kPartitions, scratch);
  }
  EXPECT_TRUE(differs);
  EXPECT_EQ(plans[0]->map().table, "user");
}

TEST_F(TableRulesTest, AHashedBinaryColumnIsTextToTheReader) {
  rules.masks = {{"raw", ColumnMask::Kind::sha256, ""}};
  options.binary_base64 = true;
  expect_ok(encode(RowsKind::insert, {order(5, "new")}));
  LineReader reader(true);
  const std::string body = lines.all[0].dump() + "\n";
  reader.open(body);
  const auto view = reader.next();
  ASSERT_TRUE(view.ok()) << to_string(view.error());
  for (const ChangeView::Field& field : (*view)->fields) {
    if (field.name != "raw") continue;
    EXPECT_EQ(field.value.size(), 64U);
    EXPECT_FALSE(field.binary);
    return;
  }
  ADD_FAILURE() << body;
}

// Partial images: the condition needs its columns, an insert all of them.
class PartialImages : public ::testing::Test {
 protected:
  static std::shared_ptr<const TablePlan> plan(std::string_view when) {
    TableRules rules;
    rules.when = expr::Condition::parse(when).value();
    return plan_of({int_column("id"), varchar_column("a"), int_column("b")}, {0}, {}, rules)
        .value();
  }
  ConditionScratch scratch;
};

TEST_F(PartialImages, AreReadTogether) {
  const auto p = plan("b > 1");
  const Image image = Image().int32(1).absent().int32(2);
  const auto before = image.cells();
  EXPECT_TRUE(*p->satisfies(Image().absent().value("x").absent().cells(), before, scratch));
  EXPECT_FALSE(*p->satisfies(Image().absent().absent().int32(1).cells(), before, scratch));
}

TEST_F(PartialImages, AreRefusedWhereTheyDoNotDo) {
  const auto p = plan("a = 'x'");
  const auto lacking = p->satisfies(Image().int32(1).absent().int32(2).cells(), {}, scratch);
  ASSERT_FALSE(lacking.ok());
  EXPECT_EQ(lacking.error().code, Errc::binlog_unsupported);
  EXPECT_THAT(lacking.error().what, testing::StartsWith("shop.user.a: the row image lacks"));
  EXPECT_TRUE(p->check_whole(Image().absent().value("x").absent().cells(),
                             Image().int32(1).absent().int32(2).cells())
                  .ok());
  EXPECT_THAT(p->check_whole(Image().absent().value("x").absent().cells(),
                             Image().int32(1).absent().absent().cells())
                  .error()
                  .what,
              testing::StartsWith("shop.user.b: the row image of a row that comes"));
}

// Every type a condition can ask of, through the bytes of the binlog.
TEST(RowConditionTypes, AreReadFromTheBinlogsBytes) {
  struct Case {
    Column column;
    std::string_view bytes;
    std::string_view holds;
  };
  using D = DeclaredType;
  using T = binlog::ColumnType;
  const std::vector<Case> cases{
      {{"c", "tinyint", D::tinyint, T::tiny}, "ff", "c = -1"},
      {{"c", "tinyint unsigned", D::tinyint, T::tiny, 0, 0, true}, "ff", "c = 255"},
      {{"c", "smallint", D::smallint, T::short_}, "0080", "c = -32768"},
      {{"c", "mediumint", D::mediumint, T::int24}, "ffffff", "c = -1"},
      {{"c", "mediumint unsigned", D::mediumint, T::int24, 0, 0, true}, "ffffff", "c = 16777215"},
      {{"c", "bigint", D::bigint, T::longlong}, "0000000000000080", "c = -9223372036854775808"},
      {{"c", "bigint unsigned", D::bigint, T::longlong, 0, 0, true},
       "ffffffffffffffff",
       "c = 18446744073709551615 and c > 18446744073709551614.5"},
      {{"c", "bit(12)", D::bit, T::bit, 12}, "0fff", "c = 4095"},
      {{"c", "year", D::year, T::year}, "7c", "c = 2024"},
      {{"c", "float", D::float_, T::float_, 4}, "cdcccc3d", "c = 0.1"},
      {{"c", "double", D::double_, T::double_, 8}, "9a9999999999b93f", "c = 0.1 and c < 1"},
      {{"c", "date", D::date, T::date}, "50d00f", "c = '2024-02-16' and c < '2024-02-16 00:00:01'"},
      {{"c", "timestamp", D::timestamp, T::timestamp2}, "6a48dc40", "c > '2026-07-04 10:00:00'"},
      {{"c", "enum('a','b')", D::enum_, T::enum_, 1, 0, false, "utf8mb4", {"a", "b"}},
       "02",
       "c = 'b' and c like 'b%'"},
      {{"c", "json", D::json, T::json, 4}, "0401", "c is not null"},
  };
  for (const Case& c : cases) {
    TableRules rules;
    rules.when = expr::Condition::parse(c.holds).value();
    const auto plan = plan_of({int_column("id"), c.column}, {0}, {}, rules);
    ASSERT_TRUE(plan.ok()) << c.holds << ' ' << to_string(plan.error());
    ConditionScratch scratch;
    const auto holds = (*plan)->satisfies(Image().int32(1).hex(c.bytes).cells(), {}, scratch);
    ASSERT_TRUE(holds.ok()) << c.holds << ' ' << to_string(holds.error());
    EXPECT_TRUE(*holds) << c.column.mysql_type << ' ' << c.holds;
    const auto null = (*plan)->satisfies(Image().int32(1).null().cells(), {}, scratch);
    EXPECT_FALSE(*null) << c.holds;
  }
}

}  // namespace
}  // namespace sluice::event::test
