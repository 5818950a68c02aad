#include "sluice/event/line_encoder.h"

#include <algorithm>

#include "event/cells.h"
#include "event/column_plan.h"
#include "event/json_binary.h"
#include "event/json_diff.h"
#include "event/json_escape.h"

namespace sluice::event {
namespace {

using binlog::Cell;
using binlog::CellState;

std::string_view type_name(ChangeKind kind) noexcept {
  switch (kind) {
    case ChangeKind::insert: return "INSERT";
    case ChangeKind::update: return "UPDATE";
    case ChangeKind::remove: return "DELETE";
    case ChangeKind::tick: return "TICK";
    case ChangeKind::ddl: break;
  }
  return "QUERY";
}

// Appends the seq member.
void append_seq(TextBuffer& out, const Seq& seq) {
  out.append("\"seq\":\"");
  seq.append_to(out);
  out.push_back('"');
}

}  // namespace

void append_line(TextBuffer& out, std::string_view text, const EncodedLine& line, bool with_types,
                 std::uint64_t id) {
  const std::string_view head = text.substr(0, line.mysql_type_at);
  const std::string_view middle =
      text.substr(line.mysql_type_at, line.sql_type_at - line.mysql_type_at);
  const std::string_view tail = text.substr(line.sql_type_at);
  out.append(head);
  out.append("\"id\":");
  out.append_uint(id);
  out.append(",\"isDdl\":false,");
  if (with_types) {
    out.append("\"mysqlType\":{");
    out.append(line.plan->mysql_types());
    out.append("},");
  }
  out.append(middle);
  if (with_types) {
    out.append("\"sqlType\":{");
    out.append(line.plan->sql_types());
    out.append("},");
  }
  out.append(tail);
  out.push_back('\n');
}

void LineEncoder::begin(const TablePlan& plan, ChangeKind kind, std::uint8_t half,
                        const LineContext& context) {
  plan_ = &plan;
  kind_ = kind;
  half_ = half;
  context_ = context;
  context_.seq.half = half;
  data_.clear();
  old_.clear();
  rows_.clear();
  count_ = 0;
}

Status LineEncoder::append_cell(std::size_t column, const Cell& cell, bool first, TextBuffer& out) {
  const TablePlan::Data& d = plan_->data();
  const ColumnPlan& c = d.columns[column];
  const std::string_view prefix = std::string_view(c.prefix).substr(first ? 1 : 0);
  if (cell.state == CellState::null) {
    out.append(prefix.substr(0, prefix.size() - 1));  // without the quote
    out.append("null");
    return {};
  }
  out.append(prefix);
  const Rendered r = c.json(c, cell.bytes, out);
  if (r != Rendered::ok) {
    if (r != Rendered::replaced) return render_error(r, d.schema, column);
    ++replaced_;
  }
  out.push_back('"');
  return {};
}

// False: the line leaves the column out, which nothing is known of but that it stays as it is.
Result<bool> LineEncoder::append_diff(std::size_t column, const Cell& diff, const Cell& before,
                                      bool first) {
  const TablePlan::Data& d = plan_->data();
  if (before.state == CellState::absent && diff.bytes.empty()) return false;
  patched_.clear();
  Rendered r = append_patched(diff, before, patched_);
  if (r == Rendered::no_document && d.json_diff_text)
    r = append_json_diffs(diff.bytes, patched_) ? Rendered::ok : Rendered::bad_diff;
  if (r != Rendered::ok) return render_error(r, d.schema, column);
  data_.append(std::string_view(d.columns[column].prefix).substr(first ? 1 : 0));
  if (!append_json_utf8(data_, patched_.view()))
    return render_error(Rendered::bad_text, d.schema, column);
  data_.push_back('"');
  document_.clear();
  if (kind_ == ChangeKind::update && before.state == CellState::value &&
      append_json_document(before.bytes, document_) && document_.view() == patched_.view())
    same_documents_.push_back(column);
  return true;
}

// The columns that an update changes, as they were.
Status LineEncoder::append_old(std::span<const Cell> data, std::span<const Cell> before) {
  bool first = true;
  old_.push_back('{');
  for (std::size_t i = 0; i < data.size(); ++i) {
    if (before[i].state == CellState::absent || !changes(before[i], data[i]) ||
        plan_->data().columns[i].hidden)
      continue;
    if (data[i].state == CellState::json_diff &&
        std::find(same_documents_.begin(), same_documents_.end(), i) != same_documents_.end())
      continue;
    SLUICE_TRY(append_cell(i, before[i], first, old_));
    first = false;
  }
  old_.push_back('}');
  return {};
}

Status LineEncoder::add(std::uint64_t row_index, std::span<const Cell> data,
                        std::span<const Cell> before) {
  const std::size_t columns = plan_->data().columns.size();
  const bool update = kind_ == ChangeKind::update;
  if (data.size() != columns || (before.size() != columns && (update || !before.empty())))
    return fatal(Errc::internal, plan_->schema().database + "." + plan_->schema().name +
                                     ": a row image of another width than its table");
  if (count_ == 0) {
    first_row_ = row_index;
  } else {
    data_.push_back(',');
    rows_.push_back(',');
  }
  bool first = true;
  same_documents_.clear();
  data_.push_back('{');
  for (std::size_t i = 0; i < columns; ++i) {
    const Cell cell = cell_of(data, before, i);
    if (cell.state == CellState::absent || plan_->data().columns[i].hidden) continue;
    if (cell.state == CellState::json_diff) {
      const Cell document = i < before.size() ? before[i] : Cell{};
      SLUICE_TRY_ASSIGN(const bool written, append_diff(i, cell, document, first));
      first = first && !written;
      continue;
    }
    SLUICE_TRY(append_cell(i, cell, first, data_));
    first = false;
  }
  data_.push_back('}');
  if (update) {
    if (count_ != 0) old_.push_back(',');
    SLUICE_TRY(append_old(data, before));
  }
  rows_.append_uint(row_index);
  last_row_ = row_index;
  ++count_;
  return {};
}

EncodedLine LineEncoder::finish(TextBuffer& out) {
  const TablePlan::Data& d = plan_->data();
  EncodedLine line;
  const std::size_t begin = out.size();
  out.append("{\"data\":[");
  out.append(data_.view());
  out.append(d.after_data);
  out.append_int(context_.es_ms);
  out.append(",\"gtid\":\"");
  append_json_text(out, context_.gtid);
  out.append("\",");
  line.mysql_type_at = static_cast<std::uint32_t>(out.size() - begin);
  if (kind_ == ChangeKind::update) {
    out.append("\"old\":[");
    out.append(old_.view());
    out.push_back(']');
  } else {
    out.append("\"old\":null");
  }
  out.append(d.after_old);
  out.append(rows_.view());
  out.append("],");
  append_seq(out, context_.seq);
  out.append(",\"sql\":\"\",");
  line.sql_type_at = static_cast<std::uint32_t>(out.size() - begin);
  out.append(d.after_sql);
  out.append_int(context_.ts_ms);
  out.append(",\"type\":\"");
  out.append(type_name(kind_));
  out.append("\"}");
  line.begin = static_cast<std::uint32_t>(begin);
  line.size = static_cast<std::uint32_t>(out.size() - begin);
  line.plan = plan_;
  line.first = context_.seq.with_row(first_row_);
  line.last = context_.seq.with_row(last_row_);
  line.rows = count_;
  plan_ = nullptr;
  return line;
}

void append_tick(TextBuffer& out, const TickLine& tick) {
  out.append("{\"type\":\"TICK\",");
  append_seq(out, Seq{tick.epoch, tick.file_number, tick.pos, 0, 0});
  out.append(",\"file\":\"");
  append_json_text(out, tick.file);
  out.append("\",\"pos\":");
  out.append_uint(tick.pos);
  out.append(",\"gtid\":\"");
  append_json_text(out, tick.gtid);
  out.append("\",\"es\":");
  out.append_int(tick.es_ms);
  out.append("}\n");
}

}  // namespace sluice::event
