#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sluice/binlog/event.h"
#include "sluice/model/gtid.h"

namespace sluice::binlog {

// All decode functions take an event body (no header, no checksum).  Views into that body.  Errors:
// fatal/binlog_truncated, binlog_malformed, binlog_unsupported (of an older or later server), with
// the event's name.

struct RotateEvent {
  std::uint64_t pos = 4;
  std::string_view next_file;
  static Result<RotateEvent> decode(Bytes body);
};

struct QueryEvent {
  std::uint32_t thread_id = 0;
  std::uint32_t exec_time = 0;  // seconds
  std::uint16_t error_code = 0;
  std::string_view database;   // default database of the session; "" = none
  std::string_view statement;  // in the session's character_set_client
  std::uint64_t sql_mode = 0;
  std::uint16_t charset_client = 0;           // collation id, 0 = not told
  std::uint16_t charset_server = 0;           // of databases made without one; the same
  std::optional<std::uint32_t> microseconds;  // of the start, beside the header's seconds
  std::optional<bool> explicit_defaults_for_timestamp;
  // MariaDB's binlog_alter_two_phase: the statement stands in the binlog when it begins, and again
  // when it has ended.
  enum class AlterPhase : std::uint8_t { none, start, commit, rollback };
  AlterPhase alter_phase = AlterPhase::none;
  static Result<QueryEvent> decode(Bytes body, const FormatDescription& format);
  // The same into `out`, for whoever decodes millions of them; after an error it is of no use.
  static Status decode(Bytes body, const FormatDescription& format, QueryEvent& out);
};

struct XidEvent {
  std::uint64_t xid = 0;
  static Result<XidEvent> decode(Bytes body);
};

// GTID, ANONYMOUS_GTID, GTID_TAGGED and MariaDB's GTID: the head of a transaction.
struct GtidEvent {
  Gtid gtid;  // monostate when anonymous
  // Microseconds since the epoch; 0 when the source does not tell (MySQL before 8.0, MariaDB).
  std::int64_t immediate_commit_us = 0;
  std::int64_t original_commit_us = 0;
  // MariaDB only.
  bool standalone = false;  // the next event is the whole transaction: no COMMIT follows
  bool ddl = false;
  bool prepared_xa = false;   // ends in XA_PREPARE, its rows wait for another transaction
  bool completed_xa = false;  // XA COMMIT or ROLLBACK of an earlier one
  static Result<GtidEvent> decode(const EventHeader& header, Bytes body,
                                  const FormatDescription& format);
};

// PREVIOUS_GTIDS and GTID_LIST: what the files before this one hold.
Result<GtidSet> decode_gtid_set_event(const EventHeader& header, Bytes body);
// A set as PREVIOUS_GTIDS and COM_BINLOG_DUMP_GTID hold it; in the format with tags (8.3+) only
// when it has some.
std::string encode_gtid_set(const MysqlGtidSet& set);

// HEARTBEAT and HEARTBEAT_V2: the source is idle at this place.  A V1 heartbeat's position is 32
// bit (header.log_pos).
struct HeartbeatEvent {
  std::string_view file;
  std::uint64_t pos = 0;
  static Result<HeartbeatEvent> decode(const EventHeader& header, Bytes body);
};

struct IncidentEvent {
  std::uint16_t number = 0;  // 1 = LOST_EVENTS
  std::string_view message;
  static Result<IncidentEvent> decode(Bytes body);
};

struct XaPrepareEvent {
  bool one_phase = false;  // a commit in one go
  std::string xid;  // X'gtrid',X'bqual',format as XA RECOVER and the binlog's queries write it
  static Result<XaPrepareEvent> decode(Bytes body);
};

// The text of a QUERY event that is an XA statement, as servers write it there: XA COMMIT
// X'6162',X'',1.
struct XaStatement {
  enum class Verb : std::uint8_t { start, end, prepare, commit, rollback };
  Verb verb = Verb::start;
  std::string xid;  // in the form of XaPrepareEvent::xid
  // Errors: fatal/binlog_malformed, for XA RECOVER, too, which no server logs.
  static Result<XaStatement> read(std::string_view statement);
};

// What a QUERY event's text means for the transaction around it; case and leading comments do not
// matter.
enum class StatementKind : std::uint8_t {
  begin,          // BEGIN, START TRANSACTION
  commit,         // COMMIT
  rollback,       // ROLLBACK
  savepoint,      // SAVEPOINT x
  rollback_to,    // ROLLBACK TO [SAVEPOINT] x
  xa,             // XA START, END, PREPARE, COMMIT, ROLLBACK
  create_select,  // CREATE TABLE ... START TRANSACTION (8.0.21+): rows follow in the same
                  // transaction
  ddl_table,      // CREATE, ALTER, RENAME, CREATE/DROP INDEX of a table or database: its schema may
                  // change
  truncate,       // TRUNCATE TABLE
  drop,           // DROP TABLE, DROP DATABASE
  dml,    // INSERT, UPDATE, DELETE, REPLACE, LOAD, CALL ... in statement format: rows we do not get
  other,  // views, users, grants, procedures, SET, comments ...: passed over knowingly
};
struct Statement {
  StatementKind kind = StatementKind::other;
  std::string name;  // of the savepoint, unquoted
  // For truncate, drop, ddl_table and create_select: what it names, as (database, table), unquoted,
  // in the statement's character set; "" as the database: the session's; "" as the table: the whole
  // database.
  std::vector<std::pair<std::string, std::string>> tables;
  bool tables_known = false;  // false there: the names could not be read, so it may be any table
};
// Takes any bytes.  The insides of /*!50000 ... */ and /*M! ... */ count; SET STATEMENT ... FOR is
// what follows FOR. `sql_mode`: the QUERY event's; a backslash and a double quote mean what it
// says.
Statement classify_statement(std::string_view text, std::uint64_t sql_mode = 0);

}  // namespace sluice::binlog
