#pragma once
// A schema as text, for tests that compare all of it.
#include <cstdint>
#include <string>
#include <vector>

#include "sluice/model/table_schema.h"

namespace sluice::schema {

inline std::string numbers_text(const std::vector<std::uint16_t>& columns) {
  std::string out;
  for (const std::uint16_t c : columns) out += (out.empty() ? "(" : ",") + std::to_string(c);
  return out + ")";
}

// "a int(11) not null"
inline std::string column_text(const ColumnSchema& c) {
  std::string out = c.name + " " + c.mysql_type;
  if (!c.charset.empty()) out += " " + c.charset;
  if (!c.nullable) out += " not null";
  if (c.generated) out += " generated";
  if (c.invisible) out += " invisible";
  if (c.compressed) out += " compressed";
  if (c.hidden) out += " hidden";
  return out;
}

// "a int(11) not null; b ...; primary (0); unique u(1,0) nullable prefix"
inline std::string table_text(const TableSchema& t) {
  std::string out;
  const auto add = [&out](const std::string& part) { out += (out.empty() ? "" : "; ") + part; };
  for (const ColumnSchema& c : t.columns) add(column_text(c));
  if (!t.primary_key.empty()) add("primary " + numbers_text(t.primary_key));
  for (const UniqueKey& k : t.unique_keys)
    add("unique " + k.name + numbers_text(k.columns) + (k.nullable ? " nullable" : "") +
        (k.prefix ? " prefix" : ""));
  return out;
}

// All there is, with what parse_column_type() makes of the type.
inline std::string full_text(const TableSchema& t) {
  std::string out = t.database + "." + t.name + ": " + table_text(t);
  for (const ColumnSchema& c : t.columns) {
    out += "\n" + c.name + ": " + std::to_string(static_cast<int>(c.type)) +
           (c.is_unsigned ? " unsigned " : " ") + std::to_string(c.length) + " " +
           std::to_string(c.precision) + " " + std::to_string(c.scale);
    for (const std::string& label : c.labels) out += " '" + label + "'";
  }
  return out;
}

}  // namespace sluice::schema
