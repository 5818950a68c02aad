#include "schema/history_line.h"

#include <exception>
#include <limits>
#include <map>
#include <stdexcept>
#include <utility>

#include "sluice/base/checksum.h"

#include "schema/table_json.h"

namespace sluice::schema::history {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kChecksumSize = 8;

Json object(std::string_view kind, const Place& place, std::int64_t written_at) {
  return {{"kind", kind},
          {"written", written_at},
          {"epoch", place.epoch()},
          {"file", place.position().file},
          {"pos", place.position().pos}};
}

struct Writer {
  std::int64_t written_at;

  Json operator()(const Head& head) const {
    return {{"kind", "head"}, {"written", written_at}, {"version", head.version}};
  }
  Json operator()(const Snapshot& s) const {
    Json json = object("snapshot", s.place, written_at);
    json["scope"] = s.scope;
    json["lower_case"] = s.tables.lower_case_table_names();
    json["databases"] = Json::object();
    for (const auto& [name, charset] : s.tables.databases()) json["databases"][name] = charset;
    json["tables"] = Json::array();
    for (const auto& [name, table] : s.tables.tables()) json["tables"].push_back(table_json(table));
    for (const auto& [name, why] : s.tables.lost())
      json["lost"].push_back({{"database", name.first}, {"name", name.second}, {"why", why}});
    return json;
  }
  Json operator()(const DdlStatement& ddl) const {
    Json json = object("ddl", ddl.place, written_at);
    const DdlContext& c = ddl.context;
    json["sql"] = ddl.text;
    json["database"] = c.database;
    json["flavor"] = flavor_name(c.flavor);
    json["version"] = c.version;
    json["sql_mode"] = c.sql_mode;
    json["charset"] = c.charset;
    json["server_charset"] = c.server_charset;
    if (c.failed) json["failed"] = true;
    if (c.explicit_defaults_for_timestamp)
      json["explicit_timestamps"] = *c.explicit_defaults_for_timestamp;
    return json;
  }
  Json operator()(const TableRead& read) const {
    Json json = object("table", read.place, written_at);
    json["table"] = table_json(read.table);
    return json;
  }
  Json operator()(const Break& gap) const {
    Json json = object("break", gap.place, written_at);
    json["why"] = gap.why;
    return json;
  }
};

// ---- reading: throws what the library throws, and out_of_range ----

void demand(bool holds, const char* what) {
  if (!holds) throw std::out_of_range(what);
}

template <class T>
T number(const Json& json, const char* name) {
  const Json& value = json.at(name);
  demand(value.is_number_unsigned() && value.get<std::uint64_t>() <= std::numeric_limits<T>::max(),
         name);
  return value.get<T>();
}

Place read_place(const Json& json) {
  auto file = json.at("file").get<std::string>();
  demand(BinlogFileName::parse(file).ok(), "file");
  return {number<std::uint32_t>(json, "epoch"),
          {std::move(file), number<std::uint64_t>(json, "pos")}};
}

Snapshot read_snapshot(const Json& json) {
  Snapshot out{read_place(json), Definitions(number<std::uint8_t>(json, "lower_case")),
               json.at("scope").get<std::string>()};
  for (const auto& [name, charset] : json.at("databases").get<std::map<std::string, std::string>>())
    out.tables.put_database(name, charset);
  // First, since one that stands for many would take the known ones along.
  if (const auto lost = json.find("lost"); lost != json.end())
    for (const Json& one : *lost)
      out.tables.lose(one.at("database").get<std::string>(), one.at("name").get<std::string>(),
                      one.at("why").get<std::string>());
  for (const Json& table : json.at("tables")) out.tables.put(table_of(table));
  return out;
}

DdlStatement read_ddl(const Json& json) {
  DdlStatement out;
  out.place = read_place(json);
  out.text = json.at("sql").get<std::string>();
  DdlContext& c = out.context;
  c.database = json.at("database").get<std::string>();
  const auto flavor = json.at("flavor").get<std::string>();
  demand(flavor == flavor_name(Flavor::mysql) || flavor == flavor_name(Flavor::mariadb), "flavor");
  c.flavor = flavor == flavor_name(Flavor::mariadb) ? Flavor::mariadb : Flavor::mysql;
  c.version = number<std::uint32_t>(json, "version");
  c.sql_mode = number<std::uint64_t>(json, "sql_mode");
  c.charset = json.at("charset").get<std::string>();
  c.server_charset = json.at("server_charset").get<std::string>();
  c.failed = json.value("failed", false);
  if (const auto explicit_ones = json.find("explicit_timestamps"); explicit_ones != json.end())
    c.explicit_defaults_for_timestamp = explicit_ones->get<bool>();
  return out;
}

Record read_record(const Json& json) {
  const auto kind = json.at("kind").get<std::string>();
  if (kind == "head") return Head{number<std::uint64_t>(json, "version")};
  if (kind == "snapshot") return read_snapshot(json);
  if (kind == "ddl") return read_ddl(json);
  if (kind == "table") return TableRead{read_place(json), table_of(json.at("table"))};
  demand(kind == "break", "kind");
  return Break{read_place(json), json.at("why").get<std::string>()};
}

Error damaged(std::string what) {
  return fatal(Errc::schema_history, std::move(what));
}

}  // namespace

const Place* place_of(const Record& record) noexcept {
  return std::visit(
      [](const auto& one) -> const Place* {
        if constexpr (requires { one.place; })
          return &one.place;
        else
          return nullptr;
      },
      record);
}

std::string encode(const Record& record, std::int64_t written_at) {
  // Names are UTF-8; what is not would come from a server that broke its word.
  const std::string json =
      std::visit(Writer{written_at}, record).dump(-1, ' ', false, Json::error_handler_t::replace);
  return hex32(crc32(as_bytes(json))) + " " + json + "\n";
}

Result<Line> decode(std::string_view line) {
  if (line.size() <= kChecksumSize || line[kChecksumSize] != ' ')
    return damaged("the line does not begin with a checksum");
  const std::string_view text = line.substr(kChecksumSize + 1);
  if (const std::string actual = hex32(crc32(as_bytes(text)));
      line.substr(0, kChecksumSize) != actual)
    return damaged("its checksum is " + actual + ", the line says " +
                   std::string(line.substr(0, kChecksumSize)));
  try {
    const Json json = Json::parse(text);
    Line out;
    out.written_at = number<std::int64_t>(json, "written");
    out.record = read_record(json);
    return out;
  } catch (const std::exception& e) {
    return damaged(std::string("a record that this version does not know: ") + e.what());
  }
}

}  // namespace sluice::schema::history
