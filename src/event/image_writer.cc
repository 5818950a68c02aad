#include "sluice/event/image_writer.h"

#include <algorithm>

#include "sluice/base/json_text.h"

#include "event/cells.h"
#include "event/column_plan.h"
#include "event/json_binary.h"
#include "event/json_diff.h"

namespace sluice::event {

using binlog::Cell;
using binlog::CellState;

Status ImageWriter::append_cell(const TablePlan& plan, std::size_t column, const Cell& cell,
                                bool first, TextBuffer& out) {
  const TablePlan::Data& d = plan.data();
  const ColumnPlan& c = d.columns[column];
  if (!c.constant.empty()) {
    c.append_prefix(out, first, false);
    out.append(c.constant);
    return {};
  }
  if (cell.state == CellState::null) {
    c.append_prefix(out, first, false);
    out.append("null");
    return {};
  }
  c.append_prefix(out, first, true);
  const Rendered r = c.json(c, cell.bytes, out);
  if (r != Rendered::ok) {
    if (r != Rendered::replaced) return render_error(r, d.schema, column);
    ++replaced_;
  }
  out.push_back('"');
  return {};
}

// False: the column is left out, since nothing is known of it but that it stays as it is.
Result<bool> ImageWriter::append_diff(const TablePlan& plan, std::size_t column, const Cell& diff,
                                      const Cell& before, bool first, TextBuffer& out) {
  const TablePlan::Data& d = plan.data();
  if (before.state == CellState::absent && diff.bytes.empty()) return false;
  patched_.clear();
  Rendered r = append_patched(diff, before, patched_);
  if (r == Rendered::no_document && d.json_diff_text)
    r = append_json_diffs(diff.bytes, patched_) ? Rendered::ok : Rendered::bad_diff;
  if (r != Rendered::ok) return render_error(r, d.schema, column);
  const ColumnPlan& c = d.columns[column];
  c.append_prefix(out, first, true);
  if (c.hashed) {
    const auto hex = Sha256(*c.hashed).update(patched_.view()).hex();
    out.append({hex.data(), hex.size()});
  } else if (!append_json_utf8(out, patched_.view())) {
    return render_error(Rendered::bad_text, d.schema, column);
  }
  out.push_back('"');
  document_.clear();
  if (before.state == CellState::value && append_json_document(before.bytes, document_) &&
      document_.view() == patched_.view())
    same_documents_.push_back(column);
  return true;
}

Result<bool> ImageWriter::append_column(const TablePlan& plan, std::size_t column,
                                        std::span<const Cell> cells, std::span<const Cell> before,
                                        Missing missing, bool first, TextBuffer& out) {
  const Cell cell =
      missing == Missing::take_from_before ? cell_of(cells, before, column) : cells[column];
  if (cell.state == CellState::absent) return false;
  if (cell.state == CellState::json_diff && plan.data().columns[column].constant.empty()) {
    const Cell document = column < before.size() ? before[column] : Cell{};
    return append_diff(plan, column, cell, document, first, out);
  }
  SLUICE_TRY(append_cell(plan, column, cell, first, out));
  return true;
}

Status ImageWriter::append_image(const TablePlan& plan, std::span<const Cell> cells,
                                 std::span<const Cell> before, Missing missing, TextBuffer& out,
                                 const std::vector<bool>* nulled) {
  bool first = true;
  same_documents_.clear();
  out.push_back('{');
  for (const std::uint16_t i : plan.data().shown) {
    if (nulled != nullptr && (*nulled)[i]) {
      SLUICE_TRY(append_cell(plan, i, {{}, CellState::null}, first, out));
      first = false;
      continue;
    }
    SLUICE_TRY_ASSIGN(const bool written,
                      append_column(plan, i, cells, before, missing, first, out));
    first = first && !written;
  }
  out.push_back('}');
  return {};
}

bool ImageWriter::is_in_old(const TablePlan& plan, std::size_t column, std::span<const Cell> after,
                            std::span<const Cell> before) const {
  if (before[column].state == CellState::absent || !changes(before[column], after[column]) ||
      !plan.data().columns[column].constant.empty())
    return false;
  return after[column].state != CellState::json_diff ||
         std::find(same_documents_.begin(), same_documents_.end(), column) == same_documents_.end();
}

Status ImageWriter::append_old(const TablePlan& plan, std::span<const Cell> after,
                               std::span<const Cell> before, TextBuffer& out,
                               const std::vector<bool>* nulled) {
  bool first = true;
  out.push_back('{');
  for (const std::uint16_t i : plan.data().shown) {
    if (!is_in_old(plan, i, after, before)) continue;
    const bool left_out = nulled != nullptr && (*nulled)[i];
    SLUICE_TRY(append_cell(plan, i, left_out ? Cell{{}, CellState::null} : before[i], first, out));
    first = false;
  }
  out.push_back('}');
  return {};
}

Status ImageWriter::measure(const TablePlan& plan, std::span<const Cell> cells,
                            std::span<const Cell> before, bool update, Sizes& sizes) {
  sizes.data.assign(plan.data().columns.size(), 0);
  sizes.old.assign(plan.data().columns.size(), 0);
  same_documents_.clear();
  TextBuffer text;
  for (const std::uint16_t i : plan.data().shown) {
    text.clear();
    SLUICE_TRY_ASSIGN(
        [[maybe_unused]] const bool written,
        append_column(plan, i, cells, before, Missing::take_from_before, false, text));
    sizes.data[i] = text.size();
    if (!update || !is_in_old(plan, i, cells, before)) continue;
    text.clear();
    SLUICE_TRY(append_cell(plan, i, before[i], false, text));
    sizes.old[i] = text.size();
  }
  return {};
}

}  // namespace sluice::event
