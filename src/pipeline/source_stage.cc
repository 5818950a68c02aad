#include "pipeline/source_stage.h"

#include <algorithm>
#include <compare>
#include <utility>

#include "sluice/base/log.h"

#include "pipeline/barrier.h"
#include "pipeline/start.h"

namespace sluice::pipeline {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
constexpr std::chrono::seconds kShortLived{3};
// A server kills the older dump thread of two replicas with one server_id: both see their dump end
// right after it began, in turn.
constexpr std::uint32_t kTakeovers = 5;
// How often Redis is asked whether it has all that was sent.
constexpr milliseconds kLookEvery{100};

std::shared_ptr<const SourceEpoch> epoch_of(const position::State& state) {
  SourceEpoch epoch{state.epoch, state.source};
  epoch.server.file_timestamp = epoch.server.file_fingerprint = 0;
  return std::make_shared<SourceEpoch>(std::move(epoch));
}

bool is_heartbeat(binlog::EventType type) {
  return type == binlog::EventType::heartbeat || type == binlog::EventType::heartbeat_v2;
}

// Places of one binlog.  Nullopt: they are none.
std::optional<std::strong_ordering> compare(const BinlogPosition& a, const BinlogPosition& b) {
  const auto in = BinlogFileName::parse(a.file), other = BinlogFileName::parse(b.file);
  if (!in || !other) return std::nullopt;
  return std::pair(in->number, a.pos) <=> std::pair(other->number, b.pos);
}

}  // namespace

std::shared_ptr<const SourceFile> file_of(const position::State& state) {
  const auto name = BinlogFileName::parse(state.position.file);
  if (state.source.file_timestamp == 0 || !name) return nullptr;
  return std::make_shared<SourceFile>(SourceFile{state.position.file, name->number,
                                                 state.source.file_timestamp,
                                                 state.source.file_fingerprint, epoch_of(state)});
}

SourceStage::SourceStage(Dependencies dependencies, Settings settings, Checkpoint& checkpoint,
                         Assembler& assembler, Outbox& outbox, ops::Counters& counters,
                         Health& health)
    : deps_(std::move(dependencies)),
      settings_(settings),
      checkpoint_(&checkpoint),
      assembler_(&assembler),
      outbox_(&outbox),
      counters_(&counters),
      health_(&health),
      backoff_(milliseconds(100), settings.reconnect_max) {
  const position::State state = checkpoint_->state();
  resume_ = state.position;
  resume_file_ = file_of(state);
  epoch_ = resume_file_ ? resume_file_->epoch : epoch_of(state);
  if (!state.overlap.empty()) assembler_->set_overlap(Overlap(state.overlap));
}

Status SourceStage::run(const std::stop_token& st) {
  while (!st.stop_requested()) {
    const auto began = steady_clock::now();
    dumping_ = false;
    Status s = session(st);
    if (st.stop_requested()) break;
    if (dumping_ || !lost_since_) lost_since_ = steady_clock::now();
    health_->source = Health::Link::lost;
    health_->source_idle = false;
    outbox_->set_idle(false);
    if (s.ok() || s.error().cls == ErrorClass::stopped) break;
    if (s.error().cls != ErrorClass::retry && !in_doubt(s.error())) return s;
    if (dumping_ && steady_clock::now() - began < kShortLived) {
      if (++short_lived_ >= kTakeovers)
        return fatal(
            Errc::mysql_server_id_taken,
            "the source ended our dump " + std::to_string(short_lived_) +
                " times in a row right after it began (" + s.error().what +
                "): most likely another replica uses our server_id. SHOW SLAVE HOSTS (SHOW "
                "REPLICAS) lists them; give one of the two another source.server_id");
    } else if (dumping_) {
      short_lived_ = 0;
    }
    const auto pause = backoff_.next();
    // Once for each reason.
    const bool another = backoff_.attempts() == 1 || said_ != s.error().code || short_lived_ == 2;
    said_ = s.error().code;
    if (another)
      log::get("mysql").warn(
          "source lost, reconnecting host={} wait_ms={} position={} error=\"{}\"",
          deps_.name(host_), pause.count(), resume_.to_string(), to_string(s.error()));
    counters_->reconnects.fetch_add(1, std::memory_order_relaxed);
    if (!wait_for(pause, st)) break;
  }
  return stopped();
}

