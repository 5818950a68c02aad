#include "sluice/binlog/event.h"

#include "sluice/base/checksum.h"

#include "binlog/errors.h"

namespace sluice::binlog {
namespace {

constexpr std::size_t kChecksumSize = 4;

Error wrong_checksum(const EventHeader& header) {
  return fatal(Errc::binlog_checksum, std::string(event_type_name(header.type)) + ", " +
                                          std::to_string(header.event_size) + " bytes, log_pos " +
                                          std::to_string(header.log_pos) +
                                          ": the CRC32 does not match; the binlog or the "
                                          "connection to the source is damaged");
}

}  // namespace

std::string_view event_type_name(EventType type) noexcept {
  switch (type) {
    case EventType::unknown: return "UNKNOWN";
    case EventType::start_v3: return "START_V3";
    case EventType::query: return "QUERY";
    case EventType::stop: return "STOP";
    case EventType::rotate: return "ROTATE";
    case EventType::intvar: return "INTVAR";
    case EventType::load: return "LOAD";
    case EventType::slave: return "SLAVE";
    case EventType::create_file: return "CREATE_FILE";
    case EventType::append_block: return "APPEND_BLOCK";
    case EventType::exec_load: return "EXEC_LOAD";
    case EventType::delete_file: return "DELETE_FILE";
    case EventType::new_load: return "NEW_LOAD";
    case EventType::rand: return "RAND";
    case EventType::user_var: return "USER_VAR";
    case EventType::format_description: return "FORMAT_DESCRIPTION";
    case EventType::xid: return "XID";
    case EventType::begin_load_query: return "BEGIN_LOAD_QUERY";
    case EventType::execute_load_query: return "EXECUTE_LOAD_QUERY";
    case EventType::table_map: return "TABLE_MAP";
    case EventType::pre_ga_write_rows: return "PRE_GA_WRITE_ROWS";
    case EventType::pre_ga_update_rows: return "PRE_GA_UPDATE_ROWS";
    case EventType::pre_ga_delete_rows: return "PRE_GA_DELETE_ROWS";
    case EventType::write_rows_v1: return "WRITE_ROWS_V1";
    case EventType::update_rows_v1: return "UPDATE_ROWS_V1";
    case EventType::delete_rows_v1: return "DELETE_ROWS_V1";
    case EventType::incident: return "INCIDENT";
    case EventType::heartbeat: return "HEARTBEAT";
    case EventType::ignorable: return "IGNORABLE";
    case EventType::rows_query: return "ROWS_QUERY";
    case EventType::write_rows: return "WRITE_ROWS";
    case EventType::update_rows: return "UPDATE_ROWS";
    case EventType::delete_rows: return "DELETE_ROWS";
    case EventType::gtid: return "GTID";
    case EventType::anonymous_gtid: return "ANONYMOUS_GTID";
    case EventType::previous_gtids: return "PREVIOUS_GTIDS";
    case EventType::transaction_context: return "TRANSACTION_CONTEXT";
    case EventType::view_change: return "VIEW_CHANGE";
    case EventType::xa_prepare: return "XA_PREPARE";
    case EventType::partial_update_rows: return "PARTIAL_UPDATE_ROWS";
    case EventType::transaction_payload: return "TRANSACTION_PAYLOAD";
    case EventType::heartbeat_v2: return "HEARTBEAT_V2";
    case EventType::gtid_tagged: return "GTID_TAGGED";
    case EventType::large_transaction_header: return "LARGE_TRANSACTION_HEADER";
    case EventType::annotate_rows: return "ANNOTATE_ROWS";
    case EventType::binlog_checkpoint: return "BINLOG_CHECKPOINT";
    case EventType::mariadb_gtid: return "MARIADB_GTID";
    case EventType::gtid_list: return "GTID_LIST";
    case EventType::start_encryption: return "START_ENCRYPTION";
    case EventType::query_compressed: return "QUERY_COMPRESSED";
    case EventType::write_rows_compressed_v1: return "WRITE_ROWS_COMPRESSED_V1";
    case EventType::update_rows_compressed_v1: return "UPDATE_ROWS_COMPRESSED_V1";
    case EventType::delete_rows_compressed_v1: return "DELETE_ROWS_COMPRESSED_V1";
    case EventType::write_rows_compressed: return "WRITE_ROWS_COMPRESSED";
    case EventType::update_rows_compressed: return "UPDATE_ROWS_COMPRESSED";
    case EventType::delete_rows_compressed: return "DELETE_ROWS_COMPRESSED";
    case EventType::partial_row_data: return "PARTIAL_ROW_DATA";
  }
  return "UNKNOWN";
}

Result<EventHeader> EventHeader::decode(Bytes event) {
  if (event.size() < kSize) return truncated("event header", event);
  return read(event);
}

Result<EventView> EventFramer::frame_other(Bytes event) {
  if (event.size() < EventHeader::kSize) return truncated("event header", event);
  const EventHeader header = EventHeader::read(event);
  const auto name = [&] { return event_type_name(header.type); };
  const auto told = [&] {
    return std::to_string(event.size()) + " bytes, type " +
           std::to_string(static_cast<unsigned>(header.type)) + ", its header says " +
           std::to_string(header.event_size);
  };
  if (header.event_size > event.size())
    return fatal(Errc::binlog_truncated, std::string(name()) + ", " + told());
  if (header.event_size < event.size()) return malformed(name(), told());

  EventView view{header, {}, event};
  if (header.type == EventType::format_description) {
    SLUICE_TRY_ASSIGN(FormatDescription format, FormatDescription::decode(event, verify_));
    const std::size_t tail = format.has_checksum_field ? kChecksumSize : 0;
    view.body = event.subspan(EventHeader::kSize, event.size() - EventHeader::kSize - tail);
    checksum_ = format.checksum;
    format_ = std::move(format);
    return view;
  }
  if (header.type == EventType::start_v3)
    return unsupported(name(), "a binlog of MySQL 4.x or older; version 4 (MySQL 5.0+) is needed");

  // The headers of FORMAT_DESCRIPTION and ROTATE never grow: they are read before the length is
  // known.
  const std::size_t head = header.type == EventType::rotate || !format_
                               ? EventHeader::kSize
                               : std::size_t{format_->header_len};
  const std::size_t tail = checksum_ == ChecksumAlg::crc32 ? kChecksumSize : 0;
  if (event.size() < head + tail) return truncated(name(), event);
  if (tail != 0 && verify_) {
    ByteReader r(event.last(kChecksumSize));
    if (r.u32() != crc32(event.first(event.size() - kChecksumSize))) return wrong_checksum(header);
  }
  view.body = event.subspan(head, event.size() - head - tail);
  // Set on the wire (and in copies made from the wire) the ignorable flag says that what follows is
  // plain.
  if (header.type == EventType::start_encryption && !header.ignorable())
    return unsupported(name(),
                       "an encrypted binlog file; read it from the server, which decrypts it");
  return view;
}

}  // namespace sluice::binlog
