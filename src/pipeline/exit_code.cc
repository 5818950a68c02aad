#include "sluice/pipeline/exit_code.h"

namespace sluice::pipeline {

int exit_code(const Error& error) noexcept {
  switch (error.code) {
    case Errc::stopped: return 0;
    case Errc::internal:
    case Errc::io:
    case Errc::no_space: return 1;
    case Errc::usage: return 2;
    case Errc::config_invalid: return 3;
    case Errc::mysql_lost:
    case Errc::mysql_denied:
    case Errc::mysql_query:
    case Errc::mysql_preflight:
    case Errc::mysql_binlog_purged:
    case Errc::mysql_identity:
    case Errc::mysql_server_id_taken:
    case Errc::mysql_gtids_missing: return 4;
    case Errc::position_missing:
    case Errc::position_damaged:
    case Errc::position_locked:
    case Errc::position_mismatch:
    case Errc::position_superseded: return 5;
    case Errc::pipeline_gap: return 6;
    case Errc::binlog_truncated:
    case Errc::binlog_malformed:
    case Errc::binlog_unsupported:
    case Errc::binlog_checksum:
    case Errc::schema_mismatch:
    case Errc::schema_missing:
    case Errc::schema_statement:
    case Errc::schema_unknown:
    case Errc::schema_history:
    case Errc::schema_key_changed:
    case Errc::pipeline_unsupported: return 7;
    case Errc::redis_refused: return 8;
    case Errc::queue_lost:
    case Errc::queue_denied:
    case Errc::queue_tls:
    case Errc::queue_topology:
    case Errc::queue_returned:
    case Errc::queue_message: return 9;
    case Errc::redis_lost:
    case Errc::redis_unavailable:
    case Errc::redis_denied:
    case Errc::redis_preflight: return 10;
    case Errc::pipeline_timeout: return 11;
  }
  return 1;
}

}  // namespace sluice::pipeline