// A file that cannot be read to its end may have been replaced by another one of that name: the
// head of what is there now tells.
bool SourceStage::in_doubt(const Error& error) {
  if (!dumping_ || error.code != Errc::binlog_malformed) return false;
  const BinlogPosition here = assembler_->here();
  if (doubted_ == here) return false;
  doubted_ = here;
  return true;
}

Status SourceStage::session(const std::stop_token& st) {
  if (assembler_->epoch() == epoch_) {
    resume_ = assembler_->resume();
    resume_file_ = assembler_->resume_file();
  }
  SLUICE_TRY_ASSIGN(const Choice choice, choose());
  host_ = choice.host;
  deps_.follow(host_);
  return choice.same ? follow_on(choice, st) : take_over(choice, st);
}

// The host where the server of this epoch is; when that is gone for too long, or its host answers
// as another server, one that has all that was read.
Result<SourceStage::Choice> SourceStage::choose() {
  std::optional<Error> unreachable;
  std::vector<Choice> others;
  for (std::size_t i = 0; i < deps_.hosts; ++i) {
    const std::size_t host = (host_ + i) % deps_.hosts;
    auto server = deps_.identify(host);
    if (!server) {
      if (server.error().cls != ErrorClass::retry && deps_.hosts == 1) return server.error();
      if (!unreachable) unreachable = std::move(server).error();
      continue;
    }
    if (same_source(epoch_->server, *server).ok()) return Choice{host, std::move(*server), true};
    others.push_back({host, std::move(*server), false});
    // An address that moved to another server: nothing is to be waited for.
    if (i == 0 && (was_up_ || deps_.hosts == 1)) break;
  }
  if (others.empty()) return std::move(*unreachable);
  const bool moved = others.front().host == host_ && (was_up_ || deps_.hosts == 1);
  const auto lost_for = lost_since_ ? steady_clock::now() - *lost_since_ : steady_clock::duration{};
  if (!moved && unreachable && lost_for < settings_.failover_after) return std::move(*unreachable);

  std::optional<Error> refused;
  bool may_come = false;
  for (Choice& other : others) {
    Status possible = same_source(epoch_->server, other.server);  // why it is another one
    const GtidSet read = outbox_->read_gtids();
    if (other.server.flavor == epoch_->server.flavor && !read.empty()) {
      possible = deps_.check(other.host, read, same_server(epoch_->server, other.server));
      if (possible.ok()) return std::move(other);
      may_come = may_come || possible.error().cls == ErrorClass::retry;
    } else if (other.server.flavor == epoch_->server.flavor) {
      auto end = deps_.find_trail_end(other.host, outbox_->read_trail());
      if (end) {
        other.place = std::move(end).value();
        return std::move(other);
      }
      may_come = may_come || end.error().cls == ErrorClass::retry;
      if (end.error().cls == ErrorClass::retry) possible = std::move(end).error();
    }
    if (!refused) refused = std::move(possible).error();
  }
  if (may_come) refused->cls = ErrorClass::retry;
  if (unreachable && !may_come) refused->what += " (and " + unreachable->what + ")";
  return std::move(*refused);
}

void SourceStage::up(const BinlogPosition& from) {
  was_up_ = dumping_ = true;
  lost_since_.reset();
  health_->source = Health::Link::up;
  if (backoff_.attempts() != 0)
    log::get("mysql").info("source connected again host={} position={}", deps_.name(host_),
                           from.to_string());
}

Status SourceStage::follow_on(const Choice& choice, const std::stop_token& st) {
  SLUICE_TRY_ASSIGN(const std::unique_ptr<binlog::EventSource> source,
                    deps_.open(choice.host, resume_));
  const std::stop_callback end(st, [&source] { source->interrupt(); });
  by_gtid_ = false;
  look_for_tail();
  assembler_->start({resume_, resume_file_, epoch_, false, false});
  binlog::EventFramer framer(source->announced_checksum(), true);
  SLUICE_TRY(feed(*source, framer));
  up(resume_);
  if (checkpoint_->state().overlap_pending) SLUICE_TRY(settle_overlap(st));
  return read(*source, framer, st);
}

