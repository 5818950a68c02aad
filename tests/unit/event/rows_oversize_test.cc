// Rows that make larger messages than are allowed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

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

// A byte of these is six in a line.
std::string large(std::size_t bytes) {
  return std::string(bytes, '\x01');
}

class Sink final : public LineSink {
 public:
  void take(std::uint32_t, LineEncoder& line) override { lines.push_back(composed(line)); }
  Status oversize(const OversizeRow& row, LineEncoder& line) override {
    rows.push_back(row);
    if (letters_come) letters.push_back(composed(line));
    return {};
  }
  std::vector<json> lines, letters;
  std::vector<std::size_t> sizes;
  std::vector<OversizeRow> rows;
  bool letters_come = false;

 private:
  json composed(LineEncoder& line) {
    TextBuffer text, out;
    const EncodedLine done = line.finish(text);
    append_line(out, text.view(), done, true, 1);
    sizes.push_back(out.size());
    return json::parse(out.view());
  }
};

// Drops the first rows it is asked about.
class Gate final : public RowGate {
 public:
  explicit Gate(int rows) : left_(rows) {}
  bool drops(std::uint32_t) override { return left_-- > 0; }

 private:
  int left_;
};

class OversizeTest : public ::testing::Test {
 protected:
  static constexpr std::size_t kMost = 3000;  // 1.3 to 1.4 thousand of it are the message's own
  Status encode(Oversize oversize, RowsKind kind, const std::vector<Image>& images) {
    plan = plan_of(columns).value();
    sink.letters_come = oversize == Oversize::dead_letter;
    RowsEncoder encoder(1, {.bytes = 1 << 20, .rows = 0, .most = kMost, .oversize = oversize});
    encoder.set_gate(gate);
    binlog::RowsEvent event;
    event.kind = kind;
    event.width = static_cast<std::uint32_t>(columns.size());
    event.present = event.present_after = as_bytes(std::string_view("\x0f"));
    std::string bytes;
    for (const Image& image : images) append_row(bytes, columns, image);
    event.rows = as_bytes(bytes);
    const auto count = encoder.encode(*plan, event, context(), sink);
    for (const std::size_t size : sink.sizes) EXPECT_LE(size, kMost);
    return count ? Status() : Status(count.error());
  }
  static Image row(std::int32_t id, std::size_t a, std::size_t b, std::string note = "n") {
    Image image;
    image.int32(id).value(large(a)).value(large(b)).value(std::move(note));
    return image;
  }
  void expect_ok(const Status& s) { EXPECT_TRUE(s.ok()) << to_string(s.error()); }
  std::vector<std::string> ids() const {
    std::vector<std::string> out;
    for (const json& line : sink.lines)
      for (const json& data : line["data"]) out.push_back(data["id"]);
    return out;
  }

  std::vector<Column> columns{int_column("id"), varbinary_column("a"), varbinary_column("b"),
                              varchar_column("note")};
  std::shared_ptr<const TablePlan> plan;
  Sink sink;
  RowGate* gate = nullptr;
};

TEST_F(OversizeTest, RowsThatFitAreCutIntoLinesThatFit) {
  expect_ok(encode(Oversize::stop, RowsKind::insert,
                   {row(1, 100, 10), row(2, 100, 10), row(3, 100, 10), row(4, 200, 0)}));
  EXPECT_THAT(ids(), ElementsAre("1", "2", "3", "4"));
  EXPECT_GE(sink.lines.size(), 2U);
  EXPECT_THAT(sink.rows, IsEmpty());
  for (const json& line : sink.lines) EXPECT_FALSE(line.contains("nulled"));
  EXPECT_EQ(sink.lines.back()["rows"].back(), 3);
}

TEST_F(OversizeTest, StopNamesTableKeySizesAndRemedy) {
  const Status s =
      encode(Oversize::stop, RowsKind::insert, {row(1, 1, 1), row(42, 255, 255), row(3, 1, 1)});
  ASSERT_FALSE(s.ok());
  EXPECT_EQ(s.error().cls, ErrorClass::fatal);
  EXPECT_EQ(s.error().code, Errc::queue_message);
  for (const char* part : {"shop.user", R"({"id":"42"})", "1.3.4711.0.1.0", "(3000)",
                           "queue.max_message_bytes", "queue.oversize", "max_message_size"})
    EXPECT_THAT(s.error().what, HasSubstr(part));
  EXPECT_EQ(s.error().what.find("u0001"), std::string::npos) << "no data of the row but its key";
}

