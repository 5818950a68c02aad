#pragma once
// Tables that statements are tried on.
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sluice/schema/definitions.h"

#include "definitions_text.h"
#include "schema_text.h"

namespace sluice::schema {

class DdlTest : public testing::Test {
 protected:
  DdlTest() {
    context_.database = "shop";
    context_.version = 90700;
  }
  void mariadb() {
    context_.flavor = Flavor::mariadb;
    context_.version = 101106;
  }
  std::string apply(std::string_view statement) {
    return effects_text(tables_.apply(statement, context_));
  }
  // Table t behind all of these.
  std::string after(const std::vector<std::string_view>& statements) {
    for (const std::string_view statement : statements) {
      const std::string effects = apply(statement);
      EXPECT_THAT(effects, testing::Not(testing::HasSubstr("not_known"))) << statement;
    }
    return table();
  }
  std::string table(std::string_view name = "t") const {
    const TableSchema* found = tables_.find("shop", name);
    if (found != nullptr) return table_text(*found);
    return tables_.is_lost("shop", name) ? "lost" : "none";
  }

  // The names of all keys of t, in order.
  std::string indexes() const {
    std::string out;
    const TableSchema* found = tables_.find("shop", "t");
    if (found == nullptr) return "none";
    for (const IndexSchema& index : found->detail->indexes)
      out += (out.empty() ? "" : " ") + index.name;
    return out;
  }

  Definitions tables_;
  DdlContext context_;
};

}  // namespace sluice::schema
