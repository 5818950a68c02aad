#include "sluice/event/rows_encoder.h"

#include <algorithm>
#include <numeric>
#include <span>

namespace sluice::event {

using binlog::RowsKind;

Result<std::uint64_t> RowsEncoder::encode(const TablePlan& plan, const binlog::RowsEvent& rows,
                                          const LineContext& context, LineSink& sink) {
  Result<std::uint64_t> count = encode_rows(plan, rows, context, sink);
  for (const std::uint32_t p : open_) {
    if (count && encoders_[p].open()) sink.take(p, encoders_[p]);
    encoders_[p].reset();
  }
  open_.clear();
  return count;
}

// What becomes of the row in images_.
Result<RowsEncoder::Fate> RowsEncoder::judge(const TablePlan& plan, RowsKind kind) {
  if (!plan.has_condition()) {
    switch (kind) {
      case RowsKind::insert: return Fate::insert;
      case RowsKind::remove: return Fate::remove;
      case RowsKind::update: break;
    }
    return Fate::update;
  }
  bool was = false, is = false;
  if (kind != RowsKind::insert) {
    SLUICE_TRY_ASSIGN(was, plan.satisfies(images_.before, {}, condition_));
  }
  if (kind != RowsKind::remove) {
    const auto before = kind == RowsKind::update ? std::span<const binlog::Cell>(images_.before)
                                                 : std::span<const binlog::Cell>();
    SLUICE_TRY_ASSIGN(is, plan.satisfies(images_.after, before, condition_));
  }
  if (was) return is ? Fate::update : Fate::remove;
  if (is && kind == RowsKind::update) SLUICE_TRY(plan.check_whole(images_.after, images_.before));
  return is ? Fate::insert : Fate::none;
}

Result<std::uint64_t> RowsEncoder::encode_rows(const TablePlan& plan, const binlog::RowsEvent& rows,
                                               const LineContext& context, LineSink& sink) {
  SLUICE_TRY(cursor_.restart(plan.layout(), rows));
  std::uint64_t taken = 0;
  for (std::uint64_t row = 0;; ++row) {
    SLUICE_TRY_ASSIGN(const bool more, cursor_.next(images_));
    if (!more) return taken;
    SLUICE_TRY_ASSIGN(const Fate fate, judge(plan, rows.kind));
    if (fate == Fate::none ||
        (fate == Fate::update && !plan.shows_change(images_.before, images_.after) &&
         !plan.partition_key_changed(images_.before, images_.after)))
      continue;
    ++taken;
    SLUICE_TRY(send(plan, fate, rows.kind, row, context, sink));
  }
}

Status RowsEncoder::send(const TablePlan& plan, Fate fate, RowsKind kind, std::uint64_t row,
                         const LineContext& context, LineSink& sink) {
  const auto partitions = static_cast<std::uint32_t>(encoders_.size());
  const std::span<const binlog::Cell> none;
  const std::span<const binlog::Cell> before = kind == RowsKind::update ? images_.before : none;
  if (fate == Fate::insert) {
    SLUICE_TRY_ASSIGN(const std::uint32_t target,
                      plan.partition(images_.after, before, partitions, scratch_));
    return put(target, plan, ChangeKind::insert, 0, row, images_.after, before, context, sink);
  }
  SLUICE_TRY_ASSIGN(const std::uint32_t partition,
                    plan.partition(images_.before, partitions, scratch_));
  const bool moves = fate == Fate::update && plan.partition_key_changed(before, images_.after);
  if (fate == Fate::update && !moves)
    return put(partition, plan, ChangeKind::update, 0, row, images_.after, before, context, sink);
  SLUICE_TRY(put(partition, plan, ChangeKind::remove, 0, row, images_.before, none, context, sink));
  if (!moves) return {};
  SLUICE_TRY_ASSIGN(const std::uint32_t target,
                    plan.partition(images_.after, before, partitions, scratch_));
  return put(target, plan, ChangeKind::insert, 1, row, images_.after, before, context, sink);
}

Status RowsEncoder::put(std::uint32_t partition, const TablePlan& plan, ChangeKind kind,
                        std::uint8_t half, std::uint64_t row, std::span<const binlog::Cell> data,
                        std::span<const binlog::Cell> before, const LineContext& context,
                        LineSink& sink) {
  if (gate_ != nullptr) {
    bool letter = false;
    if (limits_.most != 0 && limits_.oversize == Oversize::dead_letter) {
      SLUICE_TRY_ASSIGN(letter, is_letter(plan, kind, half, {row, data, before}, context));
    }
    if (!letter && gate_->drops(partition)) return {};
  }
  LineEncoder& line = encoders_[partition];
  if (line.open() && (line.kind() != kind || line.half() != half || line.bytes() >= limits_.bytes ||
                      (limits_.rows != 0 && line.rows() >= limits_.rows)))
    sink.take(partition, line);
  if (!line.open()) {
    line.begin(plan, kind, half, context);
    if (std::find(open_.begin(), open_.end(), partition) == open_.end()) open_.push_back(partition);
  }
  SLUICE_TRY(line.add(row, data, before));
  if (limits_.most == 0 || line.message_bytes() <= limits_.most) return {};
  return add_large(partition, plan, kind, half, {row, data, before}, context, sink);
}

std::uint64_t RowsEncoder::replaced_texts() const noexcept {
  return std::accumulate(
      encoders_.begin(), encoders_.end(), std::uint64_t{0},
      [](std::uint64_t sum, const LineEncoder& line) { return sum + line.replaced_texts(); });
}

}  // namespace sluice::event
