#pragma once
// Result<T>: value or Error. C++20 stand-in for std::expected (gcc 12 has it only in C++23).

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace sluice {

// What the pipeline must do about an error (DESIGN.md, Errors).
enum class ErrorClass : std::uint8_t {
  retry,    // transient: reconnect / redeliver with backoff
  poison,   // this message or Redis command can never succeed: dead-letter it
  fatal,    // stop the process with a non-zero exit code
  stopped,  // shutdown was requested
};

// Stable, greppable error codes, printed by errc_name() as "room.what".  One list for the whole
// program; exit codes hang on the class and the code (docs/operate.md).
enum class Errc : std::uint8_t {
  stopped,                // base.stopped: shutdown was asked
  internal,               // base.internal: a bug of ours, said instead of a crash
  io,                     // base.io: a file could not be read or written
  no_space,               // base.no_space: a file could not be written, the disk or quota is full
  usage,                  // app.usage: wrong command line
  config_invalid,         // config.invalid
  binlog_truncated,       // binlog.truncated: the bytes end too early
  binlog_malformed,       // binlog.malformed: the bytes contradict themselves
  binlog_unsupported,     // binlog.unsupported: well-formed, and not ours to read
  binlog_checksum,        // binlog.checksum: CRC32 of an event is wrong
  schema_mismatch,        // schema.mismatch: TABLE_MAP and what we know of the table differ
  schema_missing,         // schema.missing: the table is not there (any more)
  schema_statement,       // schema.statement: a CREATE TABLE that we cannot read
  schema_unknown,         // schema.unknown: a table's columns at this place are not known
  schema_history,         // schema.history: the schema history is unreadable
  schema_key_changed,     // schema.key_changed: a DDL changed the key rows are partitioned by
  mysql_lost,             // mysql.lost: connection gone or not to be had; reconnect
  mysql_denied,           // mysql.denied: account, password or privilege
  mysql_query,            // mysql.query: the server refused a statement of ours
  mysql_preflight,        // mysql.preflight: a server setting we cannot work with
  mysql_binlog_purged,    // mysql.binlog_purged: error 1236 and its kin
  mysql_identity,         // mysql.identity: another server, or another binlog history
  mysql_server_id_taken,  // mysql.server_id_taken: another replica uses our server_id
  mysql_gtids_missing,    // mysql.gtids_missing: the server lacks transactions we have read
  queue_lost,             // queue.lost: connection or channel gone; reconnect
  queue_denied,           // queue.denied: user, password, vhost, permission
  queue_tls,              // queue.tls: encryption refused: certificate, name, key
  queue_topology,         // queue.topology: a queue or exchange is missing or has other arguments
  queue_returned,         // queue.returned: a message could not be routed
  queue_message,          // queue.message: a message that is not ours or cannot be read
  redis_lost,             // redis.lost: connection gone; reconnect
  redis_unavailable,      // redis.unavailable: LOADING, READONLY, OOM, MISCONF: later
  redis_denied,           // redis.denied: AUTH or ACL
  redis_refused,          // redis.refused: this command can never work (WRONGTYPE)
  redis_preflight,        // redis.preflight: a server setting we cannot work with
  position_missing,       // position.missing: no state file, and traces of an earlier run
  position_damaged,       // position.damaged: the state file is unreadable
  position_locked,        // position.locked: another process holds the state folder
  position_mismatch,      // position.mismatch: another instance, layout or version
  position_superseded,    // position.superseded: another process goes on with the instance
  pipeline_gap,          // pipeline.gap: messages are missing between what is applied and what came
  pipeline_unsupported,  // pipeline.unsupported: XA, TRUNCATE, statement format ...: with the
                         // remedy
  pipeline_timeout,      // pipeline.timeout: drain or wait did not end in time
};

// "binlog.truncated".  Static storage.
std::string_view errc_name(Errc code) noexcept;
// "retry", "poison", "fatal", "stopped".  Static storage.
std::string_view error_class_name(ErrorClass cls) noexcept;

struct [[nodiscard]] Error {
  ErrorClass cls;
  Errc code;
  std::string what;  // context: names and numbers, never row data or secrets

  // Prepends "<where>: " while the error travels up.
  Error&& at(std::string_view where) && {
    what.insert(0, std::string(where) + ": ");
    return std::move(*this);
  }
};

// "binlog.truncated: TABLE_MAP, 17 bytes": for logs and the CLI.
std::string to_string(const Error& error);

// Short forms for the two classes most code makes.
inline Error fatal(Errc code, std::string what) {
  return Error{ErrorClass::fatal, code, std::move(what)};
}
inline Error retry(Errc code, std::string what) {
  return Error{ErrorClass::retry, code, std::move(what)};
}
inline Error stopped() {
  return Error{ErrorClass::stopped, Errc::stopped, "stop requested"};
}

template <class T>
class [[nodiscard]] Result {
 public:
  // Implicit on purpose: `return value;` and `return Error{...};`.
  // NOLINTNEXTLINE(google-explicit-constructor)
  Result(const T& value) : v_(std::in_place_index<0>, value) {}
  // NOLINTNEXTLINE(google-explicit-constructor)
  Result(T&& value) : v_(std::in_place_index<0>, std::move(value)) {}
  // NOLINTNEXTLINE(google-explicit-constructor)
  Result(Error e) : v_(std::in_place_index<1>, std::move(e)) {}

  bool ok() const noexcept { return v_.index() == 0; }
  explicit operator bool() const noexcept { return ok(); }
  T& value() & { return std::get<0>(v_); }
  const T& value() const& { return std::get<0>(v_); }
  T&& value() && { return std::get<0>(std::move(v_)); }
  T& operator*() & { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  const T& operator*() const& { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  Error& error() & { return std::get<1>(v_); }
  const Error& error() const& { return std::get<1>(v_); }
  Error&& error() && { return std::get<1>(std::move(v_)); }

 private:
  std::variant<T, Error> v_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  // NOLINTNEXTLINE(google-explicit-constructor)
  Result(Error e) : e_(std::move(e)) {}
  bool ok() const noexcept { return !e_; }
  explicit operator bool() const noexcept { return ok(); }
  const Error& error() const& { return *e_; }
  Error&& error() && { return std::move(*e_); }

 private:
  std::optional<Error> e_;
};
using Status = Result<void>;

// Returns early with the error, or yields nothing: SLUICE_TRY(sink.flush());
#define SLUICE_TRY(expr)                                                       \
  do {                                                                         \
    if (auto sluice_r = (expr); !sluice_r) return std::move(sluice_r).error(); \
  } while (false)
#define SLUICE_CAT2(a, b) a##b
#define SLUICE_CAT(a, b) SLUICE_CAT2(a, b)
// SLUICE_TRY_ASSIGN(auto tm, TableMap::decode(body)); with `const auto& tm` what was returned is
// not moved once more.
#define SLUICE_TRY_ASSIGN(decl, expr) \
  SLUICE_TRY_ASSIGN_IMPL(SLUICE_CAT(sluice_r_, __LINE__), decl, expr)
#define SLUICE_TRY_ASSIGN_IMPL(tmp, decl, expr) \
  auto tmp = (expr);                            \
  if (!tmp) return std::move(tmp).error();      \
  decl = std::move(tmp).value()

}  // namespace sluice
