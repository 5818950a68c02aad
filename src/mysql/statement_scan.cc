// The statements of a part of the binlog.
#include <memory>
#include <string>
#include <utility>

#include "sluice/base/log.h"
#include "sluice/binlog/control_events.h"
#include "sluice/binlog/unpacker.h"
#include "sluice/mysql/source_schemas.h"

namespace sluice::mysql {
namespace {

using binlog::EventType;
using binlog::EventView;

// A statement stands at the head of a transaction: BEGIN, CREATE TABLE ... START TRANSACTION.
constexpr int kPayloadHead = 4;
// Said to whoever waits for it.
constexpr std::uint64_t kLongWay = 64u << 20;

class Scan {
 public:
  Scan(const schema::Place& from, const schema::Place& to,
       const std::function<Status(const schema::DdlStatement&)>& each)
      : epoch_(from.epoch()), at_(from.position()), to_(to), each_(each) {}

  // False once the end is reached.
  Result<bool> take(const EventView& event, const binlog::FormatDescription* format) {
    const auto& h = event.header;
    if (h.type == EventType::rotate) {
      SLUICE_TRY_ASSIGN(const auto rotate, binlog::RotateEvent::decode(event.body));
      at_ = {std::string(rotate.next_file), rotate.pos};
      return !is_there();
    }
    if (h.artificial() || h.type == EventType::heartbeat || h.type == EventType::heartbeat_v2)
      return true;
    if (format == nullptr)
      return fatal(Errc::binlog_malformed,
                   std::string(binlog::event_type_name(h.type)) + " before FORMAT_DESCRIPTION");
    if (h.type == EventType::format_description && h.log_pos == 0) return true;  // repeated
    at_.pos += event.whole.size();
    if (Status s = look_into(event, *format); !s.ok())
      return std::move(s).error().at("at " + at_.to_string());
    return !is_there();
  }

 private:
  bool is_there() const { return schema::Place(epoch_, at_) >= to_; }

  Status look_into(const EventView& event, const binlog::FormatDescription& format) {
    switch (event.header.type) {
      case EventType::query: return on_query(event, format);
      case EventType::query_compressed:
      case EventType::transaction_payload: break;
      default: return {};
    }
    SLUICE_TRY(unpacker_.open(event, format));
    EventView inner;
    for (int i = 0; i < kPayloadHead; ++i) {
      SLUICE_TRY_ASSIGN(const bool more, unpacker_.next(inner));
      if (!more) break;
      if (inner.header.type == EventType::query) SLUICE_TRY(on_query(inner, format));
    }
    unpacker_.reset();
    return {};
  }

  Status on_query(const EventView& event, const binlog::FormatDescription& format) {
    SLUICE_TRY_ASSIGN(const auto query, binlog::QueryEvent::decode(event.body, format));
    using Kind = binlog::StatementKind;
    switch (binlog::classify_statement(query.statement, query.sql_mode).kind) {
      case Kind::begin:
      case Kind::commit:
      case Kind::rollback:
      case Kind::savepoint:
      case Kind::rollback_to:
      case Kind::xa:
      case Kind::dml: return {};
      default: break;
    }
    const auto statement = schema::ddl_statement(query, format, {epoch_, at_});
    return statement ? each_(*statement) : Status();
  }

  std::uint32_t epoch_;
  BinlogPosition at_;
  const schema::Place& to_;
  const std::function<Status(const schema::DdlStatement&)>& each_;
  binlog::EventUnpacker unpacker_;
};

}  // namespace

ReplicaIdentity second_identity(const ReplicaIdentity& ours) {
  ReplicaIdentity id = derived_identity(ours.uuid + "/" + std::to_string(ours.server_id), 3);
  if (id.server_id == ours.server_id) id.server_id ^= 1U;
  return id;
}

Status scan_statements(const SourceOptions& options, const Endpoint& endpoint,
                       const ReplicaIdentity& identity, const schema::Place& from,
                       const schema::Place& to, const std::stop_token& stop,
                       const std::function<Status(const schema::DdlStatement&)>& each) {
  if (to <= from) return {};
  if (from.position().file != to.position().file ||
      to.position().pos - from.position().pos > kLongWay)
    log::get("schema").info(
        "looking through the binlog for statements that change tables from={} "
        "to={}",
        from.to_string(), to.to_string());
  SLUICE_TRY_ASSIGN(const auto source,
                    ReplicationStream::open(options, endpoint, identity, from.position()));
  const std::stop_callback end(stop, [&source = *source] { source.interrupt(); });
  binlog::EventFramer framer(source->announced_checksum(), true);
  Scan scan(from, to, each);
  for (bool more = true; more;) {
    SLUICE_TRY_ASSIGN(const Bytes bytes, source->next());
    SLUICE_TRY_ASSIGN(const EventView event, framer.frame(bytes));
    SLUICE_TRY_ASSIGN(more, scan.take(event, framer.format()));
  }
  return {};
}

}  // namespace sluice::mysql
