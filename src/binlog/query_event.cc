#include "sluice/binlog/control_events.h"

#include "binlog/errors.h"

namespace sluice::binlog {
namespace {

constexpr std::string_view kName = "QUERY";
constexpr std::size_t kPostHeader = 13;
constexpr unsigned kTooManyDatabases = 254;  // more than 16: no names follow

// Status variables (mysql-server: libs/mysql/binlog/event/statement_events.h
// Query_event_status_vars; MariaDB: sql/log_event.h).
enum class Var : std::uint8_t {
  flags2 = 0,
  sql_mode = 1,
  catalog = 2,
  auto_increment = 3,
  charset = 4,
  time_zone = 5,
  catalog_nz = 6,
  lc_time_names = 7,
  charset_database = 8,
  table_map_for_update = 9,
  master_data_written = 10,
  invoker = 11,
  updated_db_names = 12,
  microseconds = 13,
  explicit_defaults_for_timestamp = 16,
  ddl_xid = 17,
  default_collation_utf8mb4 = 18,
  sql_require_primary_key = 19,
  default_table_encryption = 20,
  hrnow = 128,
  xid = 129,
  gtid_flags3 = 130,
  character_set_collations = 131,  // MariaDB
};

// MariaDB's bit of flags2 for explicit_defaults_for_timestamp (OPTION_EXPLICIT_DEF_TIMESTAMP), and
// the first version that always says it.
constexpr std::uint32_t kExplicitTimestamps = 1U << 24;
constexpr std::uint32_t kSaysTimestamps = 101000;

// MariaDB: sql/log_event.h Gtid_log_event::FL_START_ALTER_E1 and its kin.
QueryEvent::AlterPhase alter_phase(unsigned gtid_flags3) noexcept {
  if ((gtid_flags3 & 2U) != 0) return QueryEvent::AlterPhase::start;
  if ((gtid_flags3 & 4U) != 0) return QueryEvent::AlterPhase::commit;
  if ((gtid_flags3 & 8U) != 0) return QueryEvent::AlterPhase::rollback;
  return QueryEvent::AlterPhase::none;
}

void read_flags2(std::uint32_t flags, const FormatDescription& format, QueryEvent& event) {
  if (format.flavor != Flavor::mariadb) return;
  const bool is_set = (flags & kExplicitTimestamps) != 0;
  if (is_set || format.version_number() >= kSaysTimestamps)
    event.explicit_defaults_for_timestamp = is_set;
}

// Reads the value of one variable.  False for one we do not know: the rest cannot be read then, nor
// need it.
bool read_var(ByteReader& in, Var var, const FormatDescription& format, QueryEvent& event) {
  switch (var) {
    case Var::flags2: read_flags2(in.u32(), format, event); return true;
    case Var::sql_mode: event.sql_mode = in.u64(); return true;
    case Var::charset:
      event.charset_client = in.u16();
      in.take(2);  // connection collation
      event.charset_server = in.u16();
      return true;
    case Var::explicit_defaults_for_timestamp:
      event.explicit_defaults_for_timestamp = in.u8() != 0;
      return true;
    case Var::microseconds:
    case Var::hrnow: event.microseconds = static_cast<std::uint32_t>(in.le<3>()); return true;
    case Var::auto_increment:
    case Var::master_data_written: in.take(4); return true;
    case Var::table_map_for_update:
    case Var::ddl_xid:
    case Var::xid: in.take(8); return true;
    case Var::lc_time_names:
    case Var::charset_database:
    case Var::default_collation_utf8mb4: in.take(2); return true;
    case Var::sql_require_primary_key:
    case Var::default_table_encryption: in.take(1); return true;
    case Var::catalog: in.take(std::size_t{in.u8()} + 1); return true;  // with its NUL
    case Var::time_zone:
    case Var::catalog_nz: in.take(in.u8()); return true;
    case Var::invoker:
      in.take(in.u8());
      in.take(in.u8());
      return true;
    case Var::updated_db_names: {
      const unsigned count = in.u8();
      if (count == kTooManyDatabases) return true;
      for (unsigned i = 0; i < count && in.ok(); ++i)
        while (in.ok() && in.u8() != 0) {
        }
      return true;
    }
    case Var::gtid_flags3: {
      const unsigned flags = in.u8();
      event.alter_phase = alter_phase(flags);
      if ((flags & 0xCU) != 0)
        in.take(8);  // COMMIT ALTER and ROLLBACK ALTER name their START ALTER
      return true;
    }
    case Var::character_set_collations: in.take(std::size_t{in.u8()} * 4); return true;
  }
  return false;
}

}  // namespace

Result<QueryEvent> QueryEvent::decode(Bytes body, const FormatDescription& format) {
  QueryEvent event;
  SLUICE_TRY(decode(body, format, event));
  return event;
}

Status QueryEvent::decode(Bytes body, const FormatDescription& format, QueryEvent& out) {
  const std::size_t fixed = format.post_header(EventType::query);
  if (fixed < kPostHeader) return unsupported(kName, "of a server before MySQL 5.0");
  ByteReader r(body);
  out = {};
  out.thread_id = r.u32();
  out.exec_time = r.u32();
  const std::size_t database_size = r.u8();
  out.error_code = r.u16();
  const std::size_t vars_size = r.u16();
  r.take(fixed - kPostHeader);
  ByteReader vars(r.take(vars_size));
  out.database = as_chars(r.take(database_size));
  r.take(1);  // NUL
  if (!r.ok()) return truncated(kName, body);
  out.statement = as_chars(r.rest());
  while (vars.remaining() != 0)
    if (!read_var(vars, static_cast<Var>(vars.u8()), format, out)) break;
  if (!vars.ok()) return malformed(kName, "a status variable ends too early");
  return {};
}

}  // namespace sluice::binlog
