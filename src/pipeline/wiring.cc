#include "pipeline/wiring.h"

#include <algorithm>
#include <utility>

#include "sluice/mysql/gtid_state.h"

namespace sluice::pipeline {
namespace {

OnRefused on_refused(ApplierOptions::OnRefused option) {
  switch (option) {
    case ApplierOptions::OnRefused::dead_letter: return OnRefused::dead_letter;
    case ApplierOptions::OnRefused::stop: return OnRefused::stop;
    case ApplierOptions::OnRefused::ignore: break;
  }
  return OnRefused::ignore;
}

event::Oversize oversize(QueueOptions::Oversize option) {
  switch (option) {
    case QueueOptions::Oversize::stop: return event::Oversize::stop;
    case QueueOptions::Oversize::dead_letter: return event::Oversize::dead_letter;
    case QueueOptions::Oversize::null_column: break;
  }
  return event::Oversize::null_column;
}

// Makes the queue anew when it is gone.
Status ask_for_rewind(queue::Brokers& brokers, const queue::Names& names,
                      const RewindRequest& request, const std::stop_token& st) {
  SLUICE_TRY_ASSIGN(const auto publisher, queue::Publisher::connect(brokers, names.for_control()));
  Status s = send_request(*publisher, request, st, brokers.options().connect_timeout());
  if (s.ok() || s.error().code != Errc::queue_returned) return s;
  SLUICE_TRY_ASSIGN(const auto admin, queue::Admin::connect(brokers));
  SLUICE_TRY(admin->declare(names, std::vector<bool>(names.partitions, true)));
  return s;
}

}  // namespace

ApplierPool::Settings pool_settings(const Options& options) {
  ApplierPool::Settings out;
  out.applier.instance = options.instance();
  out.applier.partitions = options.queue.partitions();
  out.applier.layout = layout_of(options).fingerprint;
  out.applier.binary_base64 = options.rendering.binary() == RenderingOptions::Binary::base64;
  out.applier.options = &options;
  out.applier.gap_patience = options.applier.gap_patience();
  out.applier.rewind = options.applier.on_rewind() == ApplierOptions::OnRewind::rewind;
  out.applier.reconnect_max = options.redis.reconnect_max();
  out.applier.stall_after = options.applier.stall_after();
  out.applier.wait = redis::ReplicaWait::of(options.redis, options.applier.stall_after());
  out.applier.cluster = !options.redis.cluster().empty();
  out.applier.on_refused = on_refused(options.applier.on_refused());
  const ApplierOptions& pool = options.applier;
  out.size = {std::min(pool.min(), out.applier.partitions),
              std::min(pool.max(), out.applier.partitions),
              pool.grow_backlog(),
              pool.grow_lag(),
              pool.grow_after(),
              pool.shrink_after()};
  return out;
}

ApplierPool::Dependencies pool_dependencies(const Options& options, redis::Servers& servers,
                                            const std::stop_token& stop,
                                            std::function<PoolSize::Load()> load,
                                            std::function<void()> ended) {
  const queue::Names names = names_of(options);
  return {
      [names, brokers = queue::Brokers(options.queue, stop)](queue::Consumer::Share share) mutable {
        return queue::Consumer::connect(brokers, names, std::move(share));
      },
      [&servers] { return servers.connect(); },
      {[names, brokers = queue::Brokers(options.queue, stop)]() mutable {
         return queue::LetterSender::connect(brokers, names);
       },
       [names, brokers = queue::Brokers(options.queue, stop)]() mutable -> Status {
         SLUICE_TRY_ASSIGN(auto admin, queue::Admin::connect(brokers));
         return admin->declare(names, std::vector<bool>(names.partitions, true));
       }},
      [names, brokers = queue::Brokers(options.queue, stop)](const RewindRequest& request,
                                                             const std::stop_token& st) mutable {
        return ask_for_rewind(brokers, names, request, st);
      },
      std::move(load),
      std::move(ended)};
}

AssemblerSettings assembler_settings(const Options& options) {
  AssemblerSettings settings;
  settings.partitions = options.queue.partitions();
  settings.options = &options;
  settings.hold_bytes = options.limits.transaction_hold().bytes();
  settings.inflated_bytes = options.limits.inflated_transaction().bytes();
  settings.line_bytes = options.queue.message_bytes().bytes();
  settings.message_bytes = options.queue.max_message_bytes().bytes();
  settings.oversize = oversize(options.queue.oversize());
  settings.publish_ddl = options.queue.publish_ddl();
  settings.ignore_truncate = options.applier.on_truncate() == ApplierOptions::OnTruncate::ignore;
  settings.stop_at_content_ddl =
      options.applier.on_content_ddl() == ApplierOptions::OnContentDdl::stop;
  settings.encode_threads = options.source.decode_threads();
  settings.render.time_zone_seconds = options.rendering.time_zone().seconds();
  settings.render.invalid_text = options.rendering.invalid_text() == RenderingOptions::Invalid::stop
                                     ? event::InvalidText::stop
                                     : event::InvalidText::replace;
  settings.render.binary_base64 = options.rendering.binary() == RenderingOptions::Binary::base64;
  return settings;
}

SourceStage::Dependencies source_dependencies(const Options& options, mysql::Hosts& hosts,
                                              const mysql::ReplicaIdentity& replica,
                                              AppliedRecords applied) {
  return SourceStage::Dependencies{
      hosts.size(),
      [&hosts](std::size_t host) { return hosts.at(host).to_string(); },
      [&options, &hosts](std::size_t host) -> Result<position::SourceState> {
        SLUICE_TRY_ASSIGN(auto connection, mysql::Connection::open(options.source, hosts.at(host)));
        SLUICE_TRY_ASSIGN(const auto now, mysql::read_source_identity(connection));
        return source_state(now);
      },
      [&options, &hosts, &replica](std::size_t host, const BinlogPosition& from) {
        return mysql::ReplicationStream::open(options.source, hosts.at(host), replica, from);
      },
      [&options, &hosts, &replica](std::size_t host, const GtidSet& executed) {
        return mysql::ReplicationStream::open_behind(options.source, hosts.at(host), replica,
                                                     executed);
      },
      [&options, &hosts](std::size_t host, const GtidSet& executed, bool renamed) -> Status {
        SLUICE_TRY_ASSIGN(auto connection, mysql::Connection::open(options.source, hosts.at(host)));
        if (renamed) SLUICE_TRY(mysql::check_renamed(connection, executed));
        return mysql::check_gtids(connection, executed);
      },
      [&options, &hosts, &replica](std::size_t host,
                                   const position::Trail& trail) -> Result<TrailEnd> {
        SLUICE_TRY_ASSIGN(auto connection, mysql::Connection::open(options.source, hosts.at(host)));
        return find_trail_end(options, replica, connection, trail);
      },
      std::move(applied),
      [&options, &hosts](std::size_t host) -> Result<BinlogPosition> {
        SLUICE_TRY_ASSIGN(auto connection, mysql::Connection::open(options.source, hosts.at(host)));
        return mysql::binlog_end(connection);
      },
      [&hosts](std::size_t host) { hosts.follow(host); }};
}

}  // namespace sluice::pipeline
