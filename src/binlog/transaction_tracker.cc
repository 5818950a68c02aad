#include "sluice/binlog/transaction_tracker.h"

#include <string_view>
#include <utility>

#include "sluice/binlog/control_events.h"
#include "sluice/binlog/rows.h"

namespace sluice::binlog {
namespace {

// XA START, BEGIN and END, against XA PREPARE, COMMIT, ROLLBACK.
bool is_xa_bracket(std::string_view statement) {
  const std::size_t verb = statement.find_first_not_of(" \t\r\n", 2);
  return verb != std::string_view::npos &&
         std::string_view("SBEsbe").find(statement[verb]) != std::string_view::npos;
}

}  // namespace

void TransactionTracker::begin(const EventView& event) {
  open_ = began_ = true;
  in_transaction_ = standalone_ = false;
  gtid_ = {};
  time_us_ = std::int64_t{event.header.timestamp} * 1'000'000;
}

void TransactionTracker::open_unless(const EventView& event) {
  if (!open_) begin(event);
}

Status TransactionTracker::take(const EventView& event, const FormatDescription& format) {
  began_ = false;
  if (event.header.artificial()) return {};
  switch (event.header.type) {
    case EventType::gtid:
    case EventType::anonymous_gtid:
    case EventType::gtid_tagged:
    case EventType::mariadb_gtid: {
      SLUICE_TRY_ASSIGN(auto gtid, GtidEvent::decode(event.header, event.body, format));
      begin(event);
      if (gtid.immediate_commit_us != 0) time_us_ = gtid.immediate_commit_us;
      gtid_ = std::move(gtid.gtid);
      standalone_ = gtid.standalone;
      in_transaction_ = format.flavor == Flavor::mariadb && !gtid.standalone;
      return {};
    }
    case EventType::query: return take_query(event, format);
    case EventType::query_compressed:  // a long statement, so none of BEGIN and COMMIT
      open_unless(event);
      if (!in_transaction_ || standalone_) open_ = false;
      return {};
    case EventType::xid:
    case EventType::xa_prepare:
    case EventType::transaction_payload:  // all of it behind the GTID
      open_unless(event);
      open_ = false;
      return {};
    case EventType::format_description:  // the server crashed inside it
      if (event.header.log_pos != 0) open_ = false;
      return {};
    case EventType::view_change:
    case EventType::incident:
      if (!in_transaction_) open_ = false;
      return {};
    // Of a statement or a row that follows.
    case EventType::intvar:
    case EventType::rand:
    case EventType::user_var:
    case EventType::rows_query:
    case EventType::annotate_rows:
    case EventType::table_map:
    case EventType::begin_load_query: open_unless(event); return {};
    default:
      if (is_rows_event(event.header.type)) open_unless(event);
      return {};
  }
}

Status TransactionTracker::take_query(const EventView& event, const FormatDescription& format) {
  SLUICE_TRY_ASSIGN(const auto query, QueryEvent::decode(event.body, format));
  open_unless(event);
  using Kind = StatementKind;
  switch (classify_statement(query.statement, query.sql_mode).kind) {
    case Kind::begin:
    case Kind::create_select: in_transaction_ = true; return {};
    case Kind::savepoint:
    case Kind::rollback_to: return {};
    case Kind::commit:
    case Kind::rollback: open_ = false; return {};
    case Kind::xa:
      if (is_xa_bracket(query.statement)) {
        in_transaction_ = true;
        return {};
      }
      open_ = false;
      return {};
    default:
      if (!in_transaction_ || standalone_) open_ = false;
      return {};
  }
}

}  // namespace sluice::binlog
