// follow FILE [LOWER_CASE_TABLE_NAMES]: what Definitions makes of the statements of a binlog file.
// One line of JSON for each statement that was read as one: {"end", "statement", "effects",
// "tables", "lost", "databases"}; "tables" are those that the statement changed, null when it is
// gone.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "sluice/base/charset.h"
#include "sluice/base/text_buffer.h"
#include "sluice/binlog/control_events.h"
#include "sluice/binlog/event.h"
#include "sluice/binlog/unpacker.h"
#include "sluice/decode/binlog_file.h"
#include "sluice/schema/create_table.h"
#include "sluice/schema/definitions.h"

#include "unit/schema/definitions_text.h"

namespace {

using nlohmann::json;
using sluice::Charset;
using sluice::Result;
using sluice::Status;
using sluice::TableSchema;
using sluice::schema::Definitions;

std::string charset_name(std::uint16_t collation) {
  const Charset* found = Charset::by_collation(collation);
  return found == nullptr ? std::string() : std::string(found->name());
}

std::string to_utf8(std::string_view text, std::uint16_t collation) {
  if (sluice::schema::is_written_by_server(text)) return std::string(text);
  const Charset* charset = Charset::by_collation(collation);
  if (charset == nullptr || !charset->prepare().ok()) return std::string(text);
  sluice::TextBuffer out;
  if (!charset->to_utf8(text, out)) return std::string(text);
  return std::string(out.view());
}

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
  for (const sluice::IndexSchema& index : table.detail->indexes) indexes.push_back(index.name);
  return {{"columns", std::move(columns)},    {"primary", columns_of(table, table.primary_key)},
          {"unique", std::move(unique)},      {"indexes", std::move(indexes)},
          {"charset", table.detail->charset}, {"versioned", table.detail->system_versioned}};
}

class Follower {
 public:
  explicit Follower(std::uint8_t lower_case_table_names) : tables_(lower_case_table_names) {}

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
      if (view.header.type == sluice::binlog::EventType::query) SLUICE_TRY(on_query(view, offset));
    }
    return {};
  }

  Status on_query(const sluice::binlog::EventView& view, std::uint64_t end) {
    using sluice::binlog::QueryEvent;
    SLUICE_TRY_ASSIGN(const auto query, QueryEvent::decode(view.body, *framer_.format()));
    using Phase = QueryEvent::AlterPhase;
    if (query.alter_phase == Phase::start || query.alter_phase == Phase::rollback) return {};
    sluice::schema::DdlContext context;
    context.flavor = framer_.format()->flavor;
    context.version = framer_.format()->version_number();
    context.sql_mode = query.sql_mode;
    context.database = query.database;
    context.charset.clear();
    context.server_charset = charset_name(query.charset_server);
    context.explicit_defaults_for_timestamp = query.explicit_defaults_for_timestamp;
    context.failed = query.error_code != 0;
    const std::string statement = to_utf8(query.statement, query.charset_client);
    const auto before = tables_.tables();
    const auto effects = tables_.apply(statement, context);
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
                       {"effects", sluice::schema::effects_text(effects)},
                       {"tables", std::move(changed)},
                       {"lost", std::move(lost)},
                       {"databases", tables_.databases()}};
    std::cout << line.dump(-1, ' ', false, json::error_handler_t::replace) << '\n';
    return {};
  }

  sluice::binlog::EventFramer framer_{sluice::binlog::ChecksumAlg::off, true};
  Definitions tables_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  try {
    const int folding = argc > 2 ? std::atoi(argv[2]) : 0;
    const Status read = Follower(static_cast<std::uint8_t>(folding)).read(argv[1]);
    if (read.ok()) return 0;
    std::cerr << read.error().what << '\n';
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
  }
  return 1;
}
