#include "sluice/event/line_encoder.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "sluice/event/line_reader.h"

#include "unit/event/fixture.h"

namespace sluice::event::test {
namespace {

class LineEncoderTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto made = plan_of({int_column("id", true), varchar_column("name"), int_column("age")});
    ASSERT_TRUE(made.ok());
    plan = *made;
  }
  void add(std::uint64_t row, const Image& data, const Image& before = {}) {
    const Status s = encoder.add(row, data.cells(), before.cells());
    ASSERT_TRUE(s.ok()) << to_string(s.error());
  }
  std::shared_ptr<const TablePlan> plan;
  LineEncoder encoder;
};

TEST_F(LineEncoderTest, WritesAnInsertWithTypes) {
  encoder.begin(*plan, ChangeKind::insert, 0, context());
  add(0, Image().int32(8).value("LL").null());
  EXPECT_EQ(
      finished(encoder),
      R"({"data":[{"id":"8","name":"LL","age":null}],"database":"shop","es":1693995485000,)"
      R"("gtid":"3e11fa47-71ca-11e1-9e33-c80aa9429562:23","id":4,"isDdl":false,)"
      R"j("mysqlType":{"id":"int unsigned","name":"varchar(255)","age":"int"},"old":null,"pkNames":["id"],)j"
      R"("rows":[0],"seq":"1.3.4711.0.0","sql":"","sqlType":{"id":-5,"name":12,"age":4},"table":"user",)"
      R"("ts":1693995485234,"type":"INSERT"})"
      "\n");
}

TEST_F(LineEncoderTest, LeavesTheTypesOutOfLaterLines) {
  encoder.begin(*plan, ChangeKind::remove, 1, context());
  add(5, Image().int32(8).null().int32(-3));
  add(7, Image().int32(9).value("x").null());
  EXPECT_EQ(
      finished(encoder, false, 12),
      R"({"data":[{"id":"8","name":null,"age":"-3"},{"id":"9","name":"x","age":null}],"database":"shop",)"
      R"("es":1693995485000,"gtid":"3e11fa47-71ca-11e1-9e33-c80aa9429562:23","id":12,"isDdl":false,"old":null,)"
      R"("pkNames":["id"],"rows":[5,7],"seq":"1.3.4711.0.1","sql":"","table":"user","ts":1693995485234,)"
      R"("type":"DELETE"})"
      "\n");
}

TEST_F(LineEncoderTest, WritesOldWithExactlyTheColumnsThatChanged) {
  encoder.begin(*plan, ChangeKind::update, 0, context());
  add(0, Image().int32(8).value("new").null(), Image().int32(8).value("old").int32(1));
  add(1, Image().int32(9).value("").int32(1), Image().int32(9).null().int32(1));
  add(2, Image().int32(9).value("a").int32(1), Image().int32(9).value("a").int32(1));
  const std::string line = finished(encoder);
  EXPECT_NE(line.find(R"("old":[{"name":"old","age":"1"},{"name":null},{}],)"), std::string::npos)
      << line;
  EXPECT_NE(line.find(R"("type":"UPDATE")"), std::string::npos);
}

TEST_F(LineEncoderTest, TakesFromTheBeforeImageWhatTheAfterImageLeavesOut) {
  encoder.begin(*plan, ChangeKind::update, 0, context());
  // binlog_row_image=MINIMAL: the key before, the changed columns after.
  add(0, Image().absent().value("new").absent(), Image().int32(8).absent().absent());
  // FULL_NODUP: all before, the changed ones after.
  add(1, Image().absent().absent().int32(2), Image().int32(9).value("same").int32(1));
  const std::string line = finished(encoder);
  EXPECT_NE(line.find(R"("data":[{"id":"8","name":"new"},{"id":"9","name":"same","age":"2"}],)"),
            std::string::npos)
      << line;
  EXPECT_NE(line.find(R"("old":[{},{"age":"1"}],)"), std::string::npos) << line;
}

TEST_F(LineEncoderTest, TheInsertHalfOfAKeyChangeIsWholeToo) {
  encoder.begin(*plan, ChangeKind::insert, 1, context());
  add(0, Image().int32(9).absent().absent(), Image().int32(8).value("n").null());
  const std::string line = finished(encoder);
  EXPECT_NE(line.find(R"("data":[{"id":"9","name":"n","age":null}],)"), std::string::npos) << line;
  EXPECT_NE(line.find(R"("old":null,)"), std::string::npos) << line;
  EXPECT_NE(line.find(R"("seq":"1.3.4711.0.1")"), std::string::npos) << line;
}

TEST_F(LineEncoderTest, ARowWithoutAnyColumnIsAnEmptyObject) {
  encoder.begin(*plan, ChangeKind::insert, 0, context());
  add(0, Image().absent().absent().absent());
  add(1, Image().absent().value("a").absent());
  EXPECT_NE(finished(encoder).find(R"("data":[{},{"name":"a"}],)"), std::string::npos);
}

