// Columns of labels (ENUM, SET) and of JSON documents.
#include "sluice/base/json_text.h"

#include "event/column_kinds.h"
#include "event/json_binary.h"
#include "event/json_diff.h"

namespace sluice::event {
namespace {

// ENUM and SET are little-endian, of the size the map tells.
template <std::vector<std::string> ColumnPlan::*kLabels>
Rendered enum_label(const ColumnPlan& c, Bytes b, TextBuffer& out) {
  if (b.empty() || b.size() > 2) return Rendered::bad_value;
  const std::uint64_t index = little_endian(b);
  const auto& labels = c.*kLabels;
  if (index > labels.size()) return Rendered::bad_value;
  if (index != 0) out.append(labels[index - 1]);
  return Rendered::ok;
}
template <std::vector<std::string> ColumnPlan::*kLabels>
Rendered set_labels(const ColumnPlan& c, Bytes b, TextBuffer& out) {
  if (b.empty() || b.size() > 8) return Rendered::bad_value;
  const std::uint64_t bits = little_endian(b);
  const auto& labels = c.*kLabels;
  if (labels.size() < 64 && bits >> labels.size() != 0) return Rendered::bad_value;
  bool first = true;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if ((bits >> i & 1) == 0) continue;
    if (!first) out.push_back(',');
    out.append(labels[i]);
    first = false;
  }
  return Rendered::ok;
}

// Without labels: the index, or the bits.
Rendered label_number(const ColumnPlan&, Bytes b, TextBuffer& out) {
  if (b.empty() || b.size() > 8) return Rendered::bad_value;
  out.append_uint(little_endian(b));
  return Rendered::ok;
}

Rendered document_raw(const ColumnPlan&, Bytes b, TextBuffer& out) {
  const std::size_t start = out.size();
  if (!append_json_document(b, out)) return Rendered::bad_value;
  return is_utf8(out.view().substr(start)) ? Rendered::ok : Rendered::bad_text;
}
Rendered document_json(const ColumnPlan&, Bytes b, TextBuffer& out) {
  thread_local TextBuffer text;
  text.clear();
  if (!append_json_document(b, text)) return Rendered::bad_value;
  return append_json_utf8(out, text.view()) ? Rendered::ok : Rendered::bad_text;
}

}  // namespace

Status plan_labels(ColumnPlan& plan, const binlog::MapColumn& map, const ColumnSchema& schema) {
  if (schema.labels.empty()) {
    if (schema.type != DeclaredType::unknown)
      return fatal(Errc::schema_mismatch,
                   "the labels of this " + schema.mysql_type +
                       " column are not known (set binlog_row_metadata=FULL)");
    set_renderer(plan, label_number);
    return {};
  }
  for (const std::string& label : schema.labels) {
    TextBuffer escaped;
    if (!append_json_utf8(escaped, label))
      return fatal(Errc::schema_mismatch, "a label is not valid UTF-8");
    plan.labels.push_back(label);
    plan.json_labels.emplace_back(escaped.view());
  }
  if (map.type == binlog::ColumnType::enum_)
    set_renderers(plan, enum_label<&ColumnPlan::json_labels>, enum_label<&ColumnPlan::labels>);
  else
    set_renderers(plan, set_labels<&ColumnPlan::json_labels>, set_labels<&ColumnPlan::labels>);
  return {};
}

void plan_document(ColumnPlan& plan) {
  set_renderers(plan, document_json, document_raw);
}

Rendered append_patched(const binlog::Cell& diff, const binlog::Cell& before, TextBuffer& out) {
  switch (before.state) {
    case binlog::CellState::absent: return Rendered::no_document;
    case binlog::CellState::value: break;
    // NULL is no document, and the server never logs a diff in a before image.
    case binlog::CellState::null:
    case binlog::CellState::json_diff: return Rendered::bad_diff;
  }
  const std::size_t start = out.size();
  if (!append_json_patched(before.bytes, diff.bytes, out)) return Rendered::bad_diff;
  return is_utf8(out.view().substr(start)) ? Rendered::ok : Rendered::bad_text;
}

}  // namespace sluice::event
