#include "pipeline/assembler.h"

#include <algorithm>

#include "sluice/base/log.h"

#include "pipeline/start.h"

namespace sluice::pipeline {
namespace {

// A 32-bit position that lies further ahead than this lies behind.
constexpr std::uint32_t kLongestJump = std::uint32_t{1} << 31U;

}  // namespace

Assembler::Assembler(AssemblerSettings settings, const TableFilter& filter,
                     schema::Catalog& catalog, TransactionSink& sink, HeldXa& held,
                     ops::Counters& counters, const Clock& clock)
    : settings_(settings),
      filter_(&filter),
      catalog_(&catalog),
      sink_(&sink),
      counters_(&counters),
      clock_(&clock),
      unpacker_({.transaction_bytes = settings.inflated_bytes}),
      make_plan_([this](binlog::TableMap map) { return make_plan(std::move(map)); }),
      held_(&held),
      held_rows_(held, settings.hold_bytes),
      encoder_(settings.partitions, settings.lines()) {
  batch_.partitions.resize(settings_.partitions);
  if (settings_.encode_threads != 0)
    parallel_ = std::make_unique<ParallelEncoder>(
        ParallelEncoder::Settings{.threads = settings_.encode_threads,
                                  .partitions = settings_.partitions,
                                  .lines = settings_.lines(),
                                  .job_bytes = settings_.encode_job_bytes,
                                  .bytes = settings_.hold_bytes},
        [this](EncodeJob& job) { return take_job(job); });
}

void Assembler::start(const DumpStart& start) {
  drop_rows();
  unpacker_.reset();
  group_ = {};
  tables_.clear();
  file_.reset();
  if (epoch_ != start.epoch) read_to_ = {};  // files of this name are others there
  epoch_ = start.epoch;
  by_gtid_ = start.by_gtid;
  tentative_ = start.tentative;
  file_ended_ = cut_short_ = false;
  fresh_domains_.clear();
  expected_file_ = start.expected_file;
  pos_ = start.from.pos;
  resume_ = start.from;
  resume_file_ = expected_file_;
}

void Assembler::set_overlap(Overlap overlap) {
  overlap_ = std::move(overlap);
  encoder_.set_gate(overlap_.active() ? &overlap_ : nullptr);
}

Error Assembler::at_position(Error error) const {
  const std::string where = file_ ? file_->name : resume_.file;
  error.what = "at " + where + ":" + std::to_string(event_start_) + ": " + error.what;
  return error;
}

Error Assembler::unsupported(std::string what) const {
  return fatal(Errc::pipeline_unsupported, std::move(what));
}

Status Assembler::feed(const binlog::EventView& event, const binlog::FormatDescription* format) {
  ops::add_alone(counters_->events_read, 1);
  ops::add_alone(counters_->bytes_read, event.whole.size());
  event_start_ = pos_;
  if (Status s = take(event, format); !s.ok()) {
    Error error = std::move(s).error();
    return error.cls == ErrorClass::stopped ? error : at_position(std::move(error));
  }
  return {};
}

Status Assembler::take(const binlog::EventView& event, const binlog::FormatDescription* format) {
  using binlog::EventType;
  const EventType type = event.header.type;
  if (type == EventType::rotate) return on_rotate(event);
  if (type == EventType::heartbeat || type == EventType::heartbeat_v2) return {};
  if (format == nullptr)
    return fatal(Errc::binlog_malformed,
                 std::string(binlog::event_type_name(type)) + " before FORMAT_DESCRIPTION");
  flavor_ = format->flavor;
  SLUICE_TRY(advance(event));
  if (event.header.timestamp != 0) last_timestamp_ = event.header.timestamp;
  if (binlog::EventUnpacker::is_packed(type)) return on_packed(event, *format);
  if (unpacker_.in_fragments() && type != EventType::format_description)
    return fatal(Errc::binlog_malformed, std::string(binlog::event_type_name(type)) +
                                             " comes between two PARTIAL_ROW_DATA");
  return dispatch(event, *format);
}

// The place in the file is that of the event which holds the others: a transaction that ends inside
// ends where that event does.
Status Assembler::on_packed(const binlog::EventView& event,
                            const binlog::FormatDescription& format) {
  SLUICE_TRY(unpacker_.open(event, format));
  binlog::EventView inner;
  for (bool ended = false;;) {
    SLUICE_TRY_ASSIGN(const bool more, unpacker_.next(inner));
    if (!more) return {};
    if (ended)
      return fatal(Errc::binlog_malformed,
                   std::string(binlog::event_type_name(inner.header.type)) + " in a " +
                       std::string(binlog::event_type_name(event.header.type)) +
                       " behind the transaction's end");
    const bool was_open = group_.open;
    SLUICE_TRY(dispatch(inner, format));
    ended = was_open && !group_.open;
  }
}

Status Assembler::dispatch(const binlog::EventView& event,
                           const binlog::FormatDescription& format) {
  using binlog::EventType;
  const EventType type = event.header.type;
  // Whatever else comes finds all rows before it in the batch.
  if (parallel_ && !binlog::is_rows_event(type) && type != EventType::table_map &&
      type != EventType::rows_query && type != EventType::annotate_rows)
    SLUICE_TRY(parallel_->settle());
  switch (type) {
    case EventType::format_description: return on_format_description(event, format);
    case EventType::gtid:
    case EventType::anonymous_gtid:
    case EventType::gtid_tagged:
    case EventType::mariadb_gtid: return on_gtid(event, format, event_start_);
    case EventType::query: return on_query(event, format, event_start_);
    case EventType::xid: SLUICE_TRY(binlog::XidEvent::decode(event.body)); return commit();
    case EventType::table_map:
      return group_.known ? Status{} : tables_.add(event.body, format, make_plan_);
    case EventType::xa_prepare: return on_xa_prepare(event);
    case EventType::incident: {
      SLUICE_TRY_ASSIGN(const auto incident, binlog::IncidentEvent::decode(event.body));
      return fatal(Errc::binlog_unsupported,
                   "INCIDENT " + std::to_string(incident.number) + " (" +
                       std::string(incident.message) +
                       "): the source says that its binlog has a hole here. Rows may be missing: "
                       "compare the tables, then go on behind it with `sluice position set`");
    }
    case EventType::previous_gtids:
    case EventType::gtid_list: return on_gtid_set(event, format);
    // Known, and nothing in them for us.  INTVAR, RAND and USER_VAR belong to a statement that
    // follows as QUERY.
    case EventType::stop:
    case EventType::intvar:
    case EventType::rand:
    case EventType::user_var:
    case EventType::ignorable:
    case EventType::rows_query:
    case EventType::annotate_rows:
    case EventType::binlog_checkpoint:
    case EventType::transaction_context:
    case EventType::large_transaction_header: return {};
    case EventType::view_change: return group_.open && !group_.in_transaction ? commit() : Status{};
    case EventType::load:
    case EventType::create_file:
    case EventType::exec_load:
    case EventType::new_load:
    case EventType::begin_load_query:
    case EventType::execute_load_query:
    case EventType::append_block:
    case EventType::delete_file:
      return unsupported(
          "LOAD DATA in statement format: its rows are not in the binlog. Set binlog_format = "
          "ROW for every session (SET GLOBAL binlog_format = 'ROW'), reload the table, then go "
          "on behind it with `sluice position set`");
    default: break;
  }
  if (binlog::is_rows_event(type)) return on_rows(event, format);
  if (event.header.ignorable()) return {};
  return fatal(Errc::binlog_unsupported,
               "event type " + std::to_string(static_cast<int>(type)) + " (" +
                   std::string(binlog::event_type_name(type)) + "), " +
                   std::to_string(event.whole.size()) +
                   " bytes: not known to this version and not marked as ignorable");
}

// The head of a file says what the files before it hold.
Status Assembler::on_gtid_set(const binlog::EventView& event,
                              const binlog::FormatDescription& format) {
  if (group_.open || event.header.artificial()) return {};
  const binlog::EventType type = event.header.type;
  if ((type == binlog::EventType::gtid_list) != (flavor_ == Flavor::mariadb))
    return fatal(Errc::binlog_malformed, std::string(binlog::event_type_name(type)) +
                                             " in a binlog of " + format.server_version);
  SLUICE_TRY_ASSIGN(const GtidSet executed,
                    binlog::decode_gtid_set_event(event.header, event.body));
  pass_to_here(&executed);
  return {};
}

// Keeps our own count of the position.  log_pos, where an event has one, must agree with it modulo
// 2^32; events that the server made up for the stream carry none.
Status Assembler::advance(const binlog::EventView& event) {
  const auto& h = event.header;
  if (h.artificial()) return {};
  if (h.type == binlog::EventType::format_description && h.log_pos == 0) return {};
  // The server has left out transactions between two that it sends.
  if (by_gtid_ && !group_.open && h.log_pos != 0)
    if (const auto ahead = static_cast<std::uint32_t>(h.log_pos - event.whole.size() - pos_);
        ahead < kLongestJump) {
      pos_ += ahead;
      event_start_ = pos_;
    }
  const std::uint64_t end = pos_ + event.whole.size();
  if (h.log_pos != 0 && static_cast<std::uint32_t>(end) != h.log_pos)
    return fatal(Errc::binlog_malformed, std::string(binlog::event_type_name(h.type)) + " of " +
                                             std::to_string(event.whole.size()) +
                                             " bytes says it ends at " + std::to_string(h.log_pos) +
                                             ", counted " + std::to_string(end) +
                                             ": events are missing in the stream");
  pos_ = end;
  return {};
}

Status Assembler::on_rotate(const binlog::EventView& event) {
  SLUICE_TRY_ASSIGN(const auto rotate, binlog::RotateEvent::decode(event.body));
  if (!event.header.artificial()) {
    SLUICE_TRY(advance(event));
    file_ended_ = true;
  }
  SLUICE_TRY_ASSIGN(const auto name, BinlogFileName::parse(rotate.next_file));
  if (file_ && file_->name == rotate.next_file && pos_ == rotate.pos) return {};  // said twice
  auto next = std::make_shared<SourceFile>();
  next->name = rotate.next_file;
  next->number = name.number;
  next->epoch = epoch_;
  cut_short_ = file_ && !file_ended_;
  file_ended_ = false;
  file_ = std::move(next);
  pos_ = rotate.pos;
  return {};
}

Status Assembler::on_format_description(const binlog::EventView& event,
                                        const binlog::FormatDescription& format) {
  if (!file_) return fatal(Errc::binlog_malformed, "FORMAT_DESCRIPTION before any ROTATE");
  auto named = std::make_shared<SourceFile>(*file_);
  named->timestamp = format.timestamp;
  named->fingerprint = format.fingerprint;
  if (expected_file_ && expected_file_->name == named->name &&
      (expected_file_->timestamp != named->timestamp ||
       expected_file_->fingerprint != named->fingerprint))
    return other_file(named->name);
  // A server begins a file without the last one's ROTATE only when it starts, and says so.
  if (cut_short_ && format.created == 0)
    return other_history(named->name +
                         " comes behind a file whose end was not read: the source's binlog was "
                         "reset meanwhile");
  cut_short_ = false;
  file_ = std::move(named);
  const bool repeated = event.header.log_pos == 0;
  if (group_.open && !repeated) SLUICE_TRY(abandon("its binlog file ended inside it"));
  unpacker_.reset();
  tables_.clear();
  // A whole file read: the restart point may enter the next one, so that the old one can be purged.
  // At a first start this is also where the file's identity becomes known.
  if (!group_.open && (!repeated || !resume_file_)) pass_to_here({});
  return {};
}

void Assembler::open_group(std::uint32_t timestamp, std::uint64_t start) {
  group_ = {};
  group_.open = true;
  group_.id = {epoch_ ? epoch_->number : 1, file_ ? file_->number : 0, start};
  group_.es_ms = std::int64_t{timestamp} * 1000;
  // Second-granular sources: the commit was in that second and before now.
  const std::int64_t second_end = std::int64_t{timestamp} * 1'000'000 + 999'999;
  group_.commit_us =
      std::min(second_end, std::max(clock_->wall_us(), std::int64_t{timestamp} * 1'000'000));
  group_.streamed = group_.id == streamed_id_ && streamed_events_ != 0;
  group_.again = file_ && file_->name == read_to_.file && start < read_to_.pos;
  savepoints_.clear();
  print_.clear();
}

// A server that took over, or one that is read by GTID, may bring again what another one brought.
bool Assembler::was_read(const Gtid& gtid) {
  if (!by_gtid_ && group_.id.epoch <= 1) return false;
  const auto* const mariadb = std::get_if<MariadbGtid>(&gtid);
  if (mariadb != nullptr && fresh_domains_.contains(mariadb->domain)) return false;
  if (sink_->has_read(gtid)) return true;
  if (mariadb != nullptr) fresh_domains_.insert(mariadb->domain);
  return false;
}

Status Assembler::on_gtid(const binlog::EventView& event, const binlog::FormatDescription& format,
                          std::uint64_t start) {
  SLUICE_TRY_ASSIGN(auto gtid, binlog::GtidEvent::decode(event.header, event.body, format));
  if (group_.open) {
    if (group_.in_transaction)
      return fatal(Errc::binlog_malformed,
                   "a transaction begins inside another one, which began at " +
                       std::to_string(group_.id.pos));
    SLUICE_TRY(commit());  // a group of nothing but ignorable events
  }
  open_group(event.header.timestamp, start);
  group_.known = was_read(gtid.gtid);
  group_.gtid_text = gtid_to_string(gtid.gtid);
  overlap_.begin(group_.gtid_text);
  if (group_.streamed && overlap_.active()) overlap_.restore(streamed_left_);
  group_.gtid = std::move(gtid.gtid);
  if (gtid.immediate_commit_us != 0) {
    group_.commit_us = gtid.immediate_commit_us;
    group_.es_ms = gtid.immediate_commit_us / 1000;
  }
  group_.standalone = gtid.standalone;
  // MariaDB's GTID stands for BEGIN, and for XA START.
  group_.in_transaction = format.flavor == Flavor::mariadb && !gtid.standalone;
  return gtid.prepared_xa ? begin_xa(format) : Status();
}

Status Assembler::hand_over() {
  if (batch_.empty()) return {};
  batch_.id = group_.id;
  batch_.gtid = group_.gtid_text;
  batch_.commit_us = group_.commit_us;
  batch_.file = file_;
  batch_.pos = pos_;
  if (group_.streamed && overlap_.active()) streamed_left_ = overlap_.left();
  Status s = sink_->add(batch_);
  batch_.clear();
  return s;
}

Status Assembler::commit() {
  if (!held_rows_.empty()) SLUICE_TRY(send_held(held_rows_.take()));
  if (group_.open && !batch_.empty()) SLUICE_TRY(hand_over());
  batch_.clear();
  if (overlap_.active() && group_.open && !group_.known) {
    SLUICE_TRY(overlap_.end(group_.gtid_text));
    if (!overlap_.active()) encoder_.set_gate(nullptr);
  }
  if (group_.known) {  // counted as executed when it was read
    group_.gtid = {};
    group_.es_ms = 0;
  }
  ops::add_alone(counters_->transactions_read, 1);
  if (pos_ <= kLargestDumpPosition) {
    resume_ = here();
    resume_file_ = file_;
  } else if (!group_.again) {
    read_to_ = here();
  }
  TransactionEnd end{file_, pos_, std::move(group_.gtid), group_.es_ms, nullptr, print_.value()};
  print_.clear();
  group_ = {};
  streamed_events_ = 0;
  streamed_id_ = {};
  sink_->complete(end);
  // No statement is open here that needs the old ids.
  tables_.trim();
  return {};
}

// The place read so far becomes the one to go on from, unless part of a transaction before it is
// with the sink: its end has to come first.
void Assembler::pass_to_here(const GtidSet* executed) {
  resume_ = here();
  resume_file_ = file_;
  if (streamed_events_ == 0 && !tentative_) sink_->complete({file_, pos_, {}, 0, executed});
}

void Assembler::drop_rows() {
  if (parallel_) parallel_->drop();
  batch_.clear();
  held_rows_.drop();
  savepoints_.clear();
}

Status Assembler::abandon(std::string_view why) {
  if (group_.streamed)
    return unsupported(
        "a transaction of more than limits.transaction_hold, which began at " +
        std::to_string(group_.id.pos) + ", was rolled back (" + std::string(why) +
        ") after part of its rows went to the queue. Rows with event ids from " +
        EventId{group_.id.epoch, group_.id.file, group_.id.pos, 0, 0, 0}.to_string() +
        " on are to be compared with the source; then go on behind it with "
        "`sluice position set`, with a larger limits.transaction_hold");
  if (!batch_.empty() || !held_rows_.empty())
    log::get("pipeline")
        .info("transaction rolled back rows={} began={} ({})", batch_.rows, group_.id.pos, why);
  drop_rows();
  group_.open = false;
  return {};
}

}  // namespace sluice::pipeline