TEST_F(LineEncoderTest, TellsWhatItWrote) {
  encoder.begin(*plan, ChangeKind::insert, 0, context());
  EXPECT_TRUE(encoder.open());
  EXPECT_EQ(encoder.bytes(), 0U);
  add(3, Image().int32(1).null().null());
  add(9, Image().int32(1).null().null());
  EXPECT_GT(encoder.bytes(), 50U);
  TextBuffer out;
  out.append("12345");
  const EncodedLine line = encoder.finish(out);
  EXPECT_FALSE(encoder.open());
  EXPECT_EQ(line.begin, 5U);
  EXPECT_EQ(line.begin + line.size, out.size());
  EXPECT_EQ(line.rows, 2U);
  EXPECT_EQ(line.plan, plan.get());
  EXPECT_EQ(line.first.to_string(), "1.3.4711.0.3.0");
  EXPECT_EQ(line.last.to_string(), "1.3.4711.0.9.0");
}

TEST_F(LineEncoderTest, StartsAfreshAfterAnErrorAndReset) {
  encoder.begin(*plan, ChangeKind::insert, 0, context());
  EXPECT_FALSE(encoder.add(0, Image().int32(1).value("\xFF").null().cells(), {}).ok());
  encoder.reset();
  EXPECT_FALSE(encoder.open());
  encoder.begin(*plan, ChangeKind::insert, 0, context());
  add(1, Image().int32(2).null().null());
  EXPECT_EQ(nlohmann::json::parse(finished(encoder))["data"].dump(),
            R"([{"age":null,"id":"2","name":null}])");
}

TEST_F(LineEncoderTest, RefusesImagesOfAnotherWidth) {
  encoder.begin(*plan, ChangeKind::update, 0, context());
  const Status narrow = encoder.add(0, Image().int32(1).cells(), Image().int32(1).cells());
  ASSERT_FALSE(narrow.ok());
  EXPECT_EQ(narrow.error().code, Errc::internal);
  EXPECT_FALSE(encoder.add(0, Image().int32(1).null().null().cells(), {}).ok());
}

TEST_F(LineEncoderTest, CountsReplacedTexts) {
  RenderOptions replace;
  replace.invalid_text = InvalidText::replace;
  const auto lenient = plan_of({int_column("id"), varchar_column("name")}, {0}, replace);
  ASSERT_TRUE(lenient.ok());
  encoder.begin(**lenient, ChangeKind::insert, 0, context());
  add(0, Image().int32(1).value("ok"));
  EXPECT_EQ(encoder.replaced_texts(), 0U);
  add(1, Image().int32(1).value("\xFF\xFE"));
  EXPECT_EQ(encoder.replaced_texts(), 1U);
}

// {"a": 1} and its diffs.
constexpr std::string_view kDocument =
    "0001000c000b000100050100"
    "61";
constexpr std::string_view kReplaceA = "0003242e6103050700";  // $.a: 7
constexpr std::string_view kSameA = "0003242e6103050100";     // $.a: 1
constexpr std::string_view kBadDiff = "0203242e78";           // $.x, which is not there

class JsonColumnTest : public ::testing::Test {
 protected:
  std::string line(ChangeKind kind, const Image& data, const Image& before,
                   bool diff_text = false) {
    RenderOptions options;
    options.json_diff_text = diff_text;
    const Column document{"j", "json", DeclaredType::json, binlog::ColumnType::json, 4};
    const auto plan = plan_of({int_column("id"), document}, {0}, options);
    if (!plan.ok()) return to_string(plan.error());
    LineEncoder encoder;
    encoder.begin(**plan, kind, 0, context());
    if (const Status s = encoder.add(0, data.cells(), before.cells()); !s.ok())
      return to_string(s.error());
    const auto whole = nlohmann::json::parse(finished(encoder));
    return whole["data"].dump() + " " + whole["old"].dump();
  }
};

TEST_F(JsonColumnTest, ADiffIsAppliedToTheDocumentBefore) {
  const Image before = Image().int32(1).hex(kDocument);
  EXPECT_EQ(line(ChangeKind::update, Image().int32(1).diff(kReplaceA), before),
            R"j([{"id":"1","j":"{\"a\": 7}"}] [{"j":"{\"a\": 1}"}])j");
  // The insert half of a key change has the whole document, too.
  EXPECT_EQ(line(ChangeKind::insert, Image().int32(2).diff(kReplaceA), before),
            R"j([{"id":"2","j":"{\"a\": 7}"}] null)j");
}

TEST_F(JsonColumnTest, OldHasTheDocumentOnlyWhenItsTextChanged) {
  const Image before = Image().int32(1).hex(kDocument);
  EXPECT_EQ(line(ChangeKind::update, Image().int32(1).diff(kSameA), before),
            R"j([{"id":"1","j":"{\"a\": 1}"}] [{}])j");
  EXPECT_EQ(line(ChangeKind::update, Image().int32(1).diff(""), before),
            R"j([{"id":"1","j":"{\"a\": 1}"}] [{}])j");
}

