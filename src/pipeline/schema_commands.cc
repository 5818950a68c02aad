// What the program's commands do about the schema history.
#include "sluice/base/clock.h"
#include "sluice/mysql/gtid_state.h"
#include "sluice/pipeline/commands.h"
#include "sluice/position/state_file.h"

#include "pipeline/schema_start.h"
#include "pipeline/state_hold.h"

namespace sluice::pipeline {
namespace {

std::string counted(std::size_t count, std::string_view noun) {
  return std::to_string(count) + " " + std::string(noun) + (count == 1 ? "" : "s");
}

// "(a, b)"
std::string columns_of(const std::vector<std::uint16_t>& key, const TableSchema& table) {
  std::string out;
  for (const std::uint16_t c : key) out += (out.empty() ? "(" : ", ") + table.columns[c].name;
  return out + ")";
}

std::string summary(const TableSchema& table) {
  const auto& key = table.row_key();
  return counted(table.columns.size(), "column") +
         (key.empty() ? ", no key" : ", key " + columns_of(key, table));
}

// DB.TABLE; further points belong to the table's name.
Result<std::pair<std::string, std::string>> parse_table(const std::string& text) {
  const std::size_t point = text.find('.');
  if (point == std::string::npos || point == 0 || point + 1 == text.size())
    return fatal(Errc::usage, "\"" + text + "\" is not DATABASE.TABLE");
  return std::pair(text.substr(0, point), text.substr(point + 1));
}

Result<position::State> must_have(std::optional<position::State> state, const Options& options) {
  if (state) return std::move(*state);
  return fatal(Errc::position_missing, "no state file in " + options.state_dir() +
                                           ": nothing is known before the first start");
}

Result<TableFilter> filter_for(const Options& options, mysql::Connection& source) {
  SLUICE_TRY_ASSIGN(const std::uint8_t lower_case, mysql::read_lower_case_table_names(source));
  return TableFilter(options, lower_case == 0 ? NameCase::differs : NameCase::is_the_same);
}

void show_all(const schema::Definitions& tables, std::ostream& out) {
  for (const auto& [name, table] : tables.tables())
    out << full_name(name.first, name.second) << "  " << summary(table) << "\n";
  for (const auto& [name, why] : tables.lost())
    out << full_name(name.first.empty() ? "*" : name.first, name.second.empty() ? "*" : name.second)
        << "  not known: " << why << "\n";
}

void show_one(const TableSchema& table, std::ostream& out) {
  for (const ColumnSchema& c : table.columns) {
    out << "  " << c.name << " " << c.mysql_type;
    if (!c.charset.empty()) out << " " << c.charset;
    out << (c.nullable ? "" : " not null") << (c.generated ? " generated" : "")
        << (c.invisible ? " invisible" : "") << "\n";
  }
  if (!table.primary_key.empty())
    out << "  primary key " << columns_of(table.primary_key, table) << "\n";
  for (const UniqueKey& key : table.unique_keys)
    out << "  unique key " << key.name << " " << columns_of(key.columns, table) << "\n";
}

}  // namespace

Status schema_show(const Options& options, const std::string& table, std::ostream& out) {
  SLUICE_TRY_ASSIGN(auto saved, position::Store::peek(options.state_dir()));
  SLUICE_TRY_ASSIGN(const auto state, must_have(std::move(saved), options));
  SLUICE_TRY_ASSIGN(const auto history,
                    schema::History::peek(history_file(options), system_clock()));
  const schema::Place place(state.epoch, state.position);
  SLUICE_TRY_ASSIGN(const auto tables, history->restore(place));
  if (!tables) {
    out << "the schema history does not reach " << place.to_string()
        << ": tables are read at the next start\n";
    return {};
  }
  if (table.empty()) {
    out << "at " << place.to_string() << ": " << counted(tables->tables().size(), "table")
        << " known\n";
    show_all(*tables, out);
    return {};
  }
  SLUICE_TRY_ASSIGN(const auto name, parse_table(table));
  const TableSchema* found = tables->find(name.first, name.second);
  const std::string* why = tables->why_lost(name.first, name.second);
  if (found == nullptr)
    return fatal(Errc::schema_unknown,
                 table + " is not known at " + place.to_string() +
                     (why == nullptr ? std::string(": there is no such table in the history")
                                     : " (" + *why + ")"));
  out << table << " at " << place.to_string() << "\n";
  show_one(*found, out);
  return {};
}

Status schema_refresh(const Options& options, const std::string& table, std::ostream& out) {
  SLUICE_TRY_ASSIGN(const auto name, parse_table(table));
  SLUICE_TRY_ASSIGN(auto held, StateHold::open_for_command(options));
  SLUICE_TRY_ASSIGN(auto state, must_have(std::move(held.second), options));
  SLUICE_TRY_ASSIGN(auto connection, mysql::Connection::open(options.source));
  SLUICE_TRY_ASSIGN(const auto identity, mysql::read_source_identity(connection));
  SLUICE_TRY(same_source(state.source, source_state(identity)));
  mysql::Hosts hosts(options.source);
  hosts.follow(connection.endpoint());
  SLUICE_TRY_ASSIGN(const auto history,
                    schema::History::open(history_file(options), system_clock()));
  SLUICE_TRY_ASSIGN(const TableFilter filter, filter_for(options, connection));
  mysql::SourceSchemas source(
      schema_settings(hosts, replica_identity(options), filter, std::stop_token()));
  const schema::Place place(state.epoch, state.position);
  SLUICE_TRY_ASSIGN(const auto read, source.read_table_since(name.first, name.second, place));
  SLUICE_TRY(history->add_table(read.first, read.second));
  SLUICE_TRY(held.first.save(state));
  out << table << "  " << summary(read.second) << "\n";
  out << "known      from " << read.first.to_string() << " on\n";
  if (read.first > place)
    out << "           a statement has changed it there: rows between " << place.to_string()
        << " and there are of a table that is not known\n";
  return {};
}

Status move_history(const Options& options, mysql::Connection& source, std::uint32_t epoch,
                    const BinlogPosition& from, const BinlogPosition& to) {
  SLUICE_TRY_ASSIGN(const auto history,
                    schema::History::open(history_file(options), system_clock()));
  SLUICE_TRY_ASSIGN(const TableFilter filter, filter_for(options, source));
  mysql::Hosts hosts(options.source);
  hosts.follow(source.endpoint());
  return skip_statements(
      options, schema_settings(hosts, replica_identity(options), filter, std::stop_token()),
      {epoch, from}, {epoch, to}, *history);
}

Status carry_history(const Options& options, mysql::Connection& source, const position::State& old,
                     const schema::Place& to) {
  const Flavor flavor = source.server().flavor;
  SLUICE_TRY_ASSIGN(const auto identity, mysql::read_source_identity(source));
  if (old.gtid_set.empty() || !same_source(old.source, source_state(identity)).ok()) return {};
  SLUICE_TRY_ASSIGN(const GtidSet executed, GtidSet::parse(flavor, old.gtid_set));
  SLUICE_TRY_ASSIGN(const auto server, mysql::read_server_gtids(source));
  if (!mysql::compare_gtids(executed, server).missing.empty()) return {};
  const schema::Place was(old.epoch, old.position), there(old.epoch, to.position());
  if (there > was)
    SLUICE_TRY(move_history(options, source, old.epoch, old.position, to.position()));
  SLUICE_TRY_ASSIGN(const auto history,
                    schema::History::open(history_file(options), system_clock()));
  return history->covers(there) ? history->carry_over(there, to) : Status();
}

}  // namespace sluice::pipeline
