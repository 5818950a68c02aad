#include "sluice/event/image_writer.h"

#include <algorithm>

#include "event/cells.h"
#include "event/column_plan.h"
#include "event/json_binary.h"
#include "event/json_diff.h"
#include "event/json_escape.h"

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

Status ImageWriter::append_image(const TablePlan& plan, std::span<const Cell> cells,
                                 std::span<const Cell> before, Missing missing, TextBuffer& out) {
  const std::vector<ColumnPlan>& columns = plan.data().columns;
  bool first = true;
  same_documents_.clear();
  out.push_back('{');
  for (const std::uint16_t i : plan.data().shown) {
    const Cell cell = missing == Missing::take_from_before ? cell_of(cells, before, i) : cells[i];
    if (cell.state == CellState::absent) continue;
    if (cell.state == CellState::json_diff && columns[i].constant.empty()) {
      const Cell document = i < before.size() ? before[i] : Cell{};
      SLUICE_TRY_ASSIGN(const bool written, append_diff(plan, i, cell, document, first, out));
      first = first && !written;
      continue;
    }
    SLUICE_TRY(append_cell(plan, i, cell, first, out));
    first = false;
  }
  out.push_back('}');
  return {};
}

Status ImageWriter::append_old(const TablePlan& plan, std::span<const Cell> after,
                               std::span<const Cell> before, TextBuffer& out) {
  bool first = true;
  out.push_back('{');
  for (const std::uint16_t i : plan.data().shown) {
    if (before[i].state == CellState::absent || !changes(before[i], after[i]) ||
        !plan.data().columns[i].constant.empty())
      continue;
    if (after[i].state == CellState::json_diff &&
        std::find(same_documents_.begin(), same_documents_.end(), i) != same_documents_.end())
      continue;
    SLUICE_TRY(append_cell(plan, i, before[i], first, out));
    first = false;
  }
  out.push_back('}');
  return {};
}

}  // namespace sluice::event
