#include "sluice/pipeline/commands.h"

#include <algorithm>
#include <tuple>

#include "sluice/base/backoff.h"
#include "sluice/base/clock.h"
#include "sluice/mapping/mapper.h"
#include "sluice/mysql/gtid_state.h"
#include "sluice/mysql/source_schemas.h"
#include "sluice/position/applied_record.h"
#include "sluice/position/held_file.h"
#include "sluice/position/shared_keys.h"
#include "sluice/position/state_file.h"
#include "sluice/queue/consumer.h"

#include "pipeline/dead_letters.h"
#include "pipeline/held_xa.h"
#include "pipeline/members.h"
#include "pipeline/schema_start.h"
#include "pipeline/start.h"
#include "pipeline/state_hold.h"
#include "pipeline/watermark_stage.h"

namespace sluice::pipeline {
namespace {

using std::chrono::milliseconds;
constexpr milliseconds kPollEvery{50};

// Says one line and keeps the first error, so that a check tells everything there is.
class Report {
 public:
  explicit Report(std::ostream& out) : out_(&out) {}
  void good(std::string_view what) { *out_ << "ok      " << what << '\n'; }
  void warn(std::string_view what) { *out_ << "warning " << what << '\n'; }
  void bad(Error error) {
    *out_ << "error   " << to_string(error) << '\n';
    if (!first_) first_ = std::move(error);
  }
  bool failed() const noexcept { return first_.has_value(); }
  Status result() const { return first_ ? Status(*first_) : Status(); }

