#include "sluice/model/table_schema.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

TEST(TableSchema, TheRowKeyIsThePrimaryKeyElseTheFirstUsableUniqueKey) {
  TableSchema t;
  EXPECT_TRUE(t.row_key().empty());
  t.unique_keys = {{"nullable", {0}, true, false},
                   {"prefix", {1}, false, true},
                   {"good", {2, 1}, false, false},
                   {"next", {3}, false, false}};
  EXPECT_EQ(t.row_key(), (std::vector<std::uint16_t>{2, 1}));
  t.primary_key = {1};
  EXPECT_EQ(t.row_key(), std::vector<std::uint16_t>{1});
}

TEST(TableSchema, FindsColumnsByTheirExactName) {
  TableSchema t;
  t.columns.resize(2);
  t.columns[0].name = "id";
  t.columns[1].name = "Name";
  EXPECT_EQ(t.find("id"), 0);
  EXPECT_EQ(t.find("Name"), 1);
  EXPECT_EQ(t.find("name"), -1);
  EXPECT_EQ(TableSchema{}.find(""), -1);
}

TEST(SqlTypeOf, UnsignedTakesTheNextLargerType) {
  EXPECT_EQ(sql_type_of(DeclaredType::tinyint, false), -6);
  EXPECT_EQ(sql_type_of(DeclaredType::tinyint, true), 5);
  EXPECT_EQ(sql_type_of(DeclaredType::int_, false), 4);
  EXPECT_EQ(sql_type_of(DeclaredType::int_, true), -5);
  EXPECT_EQ(sql_type_of(DeclaredType::bigint, false), -5);
  EXPECT_EQ(sql_type_of(DeclaredType::bigint, true), 3);
}

TEST(IsBinary, SaysWhichValuesAreBytes) {
  for (const auto t : {DeclaredType::binary, DeclaredType::varbinary, DeclaredType::tinyblob,
                       DeclaredType::longblob, DeclaredType::geometry})
    EXPECT_TRUE(is_binary(t));
  for (const auto t : {DeclaredType::char_, DeclaredType::text, DeclaredType::json,
                       DeclaredType::uuid, DeclaredType::bit, DeclaredType::unknown})
    EXPECT_FALSE(is_binary(t));
}

}  // namespace
}  // namespace sluice
