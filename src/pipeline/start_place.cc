// Where a run begins, or goes on: source.start and purged binlogs.
#include <algorithm>
#include <utility>

#include "sluice/base/log.h"
#include "sluice/binlog/control_events.h"
#include "sluice/binlog/event.h"
#include "sluice/mysql/gtid_state.h"

#include "pipeline/start.h"

namespace sluice::pipeline {
namespace {

Result<PlaceFinder> finder_of(const Options& options, const mysql::ReplicaIdentity& identity,
                              mysql::Connection& source, const BinlogPosition& end) {
  SLUICE_TRY_ASSIGN(auto files, mysql::binlog_files(source));
  return PlaceFinder(
      [&options, &identity, endpoint = source.endpoint()](const BinlogPosition& from) {
        return mysql::ReplicationStream::open(options.source, endpoint, identity, from);
      },
      std::move(files), end, source.server().flavor);
}

// The file that the source begins with behind a set.
Result<std::string> file_behind(const Options& options, const mysql::ReplicaIdentity& identity,
                                const mysql::Connection& source, const GtidSet& set) {
  SLUICE_TRY_ASSIGN(const auto stream, mysql::ReplicationStream::open_behind(
                                           options.source, source.endpoint(), identity, set));
  binlog::EventFramer framer(stream->announced_checksum(), true);
  for (;;) {
    SLUICE_TRY_ASSIGN(const Bytes bytes, stream->next());
    SLUICE_TRY_ASSIGN(const auto event, framer.frame(bytes));
    if (event.header.type != binlog::EventType::rotate) continue;
    SLUICE_TRY_ASSIGN(const auto rotate, binlog::RotateEvent::decode(event.body));
    return std::string(rotate.next_file);
  }
}

Result<Place> look_for(const Options& options, const mysql::ReplicaIdentity& identity,
                       mysql::Connection& source, const StartPosition& where) {
  SLUICE_TRY_ASSIGN(auto latest, mysql::latest_position(source));
  if (where.kind == StartPosition::Kind::latest)
    return Place{std::move(latest.position), std::move(latest.gtids)};
  SLUICE_TRY_ASSIGN(const PlaceFinder finder,
                    finder_of(options, identity, source, latest.position));
  switch (where.kind) {
    case StartPosition::Kind::earliest: {
      SLUICE_TRY_ASSIGN(const BinlogPosition oldest, mysql::earliest_position(source));
      return finder.at(oldest);
    }
    case StartPosition::Kind::timestamp: return finder.of_time(where.seconds);
    case StartPosition::Kind::gtid: {
      SLUICE_TRY_ASSIGN(GtidSet set, GtidSet::parse_any(where.gtid_set));
      if (set.empty()) set = GtidSet(source.server().flavor);
      SLUICE_TRY(mysql::check_gtids(source, set));
      if (set.contains(latest.gtids))
        return Place{std::move(latest.position), std::move(latest.gtids)};
      SLUICE_TRY_ASSIGN(const std::string file, file_behind(options, identity, source, set));
      return finder.behind(set, file);
    }
    case StartPosition::Kind::latest:
    case StartPosition::Kind::position: break;
  }
  return finder.at({where.file, where.pos});
}

}  // namespace

Result<Place> find_place(const Options& options, const mysql::ReplicaIdentity& identity,
                         mysql::Connection& source, const StartPosition& where) {
  SLUICE_TRY_ASSIGN(Place place, look_for(options, identity, source, where));
  if (place.position.pos > kLargestDumpPosition)
    return fatal(Errc::binlog_unsupported,
                 place.position.to_string() +
                     " lies beyond 4 GiB of its file, where no dump can begin: begin before it, or "
                     "at the next file (FLUSH BINARY LOGS begins one)");
  return place;
}

Status same_file(const Options& options, const mysql::ReplicaIdentity& identity,
                 const mysql::Connection& source, const position::State& saved) {
  if (saved.source.file_timestamp == 0) return {};  // nothing was read of it
  SLUICE_TRY_ASSIGN(const auto stream,
                    mysql::ReplicationStream::open(options.source, source.endpoint(), identity,
                                                   {saved.position.file, 4}));
  binlog::EventFramer framer(stream->announced_checksum(), true);
  while (framer.format() == nullptr) {
    SLUICE_TRY_ASSIGN(const Bytes bytes, stream->next());
    SLUICE_TRY(framer.frame(bytes));
  }
  const binlog::FormatDescription& head = *framer.format();
  if (head.timestamp == saved.source.file_timestamp &&
      head.fingerprint == saved.source.file_fingerprint)
    return {};
  return other_file(saved.position.file);
}

Result<TrailEnd> find_trail_end(const Options& options, const mysql::ReplicaIdentity& identity,
                                mysql::Connection& source, const position::Trail& trail) {
  if (trail.prints.empty() || trail.commit_ms == 0)
    return fatal(Errc::mysql_identity,
                 "no transaction was read whose place could be looked for on another server");
  SLUICE_TRY_ASSIGN(const auto latest, mysql::latest_position(source));
  SLUICE_TRY_ASSIGN(const PlaceFinder finder,
                    finder_of(options, identity, source, latest.position));
  const std::int64_t from = (trail.commit_ms - options.source.failover_margin().count()) / 1000;
  SLUICE_TRY_ASSIGN(auto exact, finder.behind(trail, from));
  if (exact) return TrailEnd{std::move(*exact), true};
  SLUICE_TRY_ASSIGN(const bool may_come, mysql::is_receiving(source));
  if (may_come)
    return retry(Errc::mysql_identity,
                 source.endpoint().to_string() +
                     ": the last transaction read is not in its binlog; it replicates, waiting");
  SLUICE_TRY_ASSIGN(const bool has_all, finder.reaches_back_to(from));
  if (!has_all)
    return fatal(Errc::mysql_identity,
                 source.endpoint().to_string() +
                     ": its binlog begins after the last transaction read, and there are no GTIDs "
                     "to tell what lies between");
  SLUICE_TRY_ASSIGN(Place place, finder.of_time(from));
  return TrailEnd{std::move(place), false};
}

Result<std::optional<Place>> place_behind_purged(const Options& options,
                                                 const mysql::ReplicaIdentity& identity,
                                                 mysql::Connection& source,
                                                 const BinlogPosition& saved,
                                                 const GtidSet& gtids) {
  if (options.source.on_purged() != SourceOptions::OnPurged::earliest)
    return std::optional<Place>();
  SLUICE_TRY_ASSIGN(const auto files, mysql::binlog_files(source));
  if (files.empty() || std::find(files.begin(), files.end(), saved.file) != files.end())
    return std::optional<Place>();
  SLUICE_TRY_ASSIGN(const BinlogFileName was, BinlogFileName::parse(saved.file));
  SLUICE_TRY_ASSIGN(const BinlogFileName oldest, BinlogFileName::parse(files.front()));
  // A number above all there are is of another history.
  if (was.number > oldest.number) return std::optional<Place>();
  if (!gtids.empty()) {
    SLUICE_TRY_ASSIGN(const mysql::ServerGtids server, mysql::read_server_gtids(source));
    if (!mysql::compare_gtids(gtids, server).missing.empty())
      SLUICE_TRY(mysql::check_gtids(source, gtids));
  }
  StartPosition earliest;
  earliest.kind = StartPosition::Kind::earliest;
  SLUICE_TRY_ASSIGN(Place place, find_place(options, identity, source, earliest));
  const GtidSet lost = place.gtids.minus(gtids);
  log::get("mysql").error(
      "the source purged binlogs before they were read, rows are lost; going on at the oldest "
      "place "
      "there is (source.on_purged) lost_from={} lost_to={} lost_gtid={}",
      saved.to_string(), place.position.to_string(), lost.empty() ? "-" : lost.to_string());
  return std::optional(std::move(place));
}

}  // namespace sluice::pipeline
