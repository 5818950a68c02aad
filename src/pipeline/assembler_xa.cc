// The part of the assembler that reads XA transactions.  Their rows are collected while they are
// read, whatever the end will be; XA PREPARE puts them aside, and XA COMMIT, a transaction of its
// own, sends them under its identity.
#include <algorithm>

#include "sluice/base/log.h"

#include "pipeline/assembler.h"

namespace sluice::pipeline {
namespace {

// Lines go to the sink in pieces of about this size: nothing can take them back any more.
constexpr std::size_t kPieceBytes = 256u << 10;

// The rows are not to be had any more.
constexpr std::string_view kCompare =
    "Compare the tables it wrote, then go on behind it with `sluice position set`";

// With what to do when it is the file with the rows that is damaged.
Error lost(Error error) {
  if (error.code == Errc::position_damaged) error.what += ". " + std::string(kCompare);
  return error;
}

}  // namespace

Status Assembler::begin_xa(const binlog::FormatDescription& format) {
  if (group_.known || group_.again) return {};
  if (group_.events != 0)
    return fatal(Errc::binlog_malformed,
                 "XA START inside a transaction, which began at " + std::to_string(group_.id.pos));
  group_.xa = true;
  held_rows_.begin(format);
  return {};
}

Status Assembler::on_xa(const binlog::QueryEvent& query, const binlog::FormatDescription& format) {
  SLUICE_TRY_ASSIGN(const auto statement, binlog::XaStatement::read(query.statement));
  using Verb = binlog::XaStatement::Verb;
  switch (statement.verb) {
    case Verb::start: group_.in_transaction = true; return begin_xa(format);
    case Verb::end:
    case Verb::prepare: return {};
    case Verb::commit:
      group_.in_transaction = false;
      // With its rows in one group they go as any transaction's.
      if (group_.xa || group_.known || group_.again) return {};
      if (Status s = send_prepared(statement.xid); !s.ok()) {
        if (s.error().cls == ErrorClass::stopped) return s;
        return std::move(s).error().at("XA COMMIT of " + statement.xid);
      }
      held_->end(statement.xid, group_.id);
      return {};
    case Verb::rollback:
      group_.in_transaction = false;
      if (group_.known || group_.again) return {};
      held_rows_.drop();
      held_->end(statement.xid, group_.id);
      return {};
  }
  return {};
}

Status Assembler::on_xa_prepare(const binlog::EventView& event) {
  SLUICE_TRY_ASSIGN(const auto prepare, binlog::XaPrepareEvent::decode(event.body));
  if (prepare.one_phase || group_.known || group_.again) return commit();
  if (!group_.open || (!group_.xa && group_.events != 0))
    return fatal(Errc::binlog_malformed,
                 "XA PREPARE of " + prepare.xid + " ends what did not begin as an XA transaction");
  position::HeldSummary summary;
  summary.xid = prepare.xid;
  summary.prepared = group_.id;
  summary.begins = {file_ ? file_->name : std::string(), group_.id.pos};
  summary.gtid = group_.gtid_text;
  SLUICE_TRY(held_rows_.prepare(std::move(summary)));
  log::get("pipeline").debug("XA transaction held xid={}", prepare.xid);
  return commit();
}

Status Assembler::hold(const event::PlanCache::Entry& entry, std::uint64_t table_id,
                       const binlog::EventView& event, std::uint64_t ordinal) {
  SLUICE_TRY_ASSIGN(const std::string* table,
                    held_tables_.record_of(entry, tables_.body(table_id)));
  return held_rows_.add(*table, event.header.type, event.body, ordinal);
}

Status Assembler::send_prepared(const std::string& xid) {
  auto found = held_->find(xid);
  if (!found) return lost(std::move(found).error());
  if (!*found)
    return unsupported(
        "its rows are not held, it was prepared before the place this instance began to read at. " +
        std::string(kCompare));
  HeldXa::Held& held = **found;
  const std::string where = "prepared at " + held.summary.begins.to_string();
  const auto& left_out = held.summary.left_out;
  const auto wanted = std::find_if(left_out.begin(), left_out.end(), [this](const auto& name) {
    const std::size_t dot = name.find('.');
    return filter_->takes(name.substr(0, dot), name.substr(dot + 1));
  });
  if (wanted != left_out.end())
    return unsupported(where + ": " + *wanted +
                       " was not taken by the filter then, and is now: its rows are not held. " +
                       std::string(kCompare));
  Status s = send_held(std::move(held.records));
  if (!s.ok() && s.error().cls != ErrorClass::stopped) return lost(std::move(s).error()).at(where);
  return s;
}

Status Assembler::send_held(Result<position::RecordReader> records) {
  if (!records) return std::move(records).error();
  HeldRowsReader reader(*records);
  const HeldTables::Maker make = [this](binlog::TableMap map, TableSchema schema) {
    return make_plan(std::move(map), std::move(schema));
  };
  std::optional<std::uint32_t> table;  // that `entry` is of
  event::PlanCache::Entry entry;
  HeldRowsReader::Event event;
  for (;;) {
    SLUICE_TRY_ASSIGN(const bool more, reader.next(event));
    if (!more) return {};
    if (event.number != table) {
      SLUICE_TRY_ASSIGN(const auto* known,
                        held_tables_.entry_of(*event.table, reader.format(), make));
      entry = *known;
      table = event.number;
    }
    if (!entry.plan) continue;  // not taken any more
    binlog::RowsEvent rows;
    SLUICE_TRY(binlog::RowsEvent::decode(event.type, event.body, reader.format(), rows));
    if (!entry.plan->takes(rows.kind)) continue;
    if (Status s = encode(entry.plan, rows, event.ordinal); !s.ok())
      return std::move(s).error().at(entry.name);
    if (batch_.bytes > kPieceBytes) {
      group_.streamed = true;
      SLUICE_TRY(hand_over());
    }
  }
}

}  // namespace sluice::pipeline
