#include "pipeline/rewind.h"

#include <algorithm>
#include <utility>

#include "sluice/base/clock.h"
#include "sluice/base/log.h"
#include "sluice/mysql/preflight.h"

#include "pipeline/overlap.h"
#include "pipeline/start.h"
#include "pipeline/watermark_stage.h"

namespace sluice::pipeline {

namespace {

constexpr std::uint64_t kHead = 4;  // where the first event of a file is

// A place that a partition, or the saved state, is complete up to.
struct Goal {
  TransactionId at;
  BinlogPosition position;
  std::optional<std::string> gtid_set;  // executed there; nullopt: not known
};

Result<Goal> goal_of(const position::State& saved) {
  SLUICE_TRY_ASSIGN(const auto name, BinlogFileName::parse(saved.position.file));
  return Goal{{saved.epoch, name.number, saved.position.pos}, saved.position, saved.gtid_set};
}

Result<Goal> goal_of(const position::AppliedRecord& record, std::uint32_t partition,
                     const position::State& saved) {
  Goal goal;
  if (record.tick.epoch == saved.epoch && !record.tick.file.empty()) {
    goal = {{record.tick.epoch, record.tick.file_number, record.tick.pos},
            {record.tick.file, record.tick.pos},
            record.tick.gtid_set};
  } else if (record.id.epoch == saved.epoch) {
    goal = {record.id.transaction(),
            {binlog_file_beside(saved.position.file, record.id.file), record.id.pos},
            std::nullopt};
  } else {
    return fatal(Errc::pipeline_gap,
                 "Redis came back older: partition " + std::to_string(partition) +
                     " has rows up to " + record.id.to_string() + ", of epoch " +
                     std::to_string(record.id.epoch) + "; the source is in epoch " +
                     std::to_string(saved.epoch) +
                     " since another server was taken, and places of the one mean nothing in the "
                     "other: what is missing cannot be sent again. " +
                     std::string(kRebuild));
  }
  if (goal.position.pos > kLargestDumpPosition) {  // no dump begins there
    goal.position.pos = goal.at.pos = kHead;
    goal.gtid_set.reset();
  }
  return goal;
}

// Rows that were sent before the server of this epoch was taken, and come again in its binlog.
Result<Overlap::Marks> marks_of(const std::vector<std::optional<position::AppliedRecord>>& records,
                                const position::State& saved, const GtidSet& executed) {
  Overlap::Marks marks = saved.overlap;
  marks.resize(records.size());
  bool any = false;
  for (std::size_t n = 0; n < records.size(); ++n) {
    if (!marks[n] && records[n] && records[n]->id.epoch < saved.epoch &&
        !records[n]->id.is_zero() && !records[n]->gtid.empty()) {
      SLUICE_TRY_ASSIGN(const GtidSet one, GtidSet::parse(executed.flavor(), records[n]->gtid));
      if (!executed.contains(one))
        marks[n] = position::OverlapMark{records[n]->gtid, records[n]->ordinal};
    }
    any = any || marks[n].has_value();
  }
  if (!any) marks.clear();
  return marks;
}

Flavor flavor_of(const position::State& saved) {
  return saved.source.flavor == flavor_name(Flavor::mariadb) ? Flavor::mariadb : Flavor::mysql;
}

}  // namespace

Result<std::optional<RewindPlan>> plan_rewind(
    const position::State& saved, const std::vector<RewindRequest>& requests,
    const std::vector<std::optional<position::AppliedRecord>>& records,
    const std::function<Result<GtidSet>(BinlogPosition&)>& gtids_at) {
  RewindPlan plan;
  SLUICE_TRY_ASSIGN(const Goal before, goal_of(saved));
  Goal goal = before;
  plan.state = saved;
  for (const RewindRequest& request : requests) {
    const std::uint32_t n = request.partition;
    // Of a layout that is over; or its record is gone, which its applier will say.
    if (request.partitions != saved.layout.partitions || n >= records.size() || !records[n])
      continue;
    if (records[n]->id > request.applied) continue;  // it has moved on since
    if (std::find(plan.partitions.begin(), plan.partitions.end(), n) != plan.partitions.end())
      continue;
    plan.partitions.push_back(n);
    plan.state.last[n] = records[n]->id;
    SLUICE_TRY_ASSIGN(Goal one, goal_of(*records[n], n, saved));
    if (one.at >= goal.at) continue;
    goal = std::move(one);
    plan.furthest = n;
  }
  if (plan.partitions.empty()) return std::optional<RewindPlan>();
  // Rows of the place and behind it come again, so they do not follow on one of themselves: what
  // every row before the place is below, and no row is.
  const EventId border{goal.at.epoch, goal.at.file, goal.at.pos - 1, 0, 0, 0};
  for (EventId& last : plan.state.last)
    if (last.transaction() >= goal.at) last = border;
  if (!plan.furthest) return std::optional(std::move(plan));
  std::optional<GtidSet> executed;
  if (goal.gtid_set) {
    SLUICE_TRY_ASSIGN(executed, GtidSet::parse(flavor_of(saved), *goal.gtid_set));
  } else {
    SLUICE_TRY_ASSIGN(executed, gtids_at(goal.position));
  }
  SLUICE_TRY_ASSIGN(plan.state.overlap, marks_of(records, saved, *executed));
  if (goal.position.file != saved.position.file)
    plan.state.source.file_timestamp = plan.state.source.file_fingerprint = 0;
  plan.state.position = std::move(goal.position);
  plan.state.gtid_set = executed->to_string();
  plan.state.trail = {};  // it led to the later one
  return std::optional(std::move(plan));
}

namespace {

// The files of the server that the place is of are asked for; another server's say nothing.
Status has_place(const RewindPlan& plan, mysql::Connection& source,
                 const std::vector<std::optional<position::AppliedRecord>>& records) {
  SLUICE_TRY_ASSIGN(const auto identity, mysql::read_source_identity(source));
  if (!plan.furthest || !same_source(plan.state.source, source_state(identity)).ok()) return {};
  SLUICE_TRY_ASSIGN(const auto files, mysql::binlog_files(source));
  if (std::find(files.begin(), files.end(), plan.state.position.file) != files.end()) return {};
  const std::uint32_t n = *plan.furthest;
  return fatal(Errc::mysql_binlog_purged,
               "Redis came back older: partition " + std::to_string(n) + " has rows up to " +
                   records[n]->id.to_string() + " only, and what is missing begins at " +
                   plan.state.position.to_string() + "; the source has purged that binlog (" +
                   (files.empty() ? "it has none" : "its oldest is " + files.front()) +
                   "), so it cannot be sent again. " + std::string(kRebuild));
}

}  // namespace

Status rewind(const Options& options, redis::Servers& servers, StateHold& hold,
              const std::vector<RewindRequest>& requests, ops::Counters& counters) {
  SLUICE_TRY_ASSIGN(const auto saved, hold.take());
  if (!saved) return fatal(Errc::position_missing, "no state file in " + options.state_dir());
  SLUICE_TRY_ASSIGN(const auto redis, servers.connect());
  SLUICE_TRY_ASSIGN(const auto records,
                    read_applied(*redis, options.instance(), saved->layout.partitions));
  SLUICE_TRY_ASSIGN(auto source, mysql::Connection::open(options.source));
  const auto gtids_at = [&](BinlogPosition& position) -> Result<GtidSet> {
    StartPosition where;
    where.kind = StartPosition::Kind::position;
    where.file = position.file;
    where.pos = position.pos;
    SLUICE_TRY_ASSIGN(Place place, find_place(options, replica_identity(options), source, where));
    position = std::move(place.position);
    return std::move(place.gtids);
  };
  SLUICE_TRY_ASSIGN(auto plan, plan_rewind(*saved, requests, records, gtids_at));
  if (!plan) {
    log::get("app").info("rows that were asked for have come since, nothing is sent again");
    return {};
  }
  SLUICE_TRY(has_place(*plan, source, records));
  plan->state.updated_at_us = system_clock().wall_us();
  SLUICE_TRY(hold.save(plan->state));
  counters.rewinds.fetch_add(1, std::memory_order_relaxed);
  log::get("app").warn(
      "Redis came back older, rows are sent again state=REWIND partitions={} from={} instead_of={} "
      "gtid={}",
      plan->partitions.size(), plan->state.position.to_string(), saved->position.to_string(),
      plan->state.gtid_set.empty() ? "-" : plan->state.gtid_set);
  return {};
}

}  // namespace sluice::pipeline
