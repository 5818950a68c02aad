#include "sluice/schema/schema_json.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "schema/table_json.h"

namespace sluice::schema {
namespace {

using Json = nlohmann::json;

// By DeclaredType's number.  Files hold these names.
constexpr std::array<std::string_view, 35> kTypes{
    "unknown", "tinyint",   "smallint", "mediumint", "int",        "bigint",     "decimal",
    "float",   "double",    "bit",      "date",      "time",       "datetime",   "timestamp",
    "year",    "char",      "varchar",  "tinytext",  "text",       "mediumtext", "longtext",
    "binary",  "varbinary", "tinyblob", "blob",      "mediumblob", "longblob",   "enum",
    "set",     "json",      "geometry", "vector",    "inet4",      "inet6",      "uuid"};
static_assert(kTypes.size() == static_cast<std::size_t>(DeclaredType::uuid) + 1);

// By IndexSchema::Kind's number.  Files hold these names, too.
constexpr std::array<std::string_view, 3> kIndexKinds{"primary", "unique", "other"};

// Throws out_of_range for a word that is none of them.
template <std::size_t N>
std::size_t number_of(const std::array<std::string_view, N>& words, std::string_view word) {
  const auto* const known = std::find(words.begin(), words.end(), word);
  if (known == words.end()) throw std::out_of_range("\"" + std::string(word) + "\"");
  return static_cast<std::size_t>(known - words.begin());
}

Json column_json(const ColumnSchema& c) {
  Json j{{"name", c.name},
         {"mysql_type", c.mysql_type},
         {"type", kTypes[static_cast<std::size_t>(c.type)]}};
  // What is as usual is left out.
  const auto flag = [&j](const char* name, bool set) {
    if (set) j[name] = true;
  };
  const auto number = [&j](const char* name, std::uint32_t value) {
    if (value != 0) j[name] = value;
  };
  flag("unsigned", c.is_unsigned);
  flag("not_null", !c.nullable);
  flag("generated", c.generated);
  flag("virtual", c.is_virtual);
  flag("invisible", c.invisible);
  flag("compressed", c.compressed);
  flag("hidden", c.hidden);
  number("length", c.length);
  number("precision", c.precision);
  number("scale", c.scale);
  if (!c.charset.empty()) j["charset"] = c.charset;
  if (!c.labels.empty()) j["labels"] = c.labels;
  return j;
}

// Throws nlohmann's exceptions, and out_of_range for a type that is not known.
ColumnSchema column_of(const Json& j) {
  ColumnSchema c;
  c.name = j.at("name").get<std::string>();
  c.mysql_type = j.at("mysql_type").get<std::string>();
  c.type = static_cast<DeclaredType>(number_of(kTypes, j.at("type").get<std::string>()));
  c.is_unsigned = j.value("unsigned", false);
  c.nullable = !j.value("not_null", false);
  c.generated = j.value("generated", false);
  c.is_virtual = j.value("virtual", false);
  c.invisible = j.value("invisible", false);
  c.compressed = j.value("compressed", false);
  c.hidden = j.value("hidden", false);
  c.length = j.value("length", std::uint32_t{0});
  c.precision = j.value("precision", std::uint8_t{0});
  c.scale = j.value("scale", std::uint8_t{0});
  c.charset = j.value("charset", std::string());
  if (const auto labels = j.find("labels"); labels != j.end())
    c.labels = labels->get<std::vector<std::string>>();
  return c;
}

// Throws out_of_range for a column that is not there.
std::vector<std::uint16_t> columns_of(const Json& j, std::size_t count) {
  auto columns = j.get<std::vector<std::uint16_t>>();
  if (std::any_of(columns.begin(), columns.end(), [count](auto i) { return i >= count; }))
    throw std::out_of_range("a key column that is not there");
  return columns;
}

Json index_json(const IndexSchema& index) {
  Json j{{"name", index.name},
         {"kind", kIndexKinds[static_cast<std::size_t>(index.kind)]},
         {"parts", Json::array()}};
  // [column, length], and true when it descends; an expression has null for its column.
  for (const IndexPart& part : index.parts) {
    Json one = Json::array({nullptr, part.length});
    if (part.column != IndexPart::kExpression) one[0] = part.column;
    if (part.descending) one.push_back(true);
    j["parts"].push_back(std::move(one));
  }
  if (index.implied) j["implied"] = true;
  if (!index.period.empty()) j["period"] = index.period;
  return j;
}

IndexSchema index_of(const Json& j, std::size_t count) {
  IndexSchema index;
  index.name = j.at("name").get<std::string>();
  index.kind =
      static_cast<IndexSchema::Kind>(number_of(kIndexKinds, j.at("kind").get<std::string>()));
  for (const Json& one : j.at("parts")) {
    IndexPart& part = index.parts.emplace_back();
    part.length = one.at(1).get<std::uint32_t>();
    part.descending = one.size() > 2 && one.at(2).get<bool>();
    if (!one.at(0).is_null()) part.column = columns_of(Json::array({one.at(0)}), count).front();
  }
  index.implied = j.value("implied", false);
  index.period = j.value("period", std::string());
  return index;
}

Json detail_json(const TableDetail& detail) {
  Json j{{"charset", detail.charset}, {"indexes", Json::array()}};
  for (const IndexSchema& index : detail.indexes) j["indexes"].push_back(index_json(index));
  for (const PeriodSchema& p : detail.periods)
    j["periods"].push_back({{"name", p.name}, {"columns", {p.start, p.end}}});
  if (detail.system_versioned) j["system_versioned"] = true;
  return j;
}

TableDetail detail_of(const Json& j, std::size_t count) {
  TableDetail detail;
  detail.charset = j.at("charset").get<std::string>();
  for (const Json& index : j.at("indexes")) detail.indexes.push_back(index_of(index, count));
  if (const auto periods = j.find("periods"); periods != j.end())
    for (const Json& p : *periods) {
      const auto columns = columns_of(p.at("columns"), count);
      detail.periods.push_back({p.at("name").get<std::string>(), columns.at(0), columns.at(1)});
    }
  detail.system_versioned = j.value("system_versioned", false);
  return detail;
}

}  // namespace

nlohmann::json table_json(const TableSchema& schema) {
  Json columns = Json::array(), keys = Json::array();
  for (const ColumnSchema& c : schema.columns) columns.push_back(column_json(c));
  for (const UniqueKey& k : schema.unique_keys) {
    keys.push_back({{"name", k.name}, {"columns", k.columns}});
    if (k.nullable) keys.back()["nullable"] = true;
    if (k.prefix) keys.back()["prefix"] = true;
  }
  Json json{{"database", schema.database},
            {"name", schema.name},
            {"columns", std::move(columns)},
            {"primary_key", schema.primary_key},
            {"unique_keys", std::move(keys)}};
  if (schema.detail) json["detail"] = detail_json(*schema.detail);
  return json;
}

TableSchema table_of(const nlohmann::json& json) {
  TableSchema schema;
  schema.database = json.at("database").get<std::string>();
  schema.name = json.at("name").get<std::string>();
  for (const Json& c : json.at("columns")) schema.columns.push_back(column_of(c));
  schema.primary_key = columns_of(json.at("primary_key"), schema.columns.size());
  for (const Json& k : json.at("unique_keys"))
    schema.unique_keys.push_back({k.at("name").get<std::string>(),
                                  columns_of(k.at("columns"), schema.columns.size()),
                                  k.value("nullable", false), k.value("prefix", false)});
  if (const auto detail = json.find("detail"); detail != json.end())
    schema.detail = detail_of(*detail, schema.columns.size());
  return schema;
}

Result<std::string> encode_schema(const TableSchema& schema) {
  try {
    return table_json(schema).dump();
  } catch (const Json::exception& e) {  // the library's way to say: not UTF-8
    return fatal(Errc::schema_mismatch,
                 "a name or label of " + schema.database + "." + schema.name + ": " + e.what());
  }
}

Result<TableSchema> decode_schema(std::string_view text) {
  try {
    return table_of(Json::parse(text));
  } catch (const std::exception& e) {  // the library's way to say: not JSON, or not this
    return fatal(Errc::position_damaged, std::string("a table's schema as JSON: ") + e.what());
  }
}

}  // namespace sluice::schema