TEST_F(OversizeTest, ADeadLetterHasTheKeyAndTheNamesOfAllColumns) {
  expect_ok(encode(Oversize::dead_letter, RowsKind::insert,
                   {row(1, 1, 1), row(2, 255, 255), row(3, 1, 1)}));
  EXPECT_THAT(ids(), ElementsAre("1", "3"));
  ASSERT_EQ(sink.lines.size(), 2U) << "what comes before the letter is a line of its own";
  ASSERT_EQ(sink.letters.size(), 1U);
  const json& letter = sink.letters[0];
  EXPECT_EQ(letter["data"][0], json::parse(R"({"id":"2","a":null,"b":null,"note":null})"));
  EXPECT_EQ(letter["rows"], json::parse("[1]"));
  EXPECT_EQ(letter["nulled"]["data"], json::parse(R"(["a","b","note"])"));
  EXPECT_TRUE(letter.contains("mysqlType"));
  ASSERT_EQ(sink.rows.size(), 1U);
  EXPECT_GT(sink.rows[0].bytes, kMost);
}

TEST_F(OversizeTest, LargestValuesAreLeftOutUntilTheRowFits) {
  expect_ok(encode(Oversize::null_column, RowsKind::insert, {row(1, 200, 255), row(2, 1, 1)}));
  ASSERT_EQ(sink.lines.size(), 2U) << "the line tells of one row";
  const json& line = sink.lines[0];
  EXPECT_EQ(line["nulled"], json::parse(R"({"data":["b"],"old":[]})"));
  EXPECT_TRUE(line["data"][0]["b"].is_null());
  EXPECT_EQ(line["data"][0]["a"].get<std::string>().size(), 200U);
  EXPECT_FALSE(sink.lines[1].contains("nulled"));
  ASSERT_EQ(sink.rows.size(), 1U);
  EXPECT_EQ(sink.rows[0].left_out, 1U);
}

TEST_F(OversizeTest, OldValuesGoFirstAndWhatChangedIsStillTold) {
  expect_ok(encode(Oversize::null_column, RowsKind::update, {row(1, 150, 1), row(1, 160, 1)}));
  ASSERT_EQ(sink.lines.size(), 1U);
  EXPECT_EQ(sink.lines[0]["nulled"], json::parse(R"({"data":[],"old":["a"]})"));
  EXPECT_EQ(sink.lines[0]["old"][0], json::parse(R"({"a":null})"));
  EXPECT_EQ(sink.lines[0]["data"][0]["a"].get<std::string>().size(), 160U);

  sink.lines.clear();
  expect_ok(encode(Oversize::null_column, RowsKind::update, {row(1, 150, 180), row(1, 200, 180)}));
  const json& line = sink.lines.at(0);
  EXPECT_EQ(line["nulled"], json::parse(R"({"data":["a"],"old":["a"]})"));
  EXPECT_EQ(line["old"][0], json::parse(R"({"a":null})")) << "so a reader removes what it has";
  EXPECT_TRUE(line["data"][0]["a"].is_null());
  EXPECT_EQ(line["data"][0]["b"].get<std::string>().size(), 180U);
}

TEST_F(OversizeTest, AKeyIsNeverLeftOut) {
  columns = {varbinary_column("id"), varbinary_column("a"), varbinary_column("b"),
             varchar_column("note")};
  Image image;
  image.value(large(255)).value(large(255)).value(large(255)).value("n");
  expect_ok(encode(Oversize::null_column, RowsKind::insert, {image}));
  EXPECT_EQ(sink.lines.at(0)["nulled"]["data"], json::parse(R"(["a","b"])"));
}

TEST_F(OversizeTest, ARowThatDoesNotFitWithoutItsLargeValuesEither) {
  columns = {varbinary_column("id"), varbinary_column("a"), varbinary_column("b"),
             varchar_column("note")};
  columns[0].name = std::string(60, 'i');
  columns[3].name = std::string(60, 'n');
  Image image;
  image.value(large(255)).value(large(40)).value(large(40)).value(std::string(250, 'x'));
  const Status s = encode(Oversize::null_column, RowsKind::insert, {image});
  ASSERT_FALSE(s.ok()) << sink.lines[0].dump();
  EXPECT_THAT(s.error().what, HasSubstr("even without its large values"));
}

TEST_F(OversizeTest, ReadersPassOverTheListOfWhatIsLeftOut) {
  expect_ok(encode(Oversize::null_column, RowsKind::insert, {row(1, 200, 255)}));
  const std::string line = sink.lines[0].dump() + "\n";
  LineReader reader(false);
  reader.open(line);
  const auto view = reader.next();
  ASSERT_TRUE(view.ok()) << to_string(view.error());
  EXPECT_EQ((*view)->data((*view)->rows[0]).size(), 4U);
}

TEST_F(OversizeTest, RowsAreCountedOnAnotherServerAsTheyWereSent) {
  // Two rows of three had been sent before: the first and the third.
  Gate gate_(2);
  gate = &gate_;
  expect_ok(encode(Oversize::dead_letter, RowsKind::insert,
                   {row(1, 1, 1), row(2, 255, 255), row(3, 1, 1), row(4, 1, 1)}));
  EXPECT_THAT(ids(), ElementsAre("4"));
  EXPECT_EQ(sink.letters.size(), 1U);
}

}  // namespace
}  // namespace sluice::event::test
