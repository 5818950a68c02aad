#include "sluice/schema/schema_json.h"

#include <gmock/gmock.h>

namespace sluice::schema {
namespace {

using ::testing::HasSubstr;

TableSchema everything() {
  TableSchema s;
  s.database = "shop";
  s.name = "złoto \"x\"";
  for (int type = 0; type <= static_cast<int>(DeclaredType::uuid); ++type) {
    ColumnSchema c;
    c.name = "c" + std::to_string(type);
    c.mysql_type = "decimal(65,30) unsigned";
    c.type = static_cast<DeclaredType>(type);
    c.is_unsigned = type % 2 == 0;
    c.nullable = type % 3 == 0;
    c.generated = type % 5 == 0;
    c.invisible = type % 7 == 0;
    c.compressed = type % 11 == 0;
    c.is_virtual = type % 13 == 0;
    c.hidden = type % 17 == 0;
    c.length = 4294967295U - static_cast<std::uint32_t>(type);
    c.precision = 65;
    c.scale = 30;
    c.charset = type % 2 == 0 ? "" : "utf8mb4";
    if (c.type == DeclaredType::enum_) c.labels = {"", "a'b", "ł"};
    s.columns.push_back(std::move(c));
  }
  s.primary_key = {3, 1};
  s.unique_keys = {{"a", {0}, true, false}, {"b", {2, 1}, false, true}};
  TableDetail& detail = s.detail.emplace();
  detail.charset = "latin1";
  detail.system_versioned = true;
  detail.periods = {{"p", 1, 2}};
  detail.indexes = {
      {IndexSchema::Kind::primary, "PRIMARY", {{3, 0, true}, {1, 5, false}}, false, "p"},
      {IndexSchema::Kind::other,
       "x",
       {{IndexPart::kExpression, 0, false}, {0, IndexPart::kPrefix, true}},
       true,
       ""}};
  return s;
}

TEST(SchemaJson, GivesBackTheWholeSchemaAndAlwaysTheSameText) {
  for (const TableSchema& schema : {everything(), TableSchema{}}) {
    const auto text = encode_schema(schema);
    ASSERT_TRUE(text.ok()) << to_string(text.error());
    const auto back = decode_schema(*text);
    ASSERT_TRUE(back.ok()) << to_string(back.error());
    EXPECT_EQ(*back, schema);
    EXPECT_EQ(*encode_schema(*back), *text);
  }
}

TEST(SchemaJson, RefusesWhatIsCutOffAnywhere) {
  TableSchema schema = everything();
  schema.columns.resize(4);
  const std::string text = *encode_schema(schema);
  for (std::size_t size = 0; size < text.size(); ++size) {
    const auto back = decode_schema(text.substr(0, size));
    ASSERT_FALSE(back.ok()) << size;
    EXPECT_EQ(back.error().code, Errc::position_damaged);
  }
}

TEST(SchemaJson, RefusesWhatItDoesNotKnow) {
  const auto refused = [](std::string_view from, std::string_view to) {
    std::string text = *encode_schema(everything());
    const auto at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    text.replace(at, from.size(), to);
    const auto back = decode_schema(text);
    return back.ok() ? std::string("taken") : back.error().what;
  };
  EXPECT_THAT(refused("\"smallint\"", "\"smallest\""), HasSubstr("smallest"));
  EXPECT_THAT(refused("\"primary_key\":[3,1]", "\"primary_key\":[3,35]"),
              HasSubstr("a key column that is not there"));
  EXPECT_THAT(refused("\"columns\":[2,1]", "\"columns\":[2,99]"),
              HasSubstr("a key column that is not there"));
  EXPECT_THAT(refused("\"name\":\"c7\"", "\"name\":7"), HasSubstr("type"));
  EXPECT_THAT(refused("\"database\"", "\"databases\""), HasSubstr("database"));
}

TEST(SchemaJson, ANameThatIsNotUtf8IsAnError) {
  TableSchema schema = everything();
  schema.columns[1].name = "\xff";
  const auto text = encode_schema(schema);
  ASSERT_FALSE(text.ok());
  EXPECT_EQ(text.error().code, Errc::schema_mismatch);
}

}  // namespace
}  // namespace sluice::schema