// In this order: the place where the new server's binlog goes on is known, all that was read is
// confirmed, the new epoch is durable, Redis has all that was sent, and then the first row is read.
Status SourceStage::take_over(const Choice& choice, const std::stop_token& st) {
  SLUICE_TRY_ASSIGN(const std::uint32_t number, next_epoch());
  const GtidSet read_before = outbox_->read_gtids();
  SLUICE_TRY_ASSIGN(const std::unique_ptr<binlog::EventSource> source,
                    choice.place ? deps_.open(choice.host, choice.place->place.position)
                                 : deps_.open_behind(choice.host, read_before));
  const std::stop_callback end(st, [&source] { source->interrupt(); });
  by_gtid_ = !choice.place;
  look_for_tail();
  const auto epoch = std::make_shared<SourceEpoch>(SourceEpoch{number, choice.server});
  assembler_->start({choice.place ? choice.place->place.position : BinlogPosition(), nullptr, epoch,
                     !choice.place, true});
  binlog::EventFramer framer(source->announced_checksum(), true);
  while (framer.format() == nullptr) SLUICE_TRY(feed(*source, framer));
  SLUICE_TRY(outbox_->wait_drained());
  const BinlogPosition from = assembler_->here();
  SLUICE_TRY(assembler_->take_schemas_along());
  SLUICE_TRY(checkpoint_->begin_epoch(*assembler_->file(), from.pos, outbox_->restart_point()));
  log::get("mysql").warn(
      "another server is followed from here on, behind the last transaction read host={} epoch={} "
      "position={} gtid={}",
      deps_.name(choice.host), number, from.to_string(),
      read_before.empty() ? "-" : read_before.to_string());
  if (choice.place && !choice.place->exact)
    log::get("mysql").error(
        "the last transaction read was not found in the new server's binlog (no GTIDs): what was "
        "committed since shortly before it is sent again, at least once position={}",
        from.to_string());
  epoch_ = epoch;
  assembler_->accept();
  outbox_->enter(assembler_->file(), from.pos);
  up(from);
  SLUICE_TRY(settle_overlap(st));
  return read(*source, framer, st);
}

// Above all epochs of rows that may be in the queues or in Redis.
Result<std::uint32_t> SourceStage::next_epoch() {
  std::uint32_t highest = checkpoint_->state().epoch;
  SLUICE_TRY_ASSIGN(const auto records, deps_.applied());
  for (const auto& record : records)
    if (record) highest = std::max({highest, record->id.epoch, record->tick.epoch});
  return highest + 1;
}

// Rows behind the saved place may have been sent from the server before.  When ticks of this epoch
// have come through every queue, Redis has all of them, and its records say which they are.
Status SourceStage::settle_overlap(const std::stop_token& st) {
  const position::State state = checkpoint_->state();
  for (;;) {
    SLUICE_TRY_ASSIGN(const auto records, deps_.applied());
    const bool all = std::all_of(records.begin(), records.end(), [&state](const auto& record) {
      return record && record->tick.epoch >= state.epoch;
    });
    if (!all) {
      if (!wait_for(kLookEvery, st)) return stopped();
      continue;
    }
    SLUICE_TRY_ASSIGN(const GtidSet saved,
                      GtidSet::parse(outbox_->read_gtids().flavor(), state.gtid_set));
    GtidSet sent(saved.flavor());  // and the server must have them
    Overlap::Marks marks(records.size());
    std::size_t open = 0;
    for (std::size_t p = 0; p < records.size(); ++p) {
      const position::AppliedRecord& record = *records[p];
      if (record.id.is_zero() || record.id <= state.last[p]) continue;
      SLUICE_TRY_ASSIGN(const GtidSet one, GtidSet::parse(saved.flavor(), record.gtid));
      if (!one.empty() && saved.contains(one)) continue;
      if (one.empty()) {
        log::get("mysql").error(
            "rows sent from the server before, of transactions without GTIDs, are sent again "
            "partition={} up_to={}",
            p, record.id.to_string());
        continue;
      }
      if (sent.empty()) sent.add(saved);
      sent.add(one);
      marks[p] = position::OverlapMark{record.gtid, record.ordinal};
      ++open;
    }
    if (!sent.empty()) SLUICE_TRY(deps_.check(host_, sent, false));
    if (open == 0) marks.clear();
    SLUICE_TRY(checkpoint_->settle_overlap(marks));
    if (open != 0)
      log::get("mysql").info(
          "rows that were sent from the server before are left out partitions={}", open);
    assembler_->set_overlap(Overlap(std::move(marks)));
    return {};
  }
}

