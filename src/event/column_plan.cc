#include "event/column_plan.h"

#include "sluice/base/json_text.h"
#include "sluice/binlog/value_text.h"

#include "event/column_kinds.h"

namespace sluice::event {
namespace {

using binlog::ColumnType;

Status choose(ColumnPlan& plan, const binlog::MapColumn& map, bool map_has_charsets,
              const ColumnSchema& schema, const RenderOptions& options) {
  SLUICE_TRY_ASSIGN(const bool number, plan_number(plan, map, schema));
  if (number) return {};
  switch (map.type) {
    case ColumnType::enum_:
    case ColumnType::set: return plan_labels(plan, map, schema);
    case ColumnType::json: plan_document(plan); return {};
    // Hidden columns of functional indexes were logged before MySQL 8.0.18; the elements are a
    // document.
    case ColumnType::typed_array:
      plan_document(plan);
      plan.hidden = true;
      return {};
    case ColumnType::vector: set_renderer(plan, plain_value<binlog::append_vector>); return {};
    case ColumnType::geometry: plan_binary(plan, options, 0); return {};
    case ColumnType::varchar:
    case ColumnType::var_string:
    case ColumnType::string:
    case ColumnType::tiny_blob:
    case ColumnType::medium_blob:
    case ColumnType::long_blob:
    case ColumnType::blob:
    case ColumnType::blob_compressed:
    case ColumnType::varchar_compressed:
      return plan_string(plan, map, map_has_charsets, schema, options);
    default:
      return fatal(
          Errc::binlog_unsupported,
          "column type " + std::string(binlog::column_type_name(map.type)) + " cannot be read");
  }
}

}  // namespace

Result<ColumnPlan> plan_column(const binlog::MapColumn& map, bool map_has_charsets,
                               const ColumnSchema& schema, const RenderOptions& options, bool key) {
  ColumnPlan plan;
  plan.zone_seconds = options.time_zone_seconds;
  plan.replace_bad_text = options.invalid_text == InvalidText::replace && !key;
  TextBuffer prefix;
  prefix.append(",\"");
  if (!append_json_utf8(prefix, schema.name))
    return fatal(Errc::schema_mismatch, "the column's name is not valid UTF-8");
  prefix.append("\":\"");
  plan.prefix_size = prefix.size();
  plan.padded_prefix = prefix.view();
  plan.padded_prefix.append(ColumnPlan::kPadding, '\0');
  plan.hidden = schema.hidden;
  SLUICE_TRY(choose(plan, map, map_has_charsets, schema, options));
  return plan;
}

Error render_error(Rendered what, const TableSchema& table, std::size_t column) {
  const ColumnSchema& c = table.columns[column];
  const std::string where = table.database + "." + table.name + "." + c.name;
  switch (what) {
    case Rendered::bad_text:
      return fatal(
          Errc::binlog_malformed,
          where + ": text that is not valid " + (c.charset.empty() ? "UTF-8" : c.charset) +
              " (mend it in the table, or set invalid_text: replace for columns that are no key)");
    case Rendered::bad_diff:
      return fatal(Errc::binlog_malformed,
                   where + ": a JSON diff that does not fit the document of the before image");
    case Rendered::no_document:
      return fatal(Errc::binlog_unsupported,
                   where +
                       ": a JSON diff without the document it changes (set "
                       "binlog_row_image=FULL or binlog_row_value_options='' on the source)");
    default:
      return fatal(Errc::binlog_malformed, where + ": bytes that are no value of type " +
                                               (c.mysql_type.empty() ? "this" : c.mysql_type));
  }
}

}  // namespace sluice::event
