#pragma once
// DDL as users and their tools write it: statements, what they do, and all tables behind them.
#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/schema/definitions.h"

#include "definitions_text.h"
#include "schema_text.h"

namespace sluice::schema {

struct RealDdl {
  std::string_view name;
  Flavor flavor;
  std::vector<std::string_view> statements;
  std::string_view effects;              // of all statements
  std::vector<std::string_view> tables;  // "shop.orders utf8mb4: columns; keys | all indexes"
};
inline void PrintTo(const RealDdl& c, std::ostream* out) {
  *out << c.name;
}

// "PRIMARY(0) idx(2:191,1 desc) expression(?)"
inline std::string indexes_text(const TableSchema& table) {
  std::string out;
  for (const IndexSchema& index : table.detail->indexes) {
    out += (out.empty() ? "" : " ") + index.name + "(";
    for (const IndexPart& part : index.parts) {
      if (out.back() != '(') out += ",";
      out += part.column == IndexPart::kExpression ? "?" : std::to_string(part.column);
      if (part.length != 0) out += ":" + std::to_string(part.length);
      if (part.descending) out += " desc";
    }
    out += ")";
  }
  return out;
}

struct RealDdlResult {
  std::string effects;
  std::vector<std::string> tables;
};

inline RealDdlResult follow(const RealDdl& c) {
  DdlContext context;
  context.flavor = c.flavor;
  constexpr std::uint32_t kMysql = 90700, kMariadb = 101106;
  context.version = c.flavor == Flavor::mysql ? kMysql : kMariadb;
  context.database = "shop";
  Definitions tables;
  RealDdlResult out;
  for (const std::string_view statement : c.statements) {
    const std::string effects = effects_text(tables.apply(statement, context));
    if (!effects.empty()) out.effects += (out.effects.empty() ? "" : "; ") + effects;
  }
  for (const auto& [name, table] : tables.tables())
    out.tables.push_back(name.first + "." + name.second + " " + table.detail->charset + ": " +
                         table_text(table) + " | " + indexes_text(table));
  return out;
}

}  // namespace sluice::schema