Status SourceStage::read(binlog::EventSource& source, binlog::EventFramer& framer,
                         const std::stop_token& st) {
  const auto began = steady_clock::now();
  bool settled = false;
  while (!st.stop_requested()) {
    if (!settled && steady_clock::now() - began > kShortLived) {
      settled = true;
      backoff_.reset();
      short_lived_ = 0;
    }
    SLUICE_TRY(feed(source, framer));
    if (pause_.load(std::memory_order_relaxed) && assembler_->idle())
      SLUICE_TRY(end_between_transactions(st));
  }
  return stopped();
}

// Stopped when it is done.  Not done, and to be tried again later: where no dump can begin, and as
// long as Redis has rows from behind this place, which were sent before we were started.
Status SourceStage::end_between_transactions(const std::stop_token& st) {
  SLUICE_TRY(Barrier(*outbox_, deps_.applied).pass(st));
  const RestartPoint point = outbox_->restart_point();
  const BinlogPosition read = outbox_->status().read;
  if (point.file && (point.file->name != read.file || point.pos != read.pos)) return {};
  SLUICE_TRY_ASSIGN(const auto records, deps_.applied());
  const std::vector<EventId> sent = outbox_->chain();
  if (!std::equal(sent.begin(), sent.end(), records.begin(), records.end(),
                  [](const EventId& last, const auto& record) {
                    return (record ? record->id : EventId{}) == last;
                  }))
    return {};
  paused_ = true;
  return stopped();
}

Status SourceStage::feed(binlog::EventSource& source, binlog::EventFramer& framer) {
  // Nothing to read and no transaction open: what the source has is here.
  const bool idle = at_tail_ && assembler_->idle() && !source.ready();
  if (idle != health_->source_idle.load(std::memory_order_relaxed)) {
    health_->source_idle.store(idle, std::memory_order_relaxed);
    outbox_->set_idle(idle);
  }
  SLUICE_TRY_ASSIGN(const Bytes bytes, source.next());
  binlog::EventView event;
  SLUICE_TRY(framer.frame(bytes, event));
  SLUICE_TRY(assembler_->feed(event, framer.format()));
  if (!at_tail_) pass_tail(event.header.type);
  if (dumping_ && is_heartbeat(event.header.type)) SLUICE_TRY(look_at_end());
  health_->source_timestamp.store(assembler_->last_timestamp(), std::memory_order_relaxed);
  return {};
}

void SourceStage::look_for_tail() {
  silent_at_.reset();
  at_tail_ = false;
  auto end = deps_.end(host_);
  tail_ = end ? std::optional(std::move(end).value()) : std::nullopt;
}

// Behind a GTID set only the heartbeat tells: what is left out is not sent.
void SourceStage::pass_tail(binlog::EventType type) {
  if (is_heartbeat(type)) at_tail_ = true;
  if (by_gtid_ || !tail_) return;
  const auto order = compare(assembler_->here(), *tail_);
  if (order && *order >= 0) at_tail_ = true;
}

// RESET leaves a dump waiting in a file that is gone, with heartbeats and all.
Status SourceStage::look_at_end() {
  const auto end = deps_.end(host_);
  if (!end) return {};  // the dump tells by itself when the source is gone
  const BinlogPosition here = assembler_->here();
  const auto order = compare(*end, here);
  if (!order) return {};
  if (*order < 0)
    return retry(Errc::mysql_lost, "the source's binlog ends at " + end->to_string() + ", before " +
                                       here.to_string() + ", which was read: looking at it anew");
  // Behind a GTID set what is left out counts for the server alone.
  if (*order == 0 || by_gtid_) {
    silent_at_.reset();
  } else if (silent_at_ == here) {
    return retry(Errc::mysql_lost, "the source sends nothing behind " + here.to_string() +
                                       ", but its binlog ends at " + end->to_string() +
                                       ": looking at it anew");
  } else {
    silent_at_ = here;
  }
  return {};
}

}  // namespace sluice::pipeline