 private:
  std::ostream* out_;
  std::optional<Error> first_;
};

// Whether a first start would find its place.
void check_start(const Options& options, mysql::Connection& source, Report& report) {
  if (report.failed()) return;
  const auto place = find_place(options, replica_identity(options), source, options.source.start());
  const bool accepted = !place && place.error().code == Errc::mysql_binlog_purged &&
                        options.source.on_purged() == SourceOptions::OnPurged::earliest;
  if (place)
    report.good("start: " + place->position.to_string());
  else if (accepted)
    report.warn(place.error().what + " -> beginning at the oldest binlog (source.on_purged)");
  else
    report.bad(place.error());
}

// Another server than the saved one: it is followed when its GTIDs say that nothing is missing.
void check_other_server(const position::State& saved, const position::SourceState& now,
                        const Error& what, mysql::Connection& connection, Report& report) {
  auto read = GtidSet::parse(connection.server().flavor, saved.gtid_set);
  if (!read) return report.bad(std::move(read).error());
  if (read->empty()) return report.bad(what);
  Status s = same_server(saved.source, now) ? mysql::check_renamed(connection, *read) : Status();
  if (s.ok()) s = mysql::check_gtids(connection, *read);
  if (!s.ok()) return report.bad(std::move(s).error());
  report.warn(
      "the source is not the server this instance followed -> it has all that was read, and is "
      "followed from there on");
}

void check_source(const Options& options, const std::optional<position::State>& saved,
                  Report& report) {
  auto connection = mysql::Connection::open(options.source);
  if (!connection) return report.bad(std::move(connection).error());
  report.good("source: " + std::string(flavor_name(connection->server().flavor)) + " " +
              connection->server().version);
  if (saved)
    if (Status s = same_flavor(saved->source, connection->server()); !s.ok())
      return report.bad(std::move(s).error());
  auto identity = mysql::read_source_identity(*connection);
  if (!identity) return report.bad(std::move(identity).error());
  const Status same = saved ? same_source(saved->source, source_state(*identity)) : Status();
  std::optional<BinlogPosition> from;
  if (saved && same.ok())
    from = saved->position;
  else if (!saved && options.source.start().kind == StartPosition::Kind::position)
    from = BinlogPosition{options.source.start().file, options.source.start().pos};
  const TableFilter filter(options);
  auto findings = mysql::preflight(*connection, options.source, replica_identity(options), from,
                                   tables_of(filter));
  if (!findings) return report.bad(std::move(findings).error());
  for (const mysql::Finding& f : *findings) {
    if (f.fatal)
      report.bad(fatal(Errc::mysql_preflight, f.problem + " -> " + f.remedy));
    else
      report.warn(f.problem + " -> " + f.remedy);
  }
  if (!saved) return check_start(options, *connection, report);
  if (!same.ok())
    return check_other_server(*saved, source_state(*identity), same.error(), *connection, report);
  if (report.failed()) return;
  if (Status s = same_file(options, mysql::second_identity(replica_identity(options)), *connection,
                           *saved);
      !s.ok())
    report.bad(std::move(s).error());
}

void check_redis(const Options& options, Report& report) {
  auto redis = redis::Connection::open(options.redis);
  if (!redis) return report.bad(std::move(redis).error());
  auto info = redis::preflight(**redis, options.redis);
  if (!info) return report.bad(std::move(info).error());
  if (Status s = mapping::check_server(**redis, options); !s.ok())
    return report.bad(std::move(s).error());
  report.good("redis: " + info->version);
  for (const std::string& warning : info->warnings) report.warn(warning);
}

void check_queue(const Options& options, const std::optional<position::State>& saved,
                 Report& report) {
  auto admin = queue::Admin::connect(options.queue);
  if (!admin) return report.bad(std::move(admin).error());
  report.good("broker: " + (*admin)->broker().product + " " + (*admin)->broker().version);
  const queue::Names names = names_of(options);
  auto dead = (*admin)->inspect(names.dead());
  if (!dead) return report.bad(std::move(dead).error());
  if (*dead)
    if (const std::string text = dead_letters_text(names, **dead); !text.empty()) report.warn(text);
  if (!saved) return;
  for (std::uint32_t n = 0; n < names.partitions && n < saved->last.size(); ++n) {
    if (saved->last[n].is_zero()) continue;
    auto info = (*admin)->inspect(names.partition(n));
    if (!info) return report.bad(std::move(info).error());
    if (!*info)
      report.bad(fatal(Errc::queue_topology,
                       "queue " + names.partition(n) + " is gone, but messages were sent to it"));
  }
  if (!names.with_ddl) return;
  auto info = (*admin)->inspect(names.ddl());
  if (!info) return report.bad(std::move(info).error());
  if (*info && (*info)->messages != 0 && (*info)->consumers == 0)
    report.warn("queue " + names.ddl() + " holds " + std::to_string((*info)->messages) +
                " messages and nobody consumes it -> it grows until somebody does; or set "
                "queue.publish_ddl: false");
}

// True when everything up to the target is below the mark.
Result<bool> reached(const position::TickMark& mark, const WaitTarget& target,
                     std::uint32_t epoch) {
  if (!target.gtid_set.empty()) {
    SLUICE_TRY_ASSIGN(const GtidSet wanted, GtidSet::parse_any(target.gtid_set));
    SLUICE_TRY_ASSIGN(const GtidSet have, GtidSet::parse(wanted.flavor(), mark.gtid_set));
    return have.contains(wanted);
  }
  SLUICE_TRY_ASSIGN(const BinlogPosition wanted, BinlogPosition::parse(target.position));
  SLUICE_TRY_ASSIGN(const BinlogFileName name, BinlogFileName::parse(wanted.file));
  return std::tuple(mark.epoch, mark.file_number, mark.pos) >=
         std::tuple(epoch, name.number, wanted.pos);
}

// The epoch that a position without one is of; 0: not known here.
Result<std::uint32_t> epoch_now(const Options& options) {
  SLUICE_TRY_ASSIGN(const auto saved, position::Store::peek(options.state_dir()));
  return saved ? saved->epoch : 0;
}

// XA transactions that are prepared at the saved position, and not over.
Status show_held_xa(const Options& options, std::ostream& out) {
  const std::filesystem::path folder = held_xa_folder(options);
  SLUICE_TRY_ASSIGN(auto names, position::list_held(folder));
  std::sort(names.begin(), names.end(),
            [](const auto& a, const auto& b) { return a.prepared < b.prepared; });
  for (const position::HeldName& name : names) {
    if (name.ended) continue;
    const auto file = position::HeldFile::open(folder / name.to_string());
    if (file)
      out << "xa held    " << file->summary.xid << " prepared at "
          << file->summary.begins.to_string() << ", " << file->summary.rows_events
          << " ROWS events\n";
    else if (file.error().code == Errc::position_damaged)
      out << "xa held    " << file.error().what << "\n";
    // Else it ended meanwhile.
  }
  return {};
}

// The copy in Redis, and who goes on with it.
Result<std::optional<Mirror::Seen>> seen_mirror(const Options& options) {
  auto mirror = mirror_of(options);
  if (!mirror) return std::optional<Mirror::Seen>();
  return mirror->look();
}

std::string text_of(const std::optional<Mirror::Seen>& seen) {
  if (!seen) return "none yet";
  const std::string by = ", by " + seen->owner + " (term " + std::to_string(seen->term) + ")";
  if (!seen->state) return "nothing to go on from" + by;
  return seen->state->position.to_string() + ", epoch " + std::to_string(seen->state->epoch) + by;
}

void check_mirror(const Options& options, Report& report) {
  if (!mirror_of(options)) return;
  auto seen = seen_mirror(options);
  if (!seen) return report.bad(std::move(seen).error());
  report.good("state in Redis: " + text_of(*seen));
}

}  // namespace

Status check(const Options& options, std::ostream& out) {
  Report report(out);
  if (Status s = mapping::check_scripts(options); !s.ok()) report.bad(std::move(s).error());
  auto saved = position::Store::peek(options.state_dir());
  if (!saved) {
    report.bad(std::move(saved).error());
    return report.result();
  }
  if (*saved) {
    report.good("state: " + (*saved)->position.to_string());
    if ((*saved)->layout != layout_of(options))
      report.bad(fatal(Errc::position_mismatch,
                       "filter, tables, rendering or partitions differ from the saved layout"));
  } else {
    report.good("state: none yet in " + options.state_dir());
  }
  check_mirror(options, report);
  check_source(options, *saved, report);
  check_queue(options, *saved, report);
  check_redis(options, report);
  return report.result();
}

Status wait(const Options& options, const WaitTarget& target, std::chrono::milliseconds timeout,
            std::ostream& out) {
  position::TickMark nothing;
  SLUICE_TRY(reached(nothing, target, 0));  // a target that cannot be read is said at once
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  const std::string wanted = target.gtid_set.empty() ? target.position : target.gtid_set;
  std::unique_ptr<redis::Connection> redis;
  std::string last = "no watermark yet";
  for (;;) {
    if (!redis) {
      auto opened = redis::Connection::open(options.redis);
      if (opened.ok())
        redis = std::move(opened).value();
      else if (opened.error().cls != ErrorClass::retry)
        return std::move(opened).error();
      else
        last = to_string(opened.error());
    }
    if (redis) {
      auto mark = read_watermark(*redis, options.instance());
      if (!mark && mark.error().cls != ErrorClass::retry) return std::move(mark).error();
      if (!mark) {
        last = to_string(mark.error());
        redis.reset();
      } else if (*mark) {
        const position::TickMark& tick = (*mark)->tick;
        last = "watermark " + tick.file + ":" + std::to_string(tick.pos) + ", epoch " +
               std::to_string(tick.epoch);
        std::uint32_t epoch = target.epoch.value_or(0);
        if (!target.epoch && target.gtid_set.empty()) {  // it may grow meanwhile
          SLUICE_TRY_ASSIGN(epoch, epoch_now(options));
        }
        SLUICE_TRY_ASSIGN(const bool there, reached(tick, target, epoch));
        if (there) {
          out << "reached " << wanted << " (" << last << ")\n";
          if (const std::string dead = dead_letters_now(options); !dead.empty())
            out << "warning " << dead << "\n";
          return {};
        }
      }
    }
    if (std::chrono::steady_clock::now() >= deadline) break;
    wait_for(kPollEvery, {});
  }
  return fatal(Errc::pipeline_timeout,
               wanted + " not reached in " + std::to_string(timeout.count()) + " ms: " + last);
}

Status position_show(const Options& options, std::ostream& out) {
  SLUICE_TRY_ASSIGN(const auto saved, position::Store::peek(options.state_dir()));
  if (!saved) {
    out << "state      none in " << options.state_dir() << ": not started yet\n";
  } else {
    out << "state      " << saved->position.to_string() << "\n";
    out << "gtid       " << (saved->gtid_set.empty() ? "-" : saved->gtid_set) << "\n";
    out << "epoch      " << saved->epoch << "\n";
    out << "layout     " << saved->layout.partitions << " partitions, " << saved->layout.fingerprint
        << "\n";
  }
  SLUICE_TRY(show_held_xa(options, out));
  if (mirror_of(options)) {
    SLUICE_TRY_ASSIGN(const auto seen, seen_mirror(options));
    out << "mirror     " << text_of(seen) << "\n";
  }
  SLUICE_TRY_ASSIGN(const auto redis, redis::Connection::open(options.redis));
  SLUICE_TRY_ASSIGN(const auto mark, read_watermark(*redis, options.instance()));
  out << "watermark  "
      << (mark ? mark->tick.file + ":" + std::to_string(mark->tick.pos) : "none yet") << "\n";
  const std::uint32_t partitions = saved ? saved->layout.partitions : options.queue.partitions();
  SLUICE_TRY_ASSIGN(const auto records, read_applied(*redis, options.instance(), partitions));
  std::size_t behind = 0;
  if (saved)
    for (std::size_t n = 0; n < records.size() && n < saved->last.size(); ++n)
      if ((records[n] ? records[n]->id : EventId{}) < saved->last[n]) ++behind;
  out << "applied    "
      << (behind == 0 ? std::string("everything up to the saved position")
                      : std::to_string(behind) + " partitions are behind the saved position")
      << "\n";
  if (const std::string dead = dead_letters_now(options); !dead.empty())
    out << "dead       " << dead << "\n";
  return {};
}

Status position_set(const Options& options, const StartPosition& target, std::ostream& out) {
  SLUICE_TRY_ASSIGN(auto held, StateHold::open_for_command(options));
  auto& [hold, state] = held;
  if (!state)
    return fatal(Errc::position_missing, "no state file in " + options.state_dir() +
                                             ": for a first start use source.start");
  SLUICE_TRY_ASSIGN(auto connection, mysql::Connection::open(options.source));
  SLUICE_TRY_ASSIGN(const auto identity, mysql::read_source_identity(connection));
  SLUICE_TRY(same_source(state->source, source_state(identity)));
  SLUICE_TRY_ASSIGN(const Place place,
                    find_place(options, replica_identity(options), connection, target));
  SLUICE_TRY_ASSIGN(const BinlogFileName was, BinlogFileName::parse(state->position.file));
  SLUICE_TRY_ASSIGN(const BinlogFileName is, BinlogFileName::parse(place.position.file));
  if (std::pair(is.number, place.position.pos) < std::pair(was.number, state->position.pos))
    return fatal(Errc::usage,
                 place.position.to_string() + " is before the saved " +
                     state->position.to_string() +
                     ": rows that are applied would not be sent again (their ids are known). To go "
                     "back, set source.start and `sluice position reset --config FILE --yes`");
  out << "position   " << state->position.to_string() << " -> " << place.position.to_string()
      << " (rows between are skipped)\n"
      << "gtid       " << (place.gtids.empty() ? "-" : place.gtids.to_string()) << "\n";
  SLUICE_TRY(move_history(options, connection, state->epoch, state->position, place.position));
  if (state->position.file != place.position.file)
    state->source.file_timestamp = state->source.file_fingerprint = 0;
  state->position = place.position;
  state->gtid_set = place.gtids.to_string();
  state->trail = {};  // it led to the old one
  state->updated_at_us = system_clock().wall_us();
  return hold.save(*state);
}

Status position_reset(const Options& options, bool confirmed, std::ostream& out) {
  SLUICE_TRY_ASSIGN(auto held, StateHold::open_for_command(options));
  auto& [hold, old] = held;
  if (!old)
    return fatal(Errc::position_missing, "no state file in " + options.state_dir() +
                                             ": a start begins at source.start by itself, or says "
                                             "why not");
  if (old->layout != layout_of(options))
    return fatal(Errc::position_mismatch,
                 "filter, tables, rendering or partitions differ from the saved layout: `sluice "
                 "position relayout` first");
  // Above all that may be in the queues or in Redis.
  SLUICE_TRY_ASSIGN(const auto redis, redis::Connection::open(options.redis));
  SLUICE_TRY_ASSIGN(const auto records,
                    read_applied(*redis, options.instance(), old->layout.partitions));
  position::State state;
  state.epoch = old->epoch;
  for (const auto& record : records)
    if (record) state.epoch = std::max({state.epoch, record->id.epoch, record->tick.epoch});
  ++state.epoch;
  SLUICE_TRY_ASSIGN(auto connection, mysql::Connection::open(options.source));
  SLUICE_TRY_ASSIGN(const auto identity, mysql::read_source_identity(connection));
  SLUICE_TRY_ASSIGN(const Place place, find_place(options, replica_identity(options), connection,
                                                  options.source.start()));
  state.instance = old->instance;
  state.layout = old->layout;
  state.last = old->last;  // the chain goes on in the same queues
  state.source = source_state(identity);
  state.position = place.position;
  state.gtid_set = place.gtids.to_string();
  state.updated_at_us = system_clock().wall_us();
  out << "position   " << old->position.to_string() << " -> " << place.position.to_string()
      << " (source.start)\n"
      << "gtid       " << (place.gtids.empty() ? "-" : state.gtid_set) << "\n"
      << "epoch      " << old->epoch << " -> " << state.epoch << "\n";
  if (confirmed) {
    SLUICE_TRY(carry_history(options, connection, *old, {state.epoch, state.position}));
    state.lineage = old->lineage;
    return hold.save(state);
  }
  out << "nothing was changed; add --yes to do it. Rows behind the new position are sent (again), "
         "those between are skipped\n";
  return {};
}

Status reset(const Options& options, bool confirmed, std::ostream& out) {
  SLUICE_TRY_ASSIGN(auto hold, StateHold::open(options));
  SLUICE_TRY(hold.refuse_running());
  const position::Store store = hold.release_store();
  queue::Names names = names_of(options);
  SLUICE_TRY_ASSIGN(const auto admin, queue::Admin::connect(options.queue));
  SLUICE_TRY_ASSIGN(const auto redis, redis::Connection::open(options.redis));
  // Another host may have changed their number, or the state file that had it is gone.
  SLUICE_TRY_ASSIGN(const redis::Reply record,
                    redis->command({"GET", position::layout_key(names.instance)}));
  SLUICE_TRY_ASSIGN(const auto layout, layout_of_reply(record, names.instance));
  if (layout) names.partitions = layout->partitions;
  SLUICE_TRY_ASSIGN(const auto seen, seen_mirror(options));
  if (seen && seen->state) names.partitions = seen->state->layout.partitions;
  std::vector<std::string> queues{names.dead(), names.control(), names.ddl(), names.leader()};
  for (std::uint32_t n = 0; n < names.partitions; ++n) queues.push_back(names.partition(n));
  const std::string_view would = confirmed ? "removed" : "would remove";
  // Queues that are not ours to declare stay, empty.
  const bool ours = options.queue.type() != QueueOptions::Type::existing;
  std::size_t found = 0;
  std::uint64_t messages = 0;
  for (const std::string& queue : queues) {
    SLUICE_TRY_ASSIGN(const auto info, admin->inspect(queue));
    if (!info) continue;
    ++found;
    messages += info->messages;
    if (!confirmed) continue;
    if (ours) {
      SLUICE_TRY(admin->remove_queue(queue));
    } else {
      SLUICE_TRY_ASSIGN([[maybe_unused]] const auto purged, admin->purge(queue));
    }
  }
  if (confirmed && ours) SLUICE_TRY(admin->remove_exchange(names.exchange()));
  if (ours)
    out << would << " " << found << " queues with " << messages << " messages\n";
  else
    out << would << " " << messages << " messages from " << found
        << " queues, which stay (queue.type existing)\n";
  std::vector<std::string> keys{
      position::watermark_key(names.instance), position::layout_key(names.instance),
      position::members_key(names.instance), position::mirror_key(names.instance),
      position::emptied_key(names.instance)};
  for (std::uint32_t n = 0; n < names.partitions; ++n)
    keys.push_back(position::applied_key(names.instance, names.partitions, n));
  std::int64_t records = 0;
  for (const std::string& key : keys) {
    SLUICE_TRY_ASSIGN(const redis::Reply reply,
                      redis->command({confirmed ? "DEL" : "EXISTS", key}));
    if (reply.kind == redis::Reply::Kind::error) return redis::error_of_reply(reply.text);
    records += reply.integer;
  }
  out << would << " " << records << " records in Redis\n";
  SLUICE_TRY_ASSIGN(const bool had_state, store.remove(confirmed));
  out << would << " the state file" << (had_state ? "" : " (there is none)") << "\n";
  SLUICE_TRY_ASSIGN(const bool had_history,
                    schema::History::remove(history_file(options), confirmed));
  out << would << " the schema history" << (had_history ? "" : " (there is none)") << "\n";
  SLUICE_TRY_ASSIGN(const std::size_t held, HeldXa::remove_all(held_xa_folder(options), confirmed));
  if (held != 0) out << would << " " << held << " held XA transactions\n";
  if (!confirmed)
    out << "nothing was changed; add --yes to do it. Rows in Redis stay in any case\n";
  return {};
}

}  // namespace sluice::pipeline
