// The part of the assembler that makes lines of rows: TABLE_MAP and ROWS events.
#include <algorithm>

#include "sluice/base/log.h"

#include "pipeline/assembler.h"
#include "pipeline/mapping_check.h"

namespace sluice::pipeline {
namespace {

// Lines of a transaction too large to hold go to the sink in pieces of about this size.
constexpr std::size_t kStreamBytes = 256u << 10;
// Keys of the applied records and the watermark: sluice:<instance>:...
constexpr std::string_view kOwnPrefix = "sluice";

}  // namespace

Result<event::PlanCache::Entry> Assembler::make_plan(binlog::TableMap map) {
  TableSchema schema;
  if (filter_->takes(map.database, map.table)) {
    // No DDL comes between the transaction's begin and its rows but one that the catalog has seen.
    const schema::Place place(epoch_ ? epoch_->number : 1,
                              {here().file, group_.open ? group_.id.pos : pos_});
    SLUICE_TRY_ASSIGN(schema, catalog_->resolve(map, flavor_, place));
  }
  return make_plan(std::move(map), std::move(schema));
}

Result<event::PlanCache::Entry> Assembler::make_plan(binlog::TableMap map, TableSchema schema) {
  event::PlanCache::Entry entry;
  entry.name = full_name(map.database, map.table);
  if (!filter_->takes(map.database, map.table)) return entry;
  const event::TableRules rules = filter_->rules(map.database, map.table);
  if ((rules.database.empty() ? map.database : rules.database) == kOwnPrefix)
    return unsupported("rows of " + entry.name + " go by the database \"" +
                       std::string(kOwnPrefix) +
                       "\", but Redis keys that begin with it are Sluice's own: put it into "
                       "filter.exclude, or give it another name with `logical` in `tables`");
  entry.schema = std::make_shared<const TableSchema>(schema);
  SLUICE_TRY_ASSIGN(entry.plan, event::TablePlan::make(std::move(map), std::move(schema), rules,
                                                       settings_.render));
  if (settings_.options != nullptr)
    SLUICE_TRY(check_mappings(*settings_.options, *filter_, *entry.schema));
  const auto ruled_by = filter_->entry_of(entry.plan->map().database, entry.plan->map().table);
  const bool mapped = settings_.options != nullptr && ruled_by &&
                      settings_.options->tables()[*ruled_by].mappings.size() != 0;
  if (!mapped && entry.plan->schema().row_key().empty() && keyless_.insert(entry.name).second)
    log::get("pipeline")
        .warn(
            "table without a primary key or a unique key without NULLs: its rows are sent but not "
            "written to Redis, give it a key, or mappings table={}",
            entry.name);
  tell_unknown_columns(entry);
  return entry;
}

// Once for each column and table, whatever ALTERs come.
void Assembler::tell_unknown_columns(const event::PlanCache::Entry& entry) {
  for (const std::string& column : entry.plan->unknown_columns())
    if (unknown_columns_.insert(entry.name + "." + column).second)
      log::get("pipeline")
          .warn(
              "`columns` or `mask` of its tables entry names a column that the table does not have "
              "table={} column={}",
              entry.name, column);
}

Status Assembler::on_rows(const binlog::EventView& event, const binlog::FormatDescription& format) {
  binlog::RowsEvent rows;
  SLUICE_TRY(binlog::RowsEvent::decode(event.header.type, event.body, format, rows));
  if (group_.known) return {};
  if (std::holds_alternative<std::monostate>(group_.gtid)) print_.add(event, format);
  const event::PlanCache::Entry* const entry = tables_.find(rows.table_id);
  // The dummy's number may be a real table's too: servers do not leave it out.
  if (rows.table_id == binlog::TableMap::kDummyId && entry == nullptr && rows.rows.empty())
    return {};
  if (!group_.open)
    return fatal(Errc::binlog_malformed, std::string(binlog::event_type_name(event.header.type)) +
                                             " outside a transaction");
  if (entry == nullptr)
    return fatal(Errc::binlog_malformed, "rows of table id " + std::to_string(rows.table_id) +
                                             ", which no TABLE_MAP has named");
  const std::uint64_t ordinal = group_.events++;
  if (!entry->plan) {
    if (group_.xa) held_rows_.leave_out(entry->name);
    return {};
  }
  if (group_.xa) return hold(*entry, rows.table_id, event, ordinal);
  if (!entry->plan->takes(rows.kind) || group_.again) return {};
  if (group_.id == streamed_id_ && ordinal < streamed_events_) return {};  // handed over before
  if (parallel_) {
    if (for_threads(event.body.size()))
      return parallel_->add(event.header.type, event.body, format, entry->plan, context_of(ordinal),
                            event_start_);
    SLUICE_TRY(parallel_->settle());
    group_.alone += event.body.size();
  }
  if (Status s = encode(entry->plan, rows, ordinal); !s.ok())
    return std::move(s).error().at(entry->name);
  return stream_above_limit(ordinal);
}

bool Assembler::for_threads(std::size_t body_bytes) const noexcept {
  // What an overlap leaves out is counted row by row.
  return group_.alone >= settings_.encode_alone_bytes && !overlap_.active() &&
         parallel_->holds(body_bytes);
}

// After the event of this ordinal.
Status Assembler::stream_above_limit(std::uint64_t ordinal) {
  if (batch_.bytes > settings_.hold_bytes || (group_.streamed && batch_.bytes > kStreamBytes)) {
    if (!group_.streamed)
      log::get("pipeline")
          .debug("transaction too large to hold, streaming id={}.{}.{}", group_.id.epoch,
                 group_.id.file, group_.id.pos);
    group_.streamed = true;
    streamed_id_ = group_.id;
    SLUICE_TRY(hand_over());
    streamed_events_ = ordinal + 1;
  }
  return {};
}

Status Assembler::encode(const std::shared_ptr<const event::TablePlan>& plan,
                         const binlog::RowsEvent& rows, std::uint64_t ordinal) {
  keep(plan);
  SLUICE_TRY_ASSIGN(const std::uint64_t count,
                    encoder_.encode(*plan, rows, context_of(ordinal), *this));
  count_rows(count);
  return {};
}

// Lines point to it.
void Assembler::keep(const std::shared_ptr<const event::TablePlan>& plan) {
  if (std::find(batch_.plans.begin(), batch_.plans.end(), plan) == batch_.plans.end())
    batch_.plans.push_back(plan);
}

event::LineContext& Assembler::context_of(std::uint64_t ordinal) {
  context_.seq = {group_.id.epoch, group_.id.file, group_.id.pos, ordinal, 0};
  context_.gtid = group_.gtid_text;
  context_.es_ms = group_.es_ms;
  context_.ts_ms = clock_->wall_us() / 1000;
  return context_;
}

void Assembler::count_rows(std::uint64_t rows) {
  ops::add_alone(counters_->rows_read, rows);
  batch_.rows += rows;
}

Status Assembler::take_job(EncodeJob& job) {
  const std::uint64_t event = event_start_;
  if (job.encoded != 0) {
    for (const auto& plan : job.plans) keep(plan);
    for (EncodeJob::Line& made : job.lines) {
      PartitionLines& to = partition_of(made.partition);
      const std::string_view text = job.text.view().substr(made.line.begin, made.line.size);
      made.line.begin = static_cast<std::uint32_t>(to.text.size());
      to.text.append(text);
      to.lines.push_back(made.line);
      batch_.bytes += text.size();
    }
    count_rows(job.rows);
    SLUICE_TRY(stream_above_limit(job.items[job.encoded - 1].ordinal));
  }
  for (std::size_t i = job.encoded; i < job.items.size(); ++i) {
    const EncodeJob::Item& item = job.items[i];
    event_start_ = item.start;  // the place of an error is that of its event
    if (!job.status.ok()) return std::move(job.status);
    binlog::RowsEvent rows;
    SLUICE_TRY(binlog::RowsEvent::decode(item.type, job.body(item), job.format, rows));
    const auto& plan = job.plans[item.plan];
    if (Status s = encode(plan, rows, item.ordinal); !s.ok())
      return std::move(s).error().at(full_name(plan->map().database, plan->map().table));
    SLUICE_TRY(stream_above_limit(item.ordinal));
  }
  event_start_ = event;
  return {};
}

PartitionLines& Assembler::partition_of(std::uint32_t partition) {
  PartitionLines& lines = batch_.partitions[partition];
  if (lines.lines.empty()) batch_.touched.push_back(partition);
  return lines;
}

void Assembler::take(std::uint32_t partition, event::LineEncoder& line) {
  PartitionLines& lines = partition_of(partition);
  lines.lines.push_back(line.finish(lines.text));
  batch_.bytes += lines.lines.back().size;
}

}  // namespace sluice::pipeline
