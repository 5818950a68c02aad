// ddl_follow FILE LOWER_CASE_TABLE_NAMES [BEGINNING mysql|mariadb]: what Definitions makes of the
// statements of a binlog file. One line of JSON for each statement that was read as one: {"end",
// "statement", "effects", "tables", "lost", "databases"}; "tables" are those that the statement
// changed, null when it is gone.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <iostream>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "sluice/binlog/control_events.h"
#include "sluice/binlog/event.h"
#include "sluice/binlog/unpacker.h"
#include "sluice/decode/binlog_file.h"
#include "sluice/schema/create_table.h"
#include "sluice/schema/ddl_statement.h"
#include "sluice/schema/definitions.h"

#include "unit/schema/definitions_text.h"

namespace {

using nlohmann::json;
using sluice::Result;
using sluice::Status;
using sluice::TableSchema;
using sluice::schema::Definitions;

json columns_of(const TableSchema& table, const std::vector<std::uint16_t>& columns) {
  json out = json::array();
  for (const std::uint16_t c : columns) out.push_back(table.columns[c].name);
  return out;
}

json to_json(const TableSchema& table) {
  json columns = json::array();
  for (const sluice::ColumnSchema& c : table.columns)
    columns.push_back({{"name", c.name},
                       {"type", c.mysql_type},
                       {"nullable", c.nullable},
                       {"charset", c.charset},
                       {"generated", c.generated},
                       {"invisible", c.invisible}});
  json unique = json::array();
  for (const sluice::UniqueKey& key : table.unique_keys)
    unique.push_back({{"name", key.name},
                      {"columns", columns_of(table, key.columns)},
                      {"nullable", key.nullable},
                      {"prefix", key.prefix}});
  json indexes = json::array();
  bool implied = false;
  for (const sluice::IndexSchema& index : table.detail->indexes) {
    indexes.push_back(index.name);
    implied = implied || index.implied;
  }
  return {{"columns", std::move(columns)},
          {"primary", columns_of(table, table.primary_key)},
          {"unique", std::move(unique)},
          {"indexes", std::move(indexes)},
          {"charset", table.detail->charset},
          {"versioned", table.detail->system_versioned},
          {"implied", implied}};
}

class Follower {
 public:
  explicit Follower(std::uint8_t lower_case_table_names) : tables_(lower_case_table_names) {}

  // Throws nlohmann's exceptions.
  Status begin(const std::string& path, sluice::Flavor flavor) {
    std::ifstream file(path);
    const json beginning = json::parse(file);
    begin_ = beginning.at("end").get<std::uint64_t>();
    for (const auto& [name, charset] : beginning.at("databases").items())
      tables_.put_database(name, charset.get<std::string>());
    for (const json& told : beginning.at("tables")) {
      sluice::schema::DdlContext context;
      context.flavor = flavor;
      context.describes = true;
      SLUICE_TRY_ASSIGN(TableSchema table, sluice::schema::read_create_table(
                                               told.at("create").get<std::string>(), context));
      table.database = told.at("database").get<std::string>();
      table.name = told.at("name").get<std::string>();
      tables_.put(std::move(table));
    }
    print(begin_, "", "", {});
    return {};
  }

  Status read(const std::string& path) {
    SLUICE_TRY_ASSIGN(auto file, sluice::decode::BinlogFile::open(path));
    sluice::decode::Chunk chunk;
    while (true) {
      SLUICE_TRY_ASSIGN(const bool more, file.read(chunk));
      if (!more) return {};
      SLUICE_TRY(read(chunk));
    }
  }

 private:
  Status read(const sluice::decode::Chunk& chunk) {
    sluice::Bytes left = chunk.events();
    std::uint64_t offset = chunk.offset();
    while (!left.empty()) {
      const auto header = sluice::binlog::EventHeader::read(left);
      const sluice::Bytes event = left.first(header.event_size);
      left = left.subspan(header.event_size);
      offset += header.event_size;
      SLUICE_TRY_ASSIGN(auto view, framer_.frame(event));
      const bool comes = offset > begin_;
      if (comes && view.header.type == sluice::binlog::EventType::query)
        SLUICE_TRY(on_query(view, offset));
    }
    return {};
  }

  Status on_query(const sluice::binlog::EventView& view, std::uint64_t end) {
    using sluice::binlog::QueryEvent;
    SLUICE_TRY_ASSIGN(const auto query, QueryEvent::decode(view.body, *framer_.format()));
    const auto statement = sluice::schema::ddl_statement(query, *framer_.format(), {});
    if (!statement) return {};
    const auto before = tables_.tables();
    const auto effects = tables_.apply(statement->text, statement->context);
    print(end, statement->text, sluice::schema::effects_text(effects), before);
    return {};
  }

  // `before`: the tables before the statement.
  void print(std::uint64_t end, const std::string& statement, const std::string& effects,
             const std::map<Definitions::Name, TableSchema>& before) {
    json changed = json::object();
    for (const auto& [name, table] : tables_.tables())
      if (const auto was = before.find(name); was == before.end() || was->second != table)
        changed[name.first + "." + name.second] = to_json(table);
    for (const auto& [name, table] : before)
      if (!tables_.tables().contains(name)) changed[name.first + "." + name.second] = nullptr;
    json lost = json::object();
    for (const auto& [name, why] : tables_.lost()) lost[name.first + "." + name.second] = why;
    const json line = {{"end", end},
                       {"statement", statement},
                       {"effects", effects},
                       {"tables", std::move(changed)},
                       {"lost", std::move(lost)},
                       {"databases", tables_.databases()}};
    std::cout << line.dump(-1, ' ', false, json::error_handler_t::replace) << '\n';
  }

  sluice::binlog::EventFramer framer_{sluice::binlog::ChecksumAlg::off, true};
  Definitions tables_;
  std::uint64_t begin_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3 && argc != 5) return 2;
  try {
    Follower follower(static_cast<std::uint8_t>(std::atoi(argv[2])));
    Status done;
    if (argc == 5) {
      const bool mysql = std::string_view(argv[4]) == "mysql";
      done = follower.begin(argv[3], mysql ? sluice::Flavor::mysql : sluice::Flavor::mariadb);
    }
    if (done.ok()) done = follower.read(argv[1]);
    if (done.ok()) return 0;
    std::cerr << done.error().what << '\n';
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
  }
  return 1;
}
