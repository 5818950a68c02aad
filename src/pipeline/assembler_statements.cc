// The part of the assembler that reads statements: what a QUERY does to the transaction around it.
#include <algorithm>

#include "sluice/base/log.h"
#include "sluice/base/names.h"

#include "pipeline/assembler.h"
#include "pipeline/ddl_type.h"

namespace sluice::pipeline {
Status Assembler::on_query(const binlog::EventView& event, const binlog::FormatDescription& format,
                           std::uint64_t start) {
  SLUICE_TRY_ASSIGN(const auto query, binlog::QueryEvent::decode(event.body, format));
  const binlog::Statement statement = binlog::classify_statement(query.statement, query.sql_mode);
  switch (statement.kind) {
    case binlog::StatementKind::begin:
      if (!group_.open) open_group(event.header.timestamp, start);
      group_.in_transaction = true;
      return {};
    case binlog::StatementKind::commit: return commit();
    case binlog::StatementKind::rollback: {
      SLUICE_TRY(abandon("it ends in ROLLBACK"));
      group_.open = true;  // the group itself is read to its end: its GTID counts as executed
      return commit();
    }
    case binlog::StatementKind::savepoint: savepoint(statement.name); return {};
    case binlog::StatementKind::rollback_to: return rollback_to(statement.name);
    case binlog::StatementKind::create_select:
      return group_.known ? Status() : on_ddl(query, statement, format);
    default: break;
  }
  if (!group_.open) open_group(event.header.timestamp, start);
  if (statement.kind == binlog::StatementKind::xa) {
    SLUICE_TRY(on_xa(query, format));
  } else if (!group_.known) {
    // A table is emptied while it is known.
    SLUICE_TRY(on_statement(query, statement));
    if (statement.kind != binlog::StatementKind::dml) SLUICE_TRY(on_ddl(query, statement, format));
  }
  if (!group_.in_transaction || group_.standalone) return commit();
  return {};
}

Status Assembler::on_statement(const binlog::QueryEvent& query,
                               const binlog::Statement& statement) {
  switch (statement.kind) {
    case binlog::StatementKind::dml:
      return unsupported(
          "a change in statement format (database \"" + std::string(query.database) +
          "\"): its rows are not in the binlog. Set binlog_format = ROW for every session (SET "
          "GLOBAL binlog_format = 'ROW'), compare the tables, then go on behind it with `sluice "
          "position set`");
    case binlog::StatementKind::truncate:
    case binlog::StatementKind::drop: return on_dropped(query, statement);
    default: return {};
  }
}

Status Assembler::on_dropped(const binlog::QueryEvent& query, const binlog::Statement& statement) {
  std::vector<TableName> victims;  // an empty table name: a whole database
  for (const auto& [named, table] : statement.tables) {
    const std::string_view database = named.empty() ? query.database : std::string_view(named);
    if (table.empty() ? filter_->may_take_from(database) : filter_->takes(database, table))
      victims.emplace_back(database, table);
  }
  if (victims.empty() && statement.tables_known) return {};
  std::string victim = "a table (the statement could not be read)";
  if (statement.tables_known) {
    const auto& [database, table] = victims.front();
    victim = table.empty() ? "database " + database : full_name(database, table);
  }
  const std::string_view verb =
      statement.kind == binlog::StatementKind::truncate ? "TRUNCATE" : "DROP";
  if (settings_.ignore_truncate) {
    log::get("pipeline")
        .warn("{} of {} ignored, its keys stay in Redis pos={}", verb, victim, here().to_string());
    return {};
  }
  if (empty_ && statement.tables_known) {
    if (barrier_) SLUICE_TRY(barrier_());
    return empty_(victims, group_.id, group_.gtid_text);
  }
  return unsupported(std::string(verb) + " of " + victim +
                     ": its keys would stay in Redis. Set applier.on_truncate: empty to have them "
                     "removed, ignore to leave them there and go on, or remove them by hand and go "
                     "on behind it with `sluice position set`");
}

// What a statement does to tables: other than rows of it may need other plans.
Status Assembler::on_ddl(const binlog::QueryEvent& query, const binlog::Statement& statement,
                         const binlog::FormatDescription& format) {
  auto ddl = schema::ddl_statement(query, format, place_here());
  if (!ddl) return {};
  if (settings_.publish_ddl) SLUICE_TRY(publish(*ddl));
  SLUICE_TRY_ASSIGN(const auto effects, catalog_->apply(std::move(*ddl)));
  if (effects.empty()) return {};
  tables_.clear();
  // on_dropped() looks at those.
  const bool drops = statement.kind == binlog::StatementKind::truncate ||
                     statement.kind == binlog::StatementKind::drop;
  return on_effects(effects, drops);
}

// The first table it names that is taken stands for all of them.
Status Assembler::publish(const schema::DdlStatement& ddl) {
  const binlog::Statement read = binlog::classify_statement(ddl.text, ddl.context.sql_mode);
  const std::string_view type = ddl_type(read.kind, ddl.text, ddl.context.sql_mode);
  if (type.empty()) return {};
  PublishedDdl out;
  std::string database;
  for (const auto& [named, table] : read.tables) {
    database = named.empty() ? ddl.context.database : named;
    if (table.empty() ? !filter_->may_take_from(database) : !filter_->takes(database, table))
      continue;
    out.line = {group_.id,    type,
                database,     table,
                ddl.text,     group_.gtid_text,
                group_.es_ms, clock_->wall_us() / 1000};
    out.commit_us = group_.commit_us;
    out.file = file_;
    out.pos = pos_;
    return sink_->add_ddl(out);
  }
  return {};
}

void Assembler::savepoint(const std::string& name) {
  Savepoint s;
  s.name = name;
  s.rows = batch_.rows;
  s.letters = batch_.letters.size();
  s.held = held_rows_.mark();
  if (overlap_.active()) s.overlap = overlap_.left();
  s.marks.reserve(batch_.partitions.size());
  for (const PartitionLines& p : batch_.partitions)
    s.marks.emplace_back(p.lines.size(), p.text.size());
  std::erase_if(savepoints_, [&](const Savepoint& old) { return same_ascii_name(old.name, name); });
  savepoints_.push_back(std::move(s));
}

Status Assembler::rollback_to(const std::string& name) {
  if (group_.streamed) return abandon("ROLLBACK TO SAVEPOINT " + name);
  const auto it = std::find_if(savepoints_.begin(), savepoints_.end(),
                               [&](const Savepoint& s) { return same_ascii_name(s.name, name); });
  if (it == savepoints_.end())
    return fatal(Errc::binlog_malformed, "ROLLBACK TO a savepoint that was not set: " + name);
  savepoints_.erase(it + 1, savepoints_.end());
  if (!it->overlap.empty()) overlap_.restore(it->overlap);
  std::vector<std::uint32_t> kept;
  for (const std::uint32_t p : batch_.touched) {
    PartitionLines& lines = batch_.partitions[p];
    const auto [count, size] = it->marks[p];
    for (std::size_t i = count; i < lines.lines.size(); ++i) batch_.bytes -= lines.lines[i].size;
    lines.lines.resize(count);
    lines.text.truncate(size);
    if (count != 0) kept.push_back(p);
  }
  batch_.touched = std::move(kept);
  batch_.rows = it->rows;
  for (std::size_t i = it->letters; i < batch_.letters.size(); ++i)
    batch_.bytes -= batch_.letters[i].letter.body.size();
  batch_.letters.resize(it->letters);
  return group_.xa ? held_rows_.rollback_to(it->held) : Status();
}
}  // namespace sluice::pipeline
