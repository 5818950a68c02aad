// The part of the assembler that makes lines of rows: TABLE_MAP and ROWS events.
#include <algorithm>

#include "sluice/base/log.h"

#include "pipeline/assembler.h"

namespace sluice::pipeline {
namespace {

// Lines of a transaction too large to hold go to the sink in pieces of about this size.
constexpr std::size_t kStreamBytes = 256u << 10;
// Keys of the applied records and the watermark: sluice:<instance>:...
constexpr std::string_view kOwnPrefix = "sluice";

}  // namespace

Status Assembler::on_table_map(const binlog::EventView& event,
                               const binlog::FormatDescription& format) {
  ByteReader head(event.body);
  const std::uint64_t id =
      format.post_header(binlog::EventType::table_map) == 6 ? head.le<4>() : head.le<6>();
  if (!head.ok()) return fatal(Errc::binlog_truncated, "TABLE_MAP");
  const std::string_view body = as_chars(event.body);
  TableEntry& entry = tables_[id];
  if (entry.body == body) return {};  // the same table again: the plan holds
  SLUICE_TRY_ASSIGN(auto map, binlog::TableMap::decode(event.body, format));
  entry.plan.reset();
  entry.name = full_name(map.database, map.table);
  if (filter_->takes(map.database, map.table)) {
    if (map.database == kOwnPrefix)
      return unsupported("database \"" + map.database +
                         "\" is taken by the filter, but Redis keys that begin with it are "
                         "Sluice's own: put it into filter.exclude");
    const auto rule = filter_->rule(map.database, map.table);
    auto schema = catalog_->resolve(map, format.flavor);
    if (!schema) return std::move(schema).error();
    auto plan =
        event::TablePlan::make(std::move(map), std::move(schema).value(), rule, settings_.render);
    if (!plan) return std::move(plan).error();
    entry.plan = std::move(plan).value();
    if (entry.plan->schema().row_key().empty() && keyless_.insert(entry.name).second)
      log::get("pipeline")
          .warn(
              "table without a primary key or a unique key without NULLs: its rows are sent but "
              "not "
              "written to Redis, give it a key table={}",
              entry.name);
  }
  entry.body = body;  // last: a map that failed is looked at again
  return {};
}

Status Assembler::on_rows(const binlog::EventView& event, const binlog::FormatDescription& format) {
  SLUICE_TRY_ASSIGN(const auto rows,
                    binlog::RowsEvent::decode(event.header.type, event.body, format));
  const auto it = tables_.find(rows.table_id);
  // The dummy's number may be a real table's too: servers do not leave it out.
  if (rows.table_id == binlog::TableMap::kDummyId && it == tables_.end() && rows.rows.empty())
    return {};
  if (!group_.open)
    return fatal(Errc::binlog_malformed, std::string(binlog::event_type_name(event.header.type)) +
                                             " outside a transaction");
  if (it == tables_.end())
    return fatal(Errc::binlog_malformed, "rows of table id " + std::to_string(rows.table_id) +
                                             ", which no TABLE_MAP has named");
  const std::uint64_t ordinal = group_.events++;
  const TableEntry& entry = it->second;
  if (!entry.plan) return {};
  if (group_.id == streamed_id_ && ordinal < streamed_events_) return {};  // handed over before
  if (Status s = encode(entry.plan, rows, ordinal); !s.ok()) {
    for (const std::uint32_t p : open_) encoders_[p].reset();
    open_.clear();
    return std::move(s).error().at(entry.name);
  }
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

Status Assembler::encode(const std::shared_ptr<const event::TablePlan>& shared,
                         const binlog::RowsEvent& rows, std::uint64_t ordinal) {
  const event::TablePlan& plan = *shared;
  if (std::find(batch_.plans.begin(), batch_.plans.end(), shared) == batch_.plans.end())
    batch_.plans.push_back(shared);  // lines point to it
  SLUICE_TRY_ASSIGN(auto cursor, binlog::RowCursor::open(plan.map(), rows));
  context_.seq = {group_.id.epoch, group_.id.file, group_.id.pos, ordinal, 0};
  context_.gtid = group_.gtid_text;
  context_.es_ms = group_.es_ms;
  context_.ts_ms = clock_->wall_us() / 1000;
  const bool by_row = plan.partitioned_by_row();
  std::uint32_t partition = 0;
  for (std::uint64_t row = 0;; ++row) {
    SLUICE_TRY_ASSIGN(const bool more, cursor.next(images_));
    if (!more) {
      counters_->rows_read.fetch_add(row, std::memory_order_relaxed);
      batch_.rows += row;
      break;
    }
    const auto& key_image = rows.kind == binlog::RowsKind::insert ? images_.after : images_.before;
    if (by_row || row == 0) {
      SLUICE_TRY_ASSIGN(partition, plan.partition(key_image, settings_.partitions, scratch_));
    }
    switch (rows.kind) {
      case binlog::RowsKind::insert:
        SLUICE_TRY(put(partition, plan, ChangeKind::insert, 0, row, images_.after, {}));
        break;
      case binlog::RowsKind::remove:
        SLUICE_TRY(put(partition, plan, ChangeKind::remove, 0, row, images_.before, {}));
        break;
      case binlog::RowsKind::update:
        if (by_row && plan.partition_key_changed(images_.before, images_.after)) {
          SLUICE_TRY(put(partition, plan, ChangeKind::remove, 0, row, images_.before, {}));
          SLUICE_TRY_ASSIGN(
              const std::uint32_t target,
              plan.partition(images_.after, images_.before, settings_.partitions, scratch_));
          SLUICE_TRY(put(target, plan, ChangeKind::insert, 1, row, images_.after, images_.before));
        } else {
          SLUICE_TRY(
              put(partition, plan, ChangeKind::update, 0, row, images_.after, images_.before));
        }
        break;
    }
  }
  close_lines();
  return {};
}

Status Assembler::put(std::uint32_t partition, const event::TablePlan& plan, ChangeKind kind,
                      std::uint8_t half, std::uint64_t row, std::span<const binlog::Cell> data,
                      std::span<const binlog::Cell> before) {
  event::LineEncoder& line = encoders_[partition];
  if (line.open() &&
      (line.kind() != kind || line.half() != half || line.bytes() >= settings_.line_bytes))
    close_line(partition);
  if (!line.open()) {
    line.begin(plan, kind, half, context_);
    if (std::find(open_.begin(), open_.end(), partition) == open_.end()) open_.push_back(partition);
  }
  return line.add(row, data, before);
}

void Assembler::close_line(std::uint32_t partition) {
  PartitionLines& lines = batch_.partitions[partition];
  if (lines.lines.empty()) batch_.touched.push_back(partition);
  lines.lines.push_back(encoders_[partition].finish(lines.text));
  batch_.bytes += lines.lines.back().size;
}

void Assembler::close_lines() {
  for (const std::uint32_t p : open_)
    if (encoders_[p].open()) close_line(p);
  open_.clear();
}
}  // namespace sluice::pipeline
