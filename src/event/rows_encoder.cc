#include "sluice/event/rows_encoder.h"

#include <algorithm>
#include <numeric>

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

Result<std::uint64_t> RowsEncoder::encode_rows(const TablePlan& plan, const binlog::RowsEvent& rows,
                                               const LineContext& context, LineSink& sink) {
  SLUICE_TRY_ASSIGN(auto cursor, binlog::RowCursor::open(plan.layout(), rows));
  const auto partitions = static_cast<std::uint32_t>(encoders_.size());
  const bool by_row = plan.partitioned_by_row();
  std::uint32_t partition = 0;
  for (std::uint64_t row = 0;; ++row) {
    SLUICE_TRY_ASSIGN(const bool more, cursor.next(images_));
    if (!more) return row;
    if (by_row || row == 0) {
      const auto& key_image = rows.kind == RowsKind::insert ? images_.after : images_.before;
      SLUICE_TRY_ASSIGN(partition, plan.partition(key_image, partitions, scratch_));
    }
    switch (rows.kind) {
      case RowsKind::insert:
        SLUICE_TRY(
            put(partition, plan, ChangeKind::insert, 0, row, images_.after, {}, context, sink));
        break;
      case RowsKind::remove:
        SLUICE_TRY(
            put(partition, plan, ChangeKind::remove, 0, row, images_.before, {}, context, sink));
        break;
      case RowsKind::update:
        if (by_row && plan.partition_key_changed(images_.before, images_.after)) {
          SLUICE_TRY(
              put(partition, plan, ChangeKind::remove, 0, row, images_.before, {}, context, sink));
          SLUICE_TRY_ASSIGN(const std::uint32_t target,
                            plan.partition(images_.after, images_.before, partitions, scratch_));
          SLUICE_TRY(put(target, plan, ChangeKind::insert, 1, row, images_.after, images_.before,
                         context, sink));
        } else {
          SLUICE_TRY(put(partition, plan, ChangeKind::update, 0, row, images_.after, images_.before,
                         context, sink));
        }
        break;
    }
  }
}

Status RowsEncoder::put(std::uint32_t partition, const TablePlan& plan, ChangeKind kind,
                        std::uint8_t half, std::uint64_t row, std::span<const binlog::Cell> data,
                        std::span<const binlog::Cell> before, const LineContext& context,
                        LineSink& sink) {
  LineEncoder& line = encoders_[partition];
  if (line.open() && (line.kind() != kind || line.half() != half || line.bytes() >= limits_.bytes ||
                      (limits_.rows != 0 && line.rows() >= limits_.rows)))
    sink.take(partition, line);
  if (!line.open()) {
    line.begin(plan, kind, half, context);
    if (std::find(open_.begin(), open_.end(), partition) == open_.end()) open_.push_back(partition);
  }
  return line.add(row, data, before);
}

std::uint64_t RowsEncoder::replaced_texts() const noexcept {
  return std::accumulate(
      encoders_.begin(), encoders_.end(), std::uint64_t{0},
      [](std::uint64_t sum, const LineEncoder& line) { return sum + line.replaced_texts(); });
}

}  // namespace sluice::event
