#include "sluice/event/line_reader.h"

#include <gtest/gtest.h>

#include "unit/event/fixture.h"

namespace sluice::event::test {
namespace {

constexpr std::string_view kInsert =
    R"({"data":[{"id":"8","name":"LL"}],"database":"shop","es":5,"gtid":"g:1","id":4,"isDdl":false,)"
    R"j("mysqlType":{"id":"int","name":"varchar(255)"},"old":null,"pkNames":["id"],"rows":[0],"seq":"1.3.4711.0.0",)j"
    R"("sql":"","sqlType":{"id":4,"name":12},"table":"user","ts":6,"type":"INSERT"})"
    "\n";

// What the reader says of a body: "" when all lines are read.
std::string fault_of(std::string_view body) {
  LineReader reader;
  reader.open(body);
  for (;;) {
    auto line = reader.next();
    if (!line) {
      EXPECT_EQ(line.error().cls, ErrorClass::poison);
      EXPECT_EQ(line.error().code, Errc::queue_message);
      EXPECT_FALSE(reader.next().ok() && *reader.next() != nullptr);
      return line.error().what;
    }
    if (*line == nullptr) return "";
  }
}

std::string with(std::string_view from, std::string_view to, std::string_view line = kInsert) {
  std::string out(line);
  const auto at = out.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return out.replace(at, from.size(), to);
}

std::string fields_of(std::span<const ChangeView::Field> fields) {
  std::string out;
  for (const auto& f : fields) {
    out += std::string(f.name) + (f.binary ? ":" : "=") +
           (f.is_null ? "NULL" : std::string(f.value)) + ";";
  }
  return out;
}

TEST(LineReader, ReadsWhatTheEncoderWrites) {
  const auto plan = plan_of({int_column("id"), varchar_column("na\"me"), varbinary_column("bin"),
                             binary_column("b4", 4)});
  ASSERT_TRUE(plan.ok());
  LineEncoder encoder;
  TextBuffer body;
  TextBuffer lines;
  std::string all_bytes;
  for (int i = 0; i < 256; ++i) all_bytes.push_back(static_cast<char>(i));

  encoder.begin(**plan, ChangeKind::update, 0, context());
  ASSERT_TRUE(encoder
                  .add(2, Image().int32(1).value("漢\"\n").value(all_bytes).value("ab").cells(),
                       Image().int32(1).null().value("\xFF").value("ab").cells())
                  .ok());
  ASSERT_TRUE(encoder
                  .add(5, Image().int32(2).value("x").null().hex("c3").cells(),
                       Image().int32(2).value("x").null().null().cells())
                  .ok());
  const EncodedLine update = encoder.finish(lines);
  append_line(body, lines.view().substr(update.begin, update.size), update, true, 1);
  encoder.begin(**plan, ChangeKind::remove, 1, context());
  ASSERT_TRUE(encoder.add(7, Image().int32(3).absent().value("\xE4").value("").cells(), {}).ok());
  const EncodedLine remove = encoder.finish(lines);
  append_line(body, lines.view().substr(remove.begin, remove.size), remove, false, 1);
  append_tick(body, {1, "binlog.000003", 3, 5000, "g:1-23", 7});

  LineReader reader;
  for (int round = 0; round < 3; ++round) {
    reader.open(body.view());
    auto r = reader.next();
    ASSERT_TRUE(r.ok()) << to_string(r.error());
    const ChangeView* v = *r;
    ASSERT_NE(v, nullptr);
    EXPECT_EQ(v->kind, ChangeKind::update);
    EXPECT_EQ(v->database, "shop");
    EXPECT_EQ(v->table, "user");
    EXPECT_EQ(v->gtid, context().gtid);
    EXPECT_EQ(v->es_ms, context().es_ms);
    EXPECT_EQ(v->ts_ms, context().ts_ms);
    EXPECT_EQ(v->seq, context().seq);
    EXPECT_EQ(v->pk_names, std::vector<std::string_view>{"id"});
    ASSERT_EQ(v->rows.size(), 2U);
    EXPECT_EQ(v->rows[0].index, 2U);
    EXPECT_EQ(v->rows[1].index, 5U);
    EXPECT_EQ(fields_of(v->data(v->rows[0])),
              "id=1;na\"me=漢\"\n;bin:" + all_bytes + ";b4:ab" + std::string(2, '\0') + ";");
    EXPECT_EQ(fields_of(v->old(v->rows[0])), "na\"me=NULL;bin:\xFF;");
    EXPECT_EQ(fields_of(v->data(v->rows[1])),
              "id=2;na\"me=x;bin:NULL;b4:\xC3" + std::string(3, '\0') + ";");
    EXPECT_EQ(fields_of(v->old(v->rows[1])), "b4:NULL;");

    r = reader.next();
    ASSERT_TRUE(r.ok()) << to_string(r.error());
    v = *r;
    ASSERT_NE(v, nullptr);
    EXPECT_EQ(v->kind, ChangeKind::remove);
    EXPECT_EQ(v->seq.half, 1);
    EXPECT_EQ(fields_of(v->data(v->rows[0])), "id=3;bin:\xE4;b4:" + std::string(4, '\0') + ";");
    EXPECT_TRUE(v->old(v->rows[0]).empty());

    r = reader.next();
    ASSERT_TRUE(r.ok()) << to_string(r.error());
    v = *r;
    ASSERT_NE(v, nullptr);
    EXPECT_EQ(v->kind, ChangeKind::tick);
    EXPECT_EQ(v->file, "binlog.000003");
    EXPECT_EQ(v->pos, 5000U);
    EXPECT_EQ(v->gtid, "g:1-23");
    EXPECT_EQ(v->es_ms, 7);
    EXPECT_EQ(v->seq, (Seq{1, 3, 5000, 0, 0}));
    EXPECT_TRUE(v->rows.empty());

    r = reader.next();
    ASSERT_TRUE(r.ok());
    EXPECT_EQ(*r, nullptr);
  }
}

TEST(LineReader, Base64IsReadWhenItWasWritten) {
  RenderOptions options;
  options.binary_base64 = true;
  const auto plan = plan_of({int_column("id"), varbinary_column("b")}, {0}, options);
  ASSERT_TRUE(plan.ok());
  LineEncoder encoder;
  encoder.begin(**plan, ChangeKind::insert, 0, context());
  ASSERT_TRUE(encoder.add(0, Image().int32(1).hex("00ff80").cells(), {}).ok());
  const std::string body = finished(encoder);
  LineReader reader(true);
  reader.open(body);
  auto r = reader.next();
  ASSERT_TRUE(r.ok()) << to_string(r.error());
  EXPECT_EQ((*r)->fields[1].value, unhex("00ff80"));
}

TEST(LineReader, TypesAreKeptPerTableAndForgottenWithTheMessage) {
  const std::string other =
      with(R"("table":"user")", R"("table":"item")", with(R"("name":12)", R"("name":2004)"));
  const std::string bare = with(R"("sqlType":{"id":4,"name":12},)", "");
  const std::string bare_other = with(R"("table":"user")", R"("table":"item")", bare);
  const std::string body = std::string(kInsert) + other + bare + bare_other;
  LineReader reader;
  reader.open(body);
  for (const bool binary : {false, true, false, true}) {
    auto r = reader.next();
    ASSERT_TRUE(r.ok()) << to_string(r.error());
    EXPECT_EQ((*r)->fields[1].binary, binary);
    EXPECT_FALSE((*r)->fields[0].binary);
  }
  reader.open(bare);
  const auto r = reader.next();
  ASSERT_FALSE(r.ok());
  EXPECT_EQ(r.error().what, "line 1: no line of this table in the message has had \"sqlType\"");
}

TEST(LineReader, PassesOverMembersThatAreNotOurs) {
  EXPECT_EQ(fault_of(with(R"("es":5)", R"("encrypted":{"a":[1,{"data":null}]},"es":5)")), "");
}

TEST(LineReader, ALineWithoutLineFeedAtTheEndIsRead) {
  EXPECT_EQ(fault_of(kInsert.substr(0, kInsert.size() - 1)), "");
  EXPECT_EQ(fault_of(""), "");
}

TEST(LineReader, EveryMissingMemberIsNamed) {
  const std::vector<std::pair<std::string, std::string>> members = {
      {R"("database":"shop",)", "database"}, {R"("es":5,)", "es"},
      {R"("gtid":"g:1",)", "gtid"},          {R"("id":4,"isDdl")", ""},
      {R"("isDdl":false,)", "isDdl"},        {R"("old":null,)", "old"},
      {R"("pkNames":["id"],)", "pkNames"},   {R"("rows":[0],)", "rows"},
      {R"("seq":"1.3.4711.0.0",)", "seq"},   {R"("sql":"",)", "sql"},
      {R"("table":"user",)", "table"},       {R"("ts":6,)", "ts"}};
  for (const auto& [text, name] : members) {
    if (name.empty()) {
      EXPECT_EQ(fault_of(with(R"("id":4,"isDdl")", R"("isDdl")")), "line 1: \"id\" is missing");
    } else {
      EXPECT_EQ(fault_of(with(text, "")), "line 1: \"" + name + "\" is missing");
    }
  }
  EXPECT_EQ(fault_of(with(R"(,"type":"INSERT")", "")), "line 1: \"type\" is missing");
  EXPECT_EQ(fault_of(with(R"("data":[{"id":"8","name":"LL"}],)", R"("data":null,)")),
            "line 1: \"rows\" is longer than \"data\"");
}

TEST(LineReader, KnowsATableFromMessageToMessageAndWhenItChanges) {
  LineReader reader;
  const auto shown = [&reader](const std::string& body) {
    reader.open(body);
    const auto line = reader.next();
    EXPECT_TRUE(line.ok()) << line.error().what;
    return (*line)->shown;
  };
  const ChangeView::Shown first = *shown(with("INSERT", "INSERT"));
  ASSERT_EQ(first.columns.size(), 2U);
  EXPECT_EQ(first.columns[0].name, "id");
  EXPECT_EQ(first.columns[0].mysql_type.substr(0, 3), "int");
  EXPECT_FALSE(first.columns[1].binary);
  EXPECT_EQ(shown(with("INSERT", "INSERT"))->id, first.id);
  const ChangeView::Shown other = *shown(with("varchar(255)", "varchar(256)"));
  EXPECT_NE(other.id, first.id);
  EXPECT_EQ(other.columns[1].mysql_type, "varchar(256)");
  EXPECT_NE(shown(with(R"("table":"user")", R"("table":"other")"))->id, other.id);
}

TEST(LineReader, EveryIllTypedMemberIsNamed) {
  EXPECT_EQ(fault_of(with(R"("database":"shop")", R"("database":1)")),
            "line 1: \"database\" is not a string");
  EXPECT_EQ(fault_of(with(R"("es":5)", R"("es":"5")")), "line 1: \"es\" is not a number");
  EXPECT_EQ(fault_of(with(R"("es":5)", R"("es":5.5)")), "line 1: \"es\" is not a number");
  EXPECT_EQ(fault_of(with(R"("isDdl":false)", R"("isDdl":0)")),
            "line 1: \"isDdl\" is not a boolean");
  EXPECT_EQ(fault_of(with(R"("rows":[0])", R"("rows":["0"])")),
            "line 1: \"rows\" holds something that is not a row index");
  EXPECT_EQ(fault_of(with(R"("rows":[0])", R"("rows":[0,1])")),
            "line 1: \"rows\" is longer than \"data\"");
  EXPECT_EQ(fault_of(with(R"("rows":[0])", R"("rows":[])")),
            "line 1: \"rows\" is shorter than \"data\"");
  EXPECT_EQ(fault_of(with(R"("rows":[0])", R"("rows":null)")),
            "line 1: \"rows\" is shorter than \"data\"");
  EXPECT_EQ(fault_of(with(R"([{"id":"8","name":"LL"}])", R"([{"id":"8"},{"id":"9"}])",
                          with(R"("rows":[0])", R"("rows":[3,3])"))),
            "line 1: \"rows\" does not ascend");
  EXPECT_EQ(fault_of(with(R"([{"id":"8","name":"LL"}])", R"([["8"]])")),
            "line 1: \"data\" holds something that is not an object");
  EXPECT_EQ(fault_of(with(R"("id":"8")", R"("id":8)")),
            "line 1: \"data\" holds a value that is neither a string nor null");
  EXPECT_EQ(fault_of(with(R"("old":null)", R"("old":[{}])")), "line 1: \"old\" must be null here");
  EXPECT_EQ(fault_of(with(R"("old":null)", R"("old":[])")),
            "line 1: \"old\" has fewer rows than \"data\"");
  EXPECT_EQ(fault_of(with(R"("old":null)", R"("old":[{},{}])")),
            "line 1: \"old\" has more rows than \"data\" before it");
  EXPECT_EQ(fault_of(with("INSERT", "UPDATE")), "line 1: \"old\" is null in an update");
  EXPECT_EQ(fault_of(with("INSERT", "UPSERT")), "line 1: \"type\" is not one we know");
  EXPECT_EQ(fault_of(with("1.3.4711.0.0", "1.3.4711.0")),
            "line 1: \"1.3.4711.0\" is not a seq (epoch.file.pos.event.half)");
  EXPECT_EQ(fault_of(with(R"("sqlType":{"id":4,"name":12})", R"("sqlType":{"id":4})")),
            "line 1: \"mysqlType\" has other columns than \"sqlType\"");
  EXPECT_EQ(
      fault_of(with(R"("sqlType":{"id":4,"name":12})", R"("sqlType":{"id":4,"name":12,"x":4})")),
      "line 1: \"mysqlType\" has fewer columns than \"sqlType\"");
  EXPECT_EQ(fault_of(with(R"([{"id":"8","name":"LL"}])", R"([{"id":"8","nom":"LL"}])")),
            "line 1: \"nom\" is a column that \"sqlType\" does not have");
  EXPECT_EQ(fault_of(with(R"("name":12)", R"("name":"12")")),
            "line 1: \"sqlType\" holds something that is not a number");
  EXPECT_EQ(fault_of(with(R"("ts":6)", R"("ts":6,"ts":7)")), "line 1: \"ts\" stands there twice");
  EXPECT_EQ(fault_of(with(R"("name":12)", R"("name":2004)", with("LL", "Ā"))),
            "line 1: \"name\" is binary and holds a character above U+00FF");
}

TEST(LineReader, NamesTheLine) {
  const std::string body = std::string(kInsert) + std::string(kInsert) + with(R"("es":5,)", "");
  EXPECT_EQ(fault_of(body), "line 3: \"es\" is missing");
}

TEST(LineReader, WhatIsNotJsonIsRefused) {
  EXPECT_NE(fault_of("\n"), "");
  EXPECT_NE(fault_of("[1]\n"), "");
  EXPECT_NE(fault_of("{}\n"), "");
  EXPECT_NE(fault_of("null\n"), "");
  EXPECT_NE(fault_of(with("INSERT\"}", "INSERT\"}{}")), "");
  EXPECT_NE(fault_of(with("LL", "\xFF")), "");
}

TEST(LineReader, SurvivesACutAtEveryByte) {
  const std::string_view line = kInsert.substr(0, kInsert.size() - 1);
  for (std::size_t n = 1; n < line.size(); ++n) EXPECT_NE(fault_of(line.substr(0, n)), "") << n;
}

TEST(LineReader, ADdlLineHasNoRows) {
  const std::string ddl =
      R"({"data":null,"database":"shop","es":5,"gtid":"","id":1,"isDdl":true,"mysqlType":null,"old":null,)"
      R"("pkNames":null,"rows":[],"seq":"1.3.4711.0.0","sql":"DROP TABLE t","sqlType":null,"table":"t","ts":6,)"
      R"("type":"ERASE"})";
  LineReader reader;
  reader.open(ddl);
  auto r = reader.next();
  ASSERT_TRUE(r.ok()) << to_string(r.error());
  EXPECT_EQ((*r)->kind, ChangeKind::ddl);
  EXPECT_EQ((*r)->table, "t");
}

}  // namespace
}  // namespace sluice::event::test
