#include "sluice/model/binlog_position.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

TEST(BinlogPosition, ReadsWhatItWrites) {
  const BinlogPosition p{"/var/lib/a:b/binlog.000003", 5000000000};
  EXPECT_EQ(p.to_string(), "/var/lib/a:b/binlog.000003:5000000000");
  const auto back = BinlogPosition::parse(p.to_string());
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(*back, p);
}

TEST(BinlogPosition, RefusesWhatIsNone) {
  for (const char* text :
       {"", ":", "binlog.000003", "binlog.000003:", ":4", "binlog:4", "binlog.000003:4x",
        "binlog.000003:-4", "binlog.000003:99999999999999999999"}) {
    const auto p = BinlogPosition::parse(text);
    ASSERT_FALSE(p.ok()) << text;
    EXPECT_EQ(p.error().code, Errc::usage);
  }
}

TEST(BinlogFileName, IsOrderedByItsNumber) {
  const auto a = BinlogFileName::parse("mysql.bin.999999");
  const auto b = BinlogFileName::parse("mysql.bin.1000000");
  ASSERT_TRUE(a.ok() && b.ok());
  EXPECT_EQ(a->base, "mysql.bin");
  EXPECT_EQ(a->base, b->base);
  EXPECT_LT(a->number, b->number);
}

TEST(BinlogFileName, RefusesNamesWithoutANumber) {
  for (const char* name : {"", "binlog", "binlog.", ".000001", "binlog.idx", "binlog.00001x",
                           "binlog.99999999999999999999"})
    EXPECT_FALSE(BinlogFileName::parse(name).ok()) << name;
}

}  // namespace
}  // namespace sluice
