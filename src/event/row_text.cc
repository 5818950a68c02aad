#include "sluice/event/row_text.h"

#include "sluice/base/json_text.h"

namespace sluice::event {
namespace {

using binlog::RowsKind;

std::string_view kind_name(RowsKind kind) noexcept {
  switch (kind) {
    case RowsKind::insert: return "INSERT";
    case RowsKind::update: return "UPDATE";
    case RowsKind::remove: break;
  }
  return "DELETE";
}

void append_member(TextBuffer& out, std::string_view name, std::string_view value) {
  out.append(name);
  out.push_back('"');
  append_json_text(out, value);
  out.push_back('"');
}

void append_number(TextBuffer& out, std::string_view name, std::uint64_t value) {
  out.append(name);
  out.append_uint(value);
}

}  // namespace

Status RowWriter::append(TextBuffer& out, const TablePlan& plan, RowsKind kind,
                         const binlog::RowImages& images, const RowPlace& place) {
  constexpr auto kAsLogged = ImageWriter::Missing::leave_out;
  const TableSchema& schema = plan.schema();
  append_member(out, "{\"file\":", place.file);
  append_number(out, ",\"pos\":", place.offset);
  append_number(out, ",\"event\":", place.event);
  append_number(out, ",\"row\":", place.row);
  append_member(out, ",\"gtid\":", place.gtid);
  out.append(",\"es\":");
  out.append_int(place.es_ms);
  append_member(out, ",\"type\":", kind_name(kind));
  append_member(out, ",\"database\":", schema.database);
  append_member(out, ",\"table\":", schema.name);
  out.append(",\"before\":");
  if (kind == RowsKind::insert) {
    out.append("null");
  } else {
    SLUICE_TRY(images_.append_image(plan, images.before, {}, kAsLogged, out));
  }
  out.append(",\"after\":");
  if (kind == RowsKind::remove) {
    out.append("null");
  } else {
    const auto before = kind == RowsKind::update ? std::span<const binlog::Cell>(images.before)
                                                 : std::span<const binlog::Cell>();
    SLUICE_TRY(images_.append_image(plan, images.after, before, kAsLogged, out));
  }
  out.append("}\n");
  return {};
}

}  // namespace sluice::event
