#pragma once
// Effects as text, for tests that compare all of them.
#include <string>
#include <string_view>
#include <vector>

#include "sluice/schema/definitions.h"

namespace sluice::schema {

inline std::string_view kind_text(TableEffect::Kind kind) {
  switch (kind) {
    case TableEffect::Kind::created: return "created";
    case TableEffect::Kind::altered: return "altered";
    case TableEffect::Kind::renamed: return "renamed";
    case TableEffect::Kind::dropped: return "dropped";
    case TableEffect::Kind::emptied: return "emptied";
    case TableEffect::Kind::not_known: return "not_known";
  }
  return "?";
}

// "created shop.a; renamed shop.a shop.b; not_known shop.c: 1:1: why"
inline std::string effects_text(const std::vector<TableEffect>& effects) {
  std::string out;
  const auto name = [](const std::string& database, const std::string& table) {
    return (database.empty() ? "*" : database) + "." + (table.empty() ? "*" : table);
  };
  for (const TableEffect& e : effects) {
    out += out.empty() ? "" : "; ";
    out += std::string(kind_text(e.kind)) + " " + name(e.database, e.table);
    if (!e.new_table.empty()) out += " " + name(e.new_database, e.new_table);
    if (!e.why.empty()) out += ": " + e.why;
  }
  return out;
}

}  // namespace sluice::schema
