#include "sluice/base/result.h"

namespace sluice {

std::string_view errc_name(Errc code) noexcept {
  switch (code) {
    case Errc::stopped: return "base.stopped";
    case Errc::internal: return "base.internal";
    case Errc::io: return "base.io";
    case Errc::no_space: return "base.no_space";
    case Errc::usage: return "app.usage";
    case Errc::config_invalid: return "config.invalid";
    case Errc::binlog_truncated: return "binlog.truncated";
    case Errc::binlog_malformed: return "binlog.malformed";
    case Errc::binlog_unsupported: return "binlog.unsupported";
    case Errc::binlog_checksum: return "binlog.checksum";
    case Errc::schema_mismatch: return "schema.mismatch";
    case Errc::schema_missing: return "schema.missing";
    case Errc::schema_statement: return "schema.statement";
    case Errc::schema_unknown: return "schema.unknown";
    case Errc::schema_history: return "schema.history";
    case Errc::schema_key_changed: return "schema.key_changed";
    case Errc::mysql_lost: return "mysql.lost";
    case Errc::mysql_denied: return "mysql.denied";
    case Errc::mysql_query: return "mysql.query";
    case Errc::mysql_preflight: return "mysql.preflight";
    case Errc::mysql_binlog_purged: return "mysql.binlog_purged";
    case Errc::mysql_identity: return "mysql.identity";
    case Errc::mysql_server_id_taken: return "mysql.server_id_taken";
    case Errc::mysql_gtids_missing: return "mysql.gtids_missing";
    case Errc::queue_lost: return "queue.lost";
    case Errc::queue_denied: return "queue.denied";
    case Errc::queue_tls: return "queue.tls";
    case Errc::queue_topology: return "queue.topology";
    case Errc::queue_returned: return "queue.returned";
    case Errc::queue_message: return "queue.message";
    case Errc::redis_lost: return "redis.lost";
    case Errc::redis_unavailable: return "redis.unavailable";
    case Errc::redis_denied: return "redis.denied";
    case Errc::redis_refused: return "redis.refused";
    case Errc::redis_preflight: return "redis.preflight";
    case Errc::position_missing: return "position.missing";
    case Errc::position_damaged: return "position.damaged";
    case Errc::position_locked: return "position.locked";
    case Errc::position_mismatch: return "position.mismatch";
    case Errc::position_superseded: return "position.superseded";
    case Errc::pipeline_gap: return "pipeline.gap";
    case Errc::pipeline_unsupported: return "pipeline.unsupported";
    case Errc::pipeline_timeout: return "pipeline.timeout";
  }
  return "base.internal";
}

std::string_view error_class_name(ErrorClass cls) noexcept {
  switch (cls) {
    case ErrorClass::retry: return "retry";
    case ErrorClass::poison: return "poison";
    case ErrorClass::fatal: return "fatal";
    case ErrorClass::stopped: return "stopped";
  }
  return "fatal";
}

std::string to_string(const Error& error) {
  return std::string(errc_name(error.code)) + ": " + error.what;
}

}  // namespace sluice
