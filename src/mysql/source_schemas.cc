#include "sluice/mysql/source_schemas.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "sluice/base/log.h"
#include "sluice/mysql/preflight.h"

#include "mysql/table_definitions.h"

namespace sluice::mysql {
namespace {

using schema::Place;

// Tables are read again while statements change them, so often; what keeps changing is left to the
// stream.
constexpr int kRounds = 10;

std::string full_name(std::string_view database, std::string_view table) {
  return std::string(database) + "." + std::string(table);
}

// Tables and databases while they are read: what is known, and from which place on that holds.
class Reading {
 public:
  Reading(Connection& connection, const std::function<bool(std::string_view)>& wanted)
      : connection_(connection), wanted_(wanted) {}

  // Reads what is not known, and what a statement behind `since` has changed.  False when there was
  // nothing to read and all is as it was.
  Result<bool> round(const schema::TouchedTables& touched, const Place& since) {
    SLUICE_TRY_ASSIGN(auto databases, list_databases(connection_));
    std::erase_if(databases, [this](const auto& d) { return wanted_ && !wanted_(d.first); });
    std::vector<std::string> names;
    names.reserve(databases.size());
    for (const auto& [name, charset] : databases) names.push_back(name);
    SLUICE_TRY_ASSIGN(const auto listed, list_tables(connection_, names));
    std::map<TableName, TableSchema> kept;
    std::vector<TableName> missing;
    for (const TableName& name : listed) {
      auto known = tables_.extract(name);
      if (known && !is_behind(touched.last(name.first, name.second), since))
        kept.insert(std::move(known));
      else if (!denied_.contains(name))
        missing.push_back(name);
    }
    // What is left there has gone meanwhile.
    const bool news = databases != databases_ || !missing.empty() || !tables_.empty();
    databases_ = std::move(databases);
    tables_ = std::move(kept);
    SLUICE_TRY(read(missing));
    return news;
  }

  // Drops what a statement behind `since` has changed; how many tables.
  std::size_t drop_changed(const schema::TouchedTables& touched, const Place& since) {
    return std::erase_if(tables_, [&](const auto& entry) {
      return is_behind(touched.last(entry.first.first, entry.first.second), since);
    });
  }

  std::map<TableName, TableSchema>& tables() noexcept { return tables_; }
  const std::map<std::string, std::string>& databases() const noexcept { return databases_; }

 private:
  static bool is_behind(const std::optional<Place>& last, const Place& since) {
    return last && *last > since;
  }

  Status read(const std::vector<TableName>& names) {
    SLUICE_TRY_ASSIGN(auto answers, read_definitions(connection_, names));
    for (std::size_t i = 0; i < answers.size(); ++i) {
      if (answers[i]) {
        tables_.insert_or_assign(names[i], std::move(answers[i]).value());
        continue;
      }
      const Error& error = answers[i].error();
      if (error.code == Errc::schema_missing) continue;  // dropped meanwhile
      if (error.code != Errc::mysql_denied) return error;
      denied_.insert(names[i]);
      log::get("schema").warn(
          "a table may not be read, rows of it would stop us table={} error=\"{}\"",
          full_name(names[i].first, names[i].second), error.what);
    }
    return {};
  }

