#include "decode/event_fields.h"

#include "sluice/binlog/control_events.h"
#include "sluice/binlog/table_map.h"
#include "sluice/model/gtid.h"

namespace sluice::decode {
namespace {

using binlog::EventType;
using binlog::EventView;

class Fields {
 public:
  void text(std::string_view name, std::string value) {
    out_.push_back({name, std::move(value), false});
  }
  void text(std::string_view name, std::string_view value) { text(name, std::string(value)); }
  void number(std::string_view name, std::uint64_t value) {
    out_.push_back({name, std::to_string(value), true});
  }
  void flag(std::string_view name, bool set) {
    if (set) out_.push_back({name, "true", true});
  }
  EventFields take() { return std::move(out_); }

 private:
  EventFields out_;
};

std::string_view checksum_name(binlog::ChecksumAlg alg) {
  switch (alg) {
    case binlog::ChecksumAlg::off: return "none";
    case binlog::ChecksumAlg::crc32: return "crc32";
    case binlog::ChecksumAlg::undefined: break;
  }
  return "undefined";
}

Error truncated(const EventView& event) {
  return fatal(Errc::binlog_truncated, std::string(binlog::event_type_name(event.header.type)) +
                                           ", " + std::to_string(event.whole.size()) + " bytes");
}

// The small events that only statement format and the server itself have a use for (mysql-server:
// libs/mysql/binlog/event/statement_events.h, MariaDB: sql/log_event.h).
Status small_event(const EventView& event, Fields& out) {
  ByteReader in(event.body);
  switch (event.header.type) {
    case EventType::intvar: {
      const auto kind = in.u8();
      const auto value = in.u64();
      out.number(kind == 1 ? "last_insert_id" : "insert_id", value);
      break;
    }
    case EventType::rand:
      out.number("seed1", in.u64());
      out.number("seed2", in.u64());
      break;
    case EventType::user_var: out.text("name", as_chars(in.take(in.u32()))); break;
    case EventType::rows_query:
      in.u8();  // the length's low byte: statements are longer than 255
      out.text("statement", as_chars(in.rest()));
      break;
    case EventType::annotate_rows: out.text("statement", as_chars(in.rest())); break;
    case EventType::binlog_checkpoint: out.text("file", as_chars(in.take(in.u32()))); break;
    case EventType::begin_load_query:
    case EventType::append_block:
    case EventType::execute_load_query:
    case EventType::delete_file: {
      if (event.header.type == EventType::execute_load_query) in.take(13);
      out.number("file_id", in.u32());
      break;
    }
    default: return {};
  }
  if (!in.ok()) return truncated(event);
  return {};
}

Status table_map(const EventView& event, const binlog::FormatDescription& format, Fields& out) {
  SLUICE_TRY_ASSIGN(const auto map, binlog::TableMap::decode(event.body, format));
  out.number("table_id", map.table_id);
  out.text("table", map.database + "." + map.table);
  std::string columns;
  for (const binlog::MapColumn& c : map.columns) {
    if (!columns.empty()) columns += ',';
    if (map.has_names) columns += c.name + ' ';
    columns += binlog::column_type_name(c.type);
  }
  out.text("columns", std::move(columns));
  return {};
}

Status gtid(const EventView& event, const binlog::FormatDescription& format, Fields& out) {
  SLUICE_TRY_ASSIGN(const auto gtid, binlog::GtidEvent::decode(event.header, event.body, format));
  if (const std::string text = gtid_to_string(gtid.gtid); !text.empty()) out.text("gtid", text);
  if (gtid.immediate_commit_us != 0)
    out.number("commit_us", static_cast<std::uint64_t>(gtid.immediate_commit_us));
  out.flag("standalone", gtid.standalone);
  out.flag("ddl", gtid.ddl);
  out.flag("prepared_xa", gtid.prepared_xa);
  out.flag("completed_xa", gtid.completed_xa);
  return {};
}

Status query(const EventView& event, const binlog::FormatDescription& format, Fields& out) {
  SLUICE_TRY_ASSIGN(const auto query, binlog::QueryEvent::decode(event.body, format));
  if (!query.database.empty()) out.text("database", query.database);
  out.number("thread_id", query.thread_id);
  if (query.exec_time != 0) out.number("exec_seconds", query.exec_time);
  if (query.error_code != 0) out.number("error", query.error_code);
  out.text("statement", query.statement);
  return {};
}

}  // namespace

Result<EventFields> event_fields(const EventView& event, const binlog::FormatDescription& format) {
  Fields out;
  switch (event.header.type) {
    case EventType::format_description:
      out.text("server", format.server_version);
      out.text("checksum", checksum_name(format.checksum));
      out.flag("in_use", (event.header.flags & binlog::EventHeader::kFlagInUse) != 0);
      break;
    case EventType::rotate: {
      SLUICE_TRY_ASSIGN(const auto rotate, binlog::RotateEvent::decode(event.body));
      out.text("next_file", rotate.next_file);
      out.number("next_pos", rotate.pos);
      break;
    }
    case EventType::query: SLUICE_TRY(query(event, format, out)); break;
    case EventType::xid: {
      SLUICE_TRY_ASSIGN(const auto xid, binlog::XidEvent::decode(event.body));
      out.number("xid", xid.xid);
      break;
    }
    case EventType::gtid:
    case EventType::anonymous_gtid:
    case EventType::gtid_tagged:
    case EventType::mariadb_gtid: SLUICE_TRY(gtid(event, format, out)); break;
    case EventType::previous_gtids:
    case EventType::gtid_list: {
      SLUICE_TRY_ASSIGN(const GtidSet set, binlog::decode_gtid_set_event(event.header, event.body));
      out.text("gtids", set.to_string());
      break;
    }
    case EventType::table_map: SLUICE_TRY(table_map(event, format, out)); break;
    case EventType::xa_prepare: {
      SLUICE_TRY_ASSIGN(const auto xa, binlog::XaPrepareEvent::decode(event.body));
      out.text("xid", xa.xid);
      out.flag("one_phase", xa.one_phase);
      break;
    }
    case EventType::incident: {
      SLUICE_TRY_ASSIGN(const auto incident, binlog::IncidentEvent::decode(event.body));
      out.number("incident", incident.number);
      out.text("message", incident.message);
      break;
    }
    default: SLUICE_TRY(small_event(event, out)); break;
  }
  return out.take();
}

}  // namespace sluice::decode