TEST_F(JsonColumnTest, ADiffWithoutItsDocumentIsAnErrorWithTheRemedyOrAnExpression) {
  const Image before = Image().int32(1).absent();
  EXPECT_EQ(line(ChangeKind::update, Image().absent().diff(kReplaceA), before),
            "binlog.unsupported: shop.user.j: a JSON diff without the document it changes (set "
            "binlog_row_image=FULL or binlog_row_value_options='' on the source)");
  EXPECT_EQ(line(ChangeKind::update, Image().absent().diff(kReplaceA), before, true),
            R"j([{"id":"1","j":"JSON_REPLACE(@, '$.a', 7)"}] [{}])j");
  // With the document there is no need for it; of what has no diffs nothing is said.
  EXPECT_EQ(line(ChangeKind::update, Image().absent().diff(kReplaceA),
                 Image().int32(1).hex(kDocument), true),
            R"j([{"id":"1","j":"{\"a\": 7}"}] [{"j":"{\"a\": 1}"}])j");
  EXPECT_EQ(line(ChangeKind::update, Image().absent().diff(""), before), R"j([{"id":"1"}] [{}])j");
}

TEST_F(JsonColumnTest, ADiffThatDoesNotFitIsRefused) {
  const std::string refused =
      "binlog.malformed: shop.user.j: a JSON diff that does not fit the document of the before "
      "image";
  EXPECT_EQ(
      line(ChangeKind::update, Image().int32(1).diff(kBadDiff), Image().int32(1).hex(kDocument)),
      refused);
  EXPECT_EQ(line(ChangeKind::update, Image().int32(1).diff(kReplaceA), Image().int32(1).null()),
            refused);
  EXPECT_EQ(line(ChangeKind::update, Image().int32(1).diff("03"), Image().int32(1).absent(), true),
            refused);
}

TEST(LineEncoder, PkNamesFallBackToTheRowKeyAndAreNullWithoutOne) {
  const std::vector<Column> columns = {int_column("a"), int_column("b\"")};
  TableSchema schema = schema_of(columns, {});
  const auto line_of = [&](const TableSchema& s) {
    const auto plan = TablePlan::make(map_of(columns), s, {}, {});
    EXPECT_TRUE(plan.ok());
    LineEncoder encoder;
    encoder.begin(**plan, ChangeKind::insert, 0, context());
    EXPECT_TRUE(encoder.add(0, Image().int32(1).int32(2).cells(), {}).ok());
    return finished(encoder);
  };
  EXPECT_NE(line_of(schema).find(R"("pkNames":null,)"), std::string::npos);
  schema.unique_keys = {{"nullable", {0}, true, false}, {"u", {1, 0}, false, false}};
  EXPECT_NE(line_of(schema).find(R"("pkNames":["b\"","a"],)"), std::string::npos);
  schema.primary_key = {0};
  EXPECT_NE(line_of(schema).find(R"("pkNames":["a"],)"), std::string::npos);
}

TEST(Tick, IsALineOfItsOwn) {
  TextBuffer out;
  append_tick(out, {2, "binlog.000003", 3, 4711, "0-1-100", 1693995485000});
  EXPECT_EQ(
      out.view(),
      R"({"type":"TICK","seq":"2.3.4711.0.0","file":"binlog.000003","pos":4711,"gtid":"0-1-100","es":1693995485000})"
      "\n");
}

TEST(DdlLine, IsAFlatMessageThatAReaderTakesForDdl) {
  TextBuffer out;
  append_ddl(out,
             {{1, 3, 4711},
              "ALTER",
              "sh\"op",
              "orders",
              "ALTER TABLE orders\n  ADD \xC5\x82 INT",
              "0-1-100",
              1693995485000,
              1693995485234},
             7);
  EXPECT_EQ(
      out.view(),
      R"({"data":null,"database":"sh\"op","es":1693995485000,"gtid":"0-1-100","id":7,"isDdl":true,)"
      R"("mysqlType":null,"old":null,"pkNames":null,"rows":null,"seq":"1.3.4711.0.0",)"
      R"("sql":"ALTER TABLE orders\n  ADD )"
      "\xC5\x82"
      R"( INT","sqlType":null,"table":"orders","ts":1693995485234,"type":"ALTER"})"
      "\n");
  EXPECT_TRUE(nlohmann::json::accept(out.view()));
  LineReader reader;
  reader.open(out.view());
  const auto line = reader.next();
  ASSERT_TRUE(line.ok()) << to_string(line.error());
  ASSERT_NE(*line, nullptr);
  EXPECT_EQ((*line)->kind, ChangeKind::ddl);
}

TEST(DdlLine, BytesThatAreNoTextAreWrittenAllTheSame) {
  TextBuffer out;
  append_ddl(out, {{1, 3, 4}, "CREATE", "d", "t", "CREATE TABLE t\xFF", "", 0, 0}, 1);
  EXPECT_NE(out.view().find("CREATE TABLE t\xC3\xBF\""), std::string_view::npos);
  EXPECT_TRUE(nlohmann::json::accept(out.view()));
}

}  // namespace
}  // namespace sluice::event::test
