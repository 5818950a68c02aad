#include "sluice/event/lone_row.h"

#include <gtest/gtest.h>

#include "sluice/event/line_reader.h"

namespace sluice::event {
namespace {

constexpr std::string_view kTypes = R"J("mysqlType":{"id":"int","name":"varchar(9)"},)J";
constexpr std::string_view kBody =
    R"J({"data":[{"id":"1","name":"a\"ü"},{"id":"2","name":null},{"id":"3","name":"c"}],"database":"shop","es":5,"gtid":"g:1","id":4,"isDdl":false,"mysqlType":{"id":"int","name":"varchar(9)"},"old":[{"name":"A"},{"name":"B"},{"id":"0"}],"pkNames":["id"],"rows":[0,4,7],"seq":"1.3.100.0.0","sql":"","sqlType":{"id":4,"name":12},"table":"user","ts":6,"type":"UPDATE"}
{"data":[{"id":"9","name":"z"}],"database":"shop","es":5,"gtid":"g:1","id":4,"isDdl":false,"old":null,"pkNames":["id"],"rows":[0],"seq":"1.3.100.1.0","sql":"","table":"user","ts":6,"type":"DELETE"}
{"type":"TICK","seq":"1.3.200.0.0","file":"binlog.000003","pos":200,"gtid":"g:1","es":5}
)J";

EventId id(std::uint64_t event, std::uint64_t row) {
  return {1, 3, 100, event, row, 0};
}

TEST(LoneRow, ARowOfManyIsALineOfItsOwnAsItWasWritten) {
  const auto lines = lone_rows(kBody, {id(0, 4)});
  ASSERT_TRUE(lines.ok()) << to_string(lines.error());
  ASSERT_EQ(lines->size(), 1U);
  EXPECT_EQ(
      lines->front(),
      R"J({"data":[{"id":"2","name":null}],"database":"shop","es":5,"gtid":"g:1","id":4,"isDdl":false,"mysqlType":{"id":"int","name":"varchar(9)"},"old":[{"name":"B"}],"pkNames":["id"],"rows":[4],"seq":"1.3.100.0.0","sql":"","sqlType":{"id":4,"name":12},"table":"user","ts":6,"type":"UPDATE"}
)J");
}

TEST(LoneRow, TypesComeFromTheTablesFirstLineAndEachLineCanBeReadAlone) {
  const auto lines = lone_rows(kBody, {id(0, 0), id(0, 7), id(0, 8), id(1, 0)});
  ASSERT_TRUE(lines.ok());
  ASSERT_EQ(lines->size(), 3U) << "row 8 is not there";
  EXPECT_NE((*lines)[2].find(kTypes), std::string::npos);
  EXPECT_NE((*lines)[2].find(R"("old":null)"), std::string::npos);
  LineReader reader;
  for (const std::string& line : *lines) {
    reader.open(line);
    const auto view = reader.next();
    ASSERT_TRUE(view.ok()) << to_string(view.error());
    EXPECT_EQ((*view)->rows.size(), 1U);
  }
  reader.open(lines->front());
  const auto view = reader.next();
  ASSERT_TRUE(view.ok());
  EXPECT_EQ((*view)->data((*view)->rows[0])[1].value, "a\"ü");
}

TEST(LoneRow, ABrokenLineBeforeTheRowIsAnErrorAndBehindItIsNone) {
  const std::string broken = std::string(kBody) + "{\"no\"\n";
  EXPECT_TRUE(lone_rows(broken, {id(1, 0)}).ok());
  const auto bad = lone_rows("rubbish\n" + std::string(kBody), {id(1, 0)});
  ASSERT_FALSE(bad.ok());
  EXPECT_EQ(bad.error().cls, ErrorClass::poison);
  EXPECT_EQ(bad.error().what, "line 1: not a line of rows");
}

}  // namespace
}  // namespace sluice::event
