#include "sluice/base/result.h"

#include <memory>
#include <set>

#include <gtest/gtest.h>

namespace sluice {
namespace {

Result<std::unique_ptr<int>> make(int v) {
  if (v < 0) return fatal(Errc::usage, "negative");
  return std::make_unique<int>(v);
}

Result<int> doubled(int v) {
  SLUICE_TRY_ASSIGN(const auto p, make(v));
  return *p * 2;
}

Status check(int v) {
  SLUICE_TRY(doubled(v));
  return {};
}

TEST(Result, TryPassesTheValueOnAndTheErrorUp) {
  ASSERT_TRUE(doubled(21).ok());
  EXPECT_EQ(*doubled(21), 42);
  EXPECT_TRUE(check(1).ok());
  const Status bad = check(-1);
  ASSERT_FALSE(bad.ok());
  EXPECT_EQ(bad.error().code, Errc::usage);
  EXPECT_EQ(bad.error().cls, ErrorClass::fatal);
}

TEST(Result, AnErrorGathersItsContext) {
  EXPECT_EQ(to_string(fatal(Errc::binlog_truncated, "17 bytes").at("TABLE_MAP").at("shop.orders")),
            "binlog.truncated: shop.orders: TABLE_MAP: 17 bytes");
}

TEST(Errc, EveryNameIsItsOwn) {
  std::set<std::string_view> names;
  const int last = static_cast<int>(Errc::pipeline_timeout);
  for (int i = 0; i <= last; ++i) names.insert(errc_name(static_cast<Errc>(i)));
  EXPECT_EQ(names.size(), static_cast<std::size_t>(last + 1));
}

}  // namespace
}  // namespace sluice
