#include "sluice/event/line_encoder.h"

#include <utility>

#include "sluice/base/json_text.h"

#include "event/column_plan.h"

namespace sluice::event {
namespace {

using binlog::Cell;

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
  nulled_.clear();
  const TablePlan::Data& d = plan.data();
  fixed_bytes_ = kFixedBytes + d.mysql_types.size() + d.sql_types.size() + d.after_data.size() +
                 d.after_old.size() + d.after_sql.size();
  count_ = 0;
}

Status LineEncoder::add(std::uint64_t row_index, std::span<const Cell> data,
                        std::span<const Cell> before, const NulledColumns* nulled) {
  const std::size_t columns = plan_->data().columns.size();
  const bool update = kind_ == ChangeKind::update;
  if (data.size() != columns || (before.size() != columns && (update || !before.empty())))
    return fatal(Errc::internal, plan_->schema().database + "." + plan_->schema().name +
                                     ": a row image of another width than its table");
  before_last_ = {data_.size(), old_.size(), rows_.size(), last_row_};
  if (count_ == 0) {
    first_row_ = row_index;
  } else {
    data_.push_back(',');
    rows_.push_back(',');
  }
  SLUICE_TRY(images_.append_image(*plan_, data, before, ImageWriter::Missing::take_from_before,
                                  data_, nulled == nullptr ? nullptr : &nulled->data));
  if (update) {
    if (count_ != 0) old_.push_back(',');
    SLUICE_TRY(
        images_.append_old(*plan_, data, before, old_, nulled == nullptr ? nullptr : &nulled->old));
  }
  if (nulled != nullptr) tell_nulled(*nulled);
  rows_.append_uint(row_index);
  last_row_ = row_index;
  ++count_;
  return {};
}

void LineEncoder::drop_last() noexcept {
  data_.truncate(before_last_.data);
  old_.truncate(before_last_.old);
  rows_.truncate(before_last_.rows);
  last_row_ = before_last_.last_row;
  --count_;
}

void LineEncoder::tell_nulled(const NulledColumns& nulled) {
  const auto list = [this](std::string_view name, const std::vector<bool>& columns) {
    nulled_.append(name);
    bool first = true;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (!columns[i]) continue;
      nulled_.append(first ? "\"" : ",\"");
      append_json_text(nulled_, plan_->schema().columns[i].name);
      nulled_.push_back('"');
      first = false;
    }
  };
  list("\"nulled\":{\"data\":[", nulled.data);
  list("],\"old\":[", nulled.old);
  nulled_.append("]},");
  fixed_bytes_ += nulled_.size();
}

EncodedLine LineEncoder::finish(TextBuffer& out) {
  const TablePlan::Data& d = plan_->data();
  const std::size_t begin = out.size();
  const auto at = [&out, begin] { return static_cast<std::uint32_t>(out.size() - begin); };
  out.append("{\"data\":[");
  out.append(data_.view());
  out.append(d.after_data);
  out.append_int(context_.es_ms);
  out.append(",\"gtid\":\"");
  append_json_text(out, context_.gtid);
  out.append("\",");
  const std::uint32_t mysql_type_at = at();
  out.append(nulled_.view());
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
  const std::uint32_t sql_type_at = at();
  out.append(d.after_sql);
  out.append_int(context_.ts_ms);
  out.append(",\"type\":\"");
  out.append(type_name(kind_));
  out.append("\"}");
  // Made in one go: an empty one to be filled in would first be cleared, which costs as much as all
  // of its fields together.
  return {.begin = static_cast<std::uint32_t>(begin),
          .size = at(),
          .mysql_type_at = mysql_type_at,
          .sql_type_at = sql_type_at,
          .plan = std::exchange(plan_, nullptr),
          .first = context_.seq.with_row(first_row_),
          .last = context_.seq.with_row(last_row_),
          .rows = count_};
}

void append_ddl(TextBuffer& out, const DdlLine& ddl, std::uint64_t id) {
  const auto text = [&out](std::string_view name, std::string_view value) {
    out.push_back('"');
    out.append(name);
    out.append("\":\"");
    if (!append_json_utf8(out, value)) append_json_latin1(out, value);
    out.append("\",");
  };
  out.append("{\"data\":null,");
  text("database", ddl.database);
  out.append("\"es\":");
  out.append_int(ddl.es_ms);
  out.push_back(',');
  text("gtid", ddl.gtid);
  out.append("\"id\":");
  out.append_uint(id);
  out.append(",\"isDdl\":true,\"mysqlType\":null,\"old\":null,\"pkNames\":null,\"rows\":null,");
  append_seq(out, Seq{ddl.id.epoch, ddl.id.file, ddl.id.pos, 0, 0});
  out.push_back(',');
  text("sql", ddl.sql);
  out.append("\"sqlType\":null,");
  text("table", ddl.table);
  out.append("\"ts\":");
  out.append_int(ddl.ts_ms);
  out.append(",\"type\":\"");
  out.append(ddl.type);
  out.append("\"}\n");
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