  Connection& connection_;
  const std::function<bool(std::string_view)>& wanted_;
  std::map<TableName, TableSchema> tables_;
  std::set<TableName> denied_;
  std::map<std::string, std::string> databases_;
};

}  // namespace

template <class T>
Result<T> SourceSchemas::with_connection(const std::function<Result<T>(Connection&)>& act) {
  if (connection_ && connection_->endpoint() != settings_.hosts->current()) connection_.reset();
  for (bool again = connection_.has_value();; again = false) {
    if (!connection_) {
      SLUICE_TRY_ASSIGN(auto opened,
                        Connection::open(settings_.hosts->options(), settings_.hosts->current()));
      SLUICE_TRY_ASSIGN(lower_case_, read_lower_case_table_names(opened));
      connection_ = std::move(opened);
    }
    auto done = act(*connection_);
    if (done.ok() || done.error().code != Errc::mysql_lost) return done;
    connection_.reset();  // it may have timed out since the last question
    if (!again) return done;
  }
}

Result<Place> SourceSchemas::end_of_binlog(std::uint32_t epoch, GtidSet* gtids) {
  SLUICE_TRY_ASSIGN(auto latest, with_connection<SourcePosition>([](Connection& connection) {
                      return latest_position(connection);
                    }));
  if (gtids != nullptr) *gtids = std::move(latest.gtids);
  return Place(epoch, std::move(latest.position));
}

Result<Place> SourceSchemas::look_from(const Place& from, GtidSet* gtids) {
  SLUICE_TRY_ASSIGN(Place now, end_of_binlog(from.epoch(), gtids));
  if (!looked_ || from < looked_->first || from > looked_->second) {
    touched_ = schema::TouchedTables(lower_case_);
    looked_ = {from, from};
  }
  if (now > looked_->second) {
    const auto each = [this](const schema::DdlStatement& statement) -> Status {
      touched_.add(statement);
      return {};
    };
    Status s = scan_statements(settings_.hosts->options(), settings_.hosts->current(),
                               settings_.identity, looked_->second, now, settings_.stop, each);
    if (!s.ok()) {
      looked_.reset();  // a part of the way was seen
      return s.error();
    }
    looked_->second = now;
  }
  return now;
}

Result<TableSchema> SourceSchemas::read_table(std::string_view database, std::string_view table) {
  return with_connection<TableSchema>([&](Connection& connection) -> Result<TableSchema> {
    SLUICE_TRY_ASSIGN(auto read,
                      read_definitions(connection, {{std::string(database), std::string(table)}}));
    return std::move(read.front());
  });
}

Result<TableSchema> SourceSchemas::read_table_at(std::string_view database, std::string_view table,
                                                 const Place& place) {
  const auto altered = [&]() -> std::optional<Error> {
    const auto last = touched_.last(database, table);
    if (!looked_ || place < looked_->first || place > looked_->second || !last || *last <= place)
      return std::nullopt;
    return fatal(Errc::schema_unknown, "the source's " + full_name(database, table) +
                                           " was changed by a statement at " + last->to_string() +
                                           " since");
  };
  if (auto known = altered()) return std::move(*known);
  SLUICE_TRY_ASSIGN(auto read, read_table(database, table));
  SLUICE_TRY(look_from(place));
  if (auto known = altered()) return std::move(*known);
  return read;
}

Result<std::pair<Place, TableSchema>> SourceSchemas::read_table_since(std::string_view database,
                                                                      std::string_view table,
                                                                      const Place& from) {
  Place since = from;
  for (int round = 0; round < kRounds; ++round) {
    SLUICE_TRY_ASSIGN(const Place before, look_from(from));
    SLUICE_TRY_ASSIGN(auto read, read_table(database, table));
    SLUICE_TRY(look_from(from));
    const auto last = touched_.last(database, table);
    if (!last || *last <= before)
      return std::pair(last ? std::max(*last, from) : from, std::move(read));
  }
  return fatal(Errc::schema_unknown,
               full_name(database, table) +
                   " is changed by statements all the time: it cannot be read in between");
}

Result<SchemaBaseline> SourceSchemas::baseline(std::uint32_t epoch,
                                               const std::optional<BinlogPosition>& from) {
  SchemaBaseline out;
  SLUICE_TRY_ASSIGN(out.now, end_of_binlog(epoch, &out.gtids));
  out.place = from ? Place(epoch, *from) : out.now;
  SLUICE_TRY_ASSIGN(auto connection,
                    Connection::open(settings_.hosts->options(), settings_.hosts->current()));
  Reading reading(connection, settings_.wanted);
  // What a round reads holds at its end, but for what statements have changed since its beginning.
  Place before = out.now;
  bool settled = false;
  for (int round = 0; round < kRounds; ++round) {
    SLUICE_TRY_ASSIGN(const bool more, reading.round(touched_, before));
    settled = !more && round != 0;
    if (settled) break;
    before = out.now;
    SLUICE_TRY_ASSIGN(out.now, look_from(out.place, &out.gtids));
  }
  const std::size_t moving = reading.drop_changed(touched_, before);
  if (moving != 0)
    log::get("schema").info(
        "tables that are changed by statements all the time are left to the binlog count={}",
        moving);
  if (!from) out.place = out.now;

  out.tables = schema::Definitions(lower_case_);
  for (const auto& [name, charset] : reading.databases()) {
    const auto last = touched_.last(name);
    out.tables.put_database(name, last && *last > out.place ? std::string() : charset);
  }
  for (const auto& [name, touch] : touched_.tables()) {
    if (touch.last <= out.place) continue;
    out.tables.lose(name.first, name.second,
                    "it was changed by a statement at " + touch.last.to_string());
    if (touch.altered) out.altered.emplace(name, touch.last);
  }
  // Those that were not read are among them: listed by one name, and renamed before they were asked
  // for.
  if (!from && !settled)
    for (const auto& [name, touch] : touched_.tables())
      if (touch.last > before)
        out.tables.lose(name.first, name.second, "it is changed by statements all the time");
  for (auto& [name, table] : reading.tables()) {
    const auto last = touched_.last(name.first, name.second);
    if (last && *last > out.place)
      out.later.emplace_back(*last, std::move(table));
    else
      out.tables.put(std::move(table));
  }
  return out;
}

Result<bool> has_full_metadata(Connection& connection) {
  SLUICE_TRY_ASSIGN(const ResultRows rows,
                    connection.query("SHOW GLOBAL VARIABLES LIKE 'binlog_row_metadata'"));
  return !rows.empty() && rows.front().size() > 1 && rows.front()[1] == "FULL";
}

}  // namespace sluice::mysql
