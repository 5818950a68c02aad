#pragma once
#include "event/column_plan.h"

// The renderers by subject.  Each sets the plan's functions and what they need; errors as
// plan_column().
namespace sluice::event {

constexpr Rendered rendered(bool ok) noexcept {
  return ok ? Rendered::ok : Rendered::bad_value;
}

inline void set_renderers(ColumnPlan& plan, RenderFn json, RenderFn raw) noexcept {
  plan.json = json;
  plan.raw = raw;
}
// Values whose text needs no escaping are the same in both forms.
inline void set_renderer(ColumnPlan& plan, RenderFn both) noexcept {
  set_renderers(plan, both, both);
}

// A function of value_text.h as a renderer.
template <bool (*kAppend)(Bytes, TextBuffer&)>
Rendered plain_value(const ColumnPlan&, Bytes b, TextBuffer& out) {
  return rendered(kAppend(b, out));
}

// column_numbers.cc: integers, DECIMAL, FLOAT, DOUBLE, BIT, YEAR, dates and times.  False: a type
// that is none of them.
Result<bool> plan_number(ColumnPlan& plan, const binlog::MapColumn& map,
                         const ColumnSchema& schema);

// column_text.cc: CHAR, VARCHAR, TEXT and their binary kin, what MariaDB stores like them, and its
// COMPRESSED ones.
Status plan_string(ColumnPlan& plan, const binlog::MapColumn& map, bool map_has_charsets,
                   const ColumnSchema& schema, const RenderOptions& options);
// Bytes.  `fixed`: BINARY(n), whose trailing zero bytes the binlog leaves out; 0 for the others.
void plan_binary(ColumnPlan& plan, const RenderOptions& options, std::uint32_t fixed);

// column_documents.cc: ENUM and SET; JSON.
Status plan_labels(ColumnPlan& plan, const binlog::MapColumn& map, const ColumnSchema& schema);
void plan_document(ColumnPlan& plan);

}  // namespace sluice::event
