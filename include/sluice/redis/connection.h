#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/base/result.h"
#include "sluice/base/text_buffer.h"
#include "sluice/config/options.h"

namespace sluice::redis {

// Appends one command in RESP to `out`.  Binary-safe.
void append_command(TextBuffer& out, std::initializer_list<std::string_view> words);

// A reply as a value, for the few commands whose answer is looked at whole.
struct Reply {
  enum class Kind : std::uint8_t { status, error, integer, string, nil, array };
  Kind kind = Kind::nil;
  std::string text;  // status, error, string
  std::int64_t integer = 0;
  std::vector<Reply> items;  // array
};

// One connection to one Redis server (TCP or unix socket), after AUTH and SELECT.  Belongs to one thread.
class Connection {
 public:
  // Errors: retry/redis_lost, retry/redis_unavailable (LOADING), fatal/redis_denied.
  static Result<std::unique_ptr<Connection>> open(const RedisOptions& options);
  virtual ~Connection() = default;
  // Writes all of `bytes`.  Errors: retry/redis_lost.
  virtual Status send(std::string_view bytes) = 0;
  // Reads one whole reply; waits at most the configured timeout.  An error reply is a Reply, not an Error.  Errors: retry/redis_lost.
  virtual Result<Reply> receive() = 0;
  // Reads `count` replies and keeps only error replies: (index, text).  Allocates nothing for the others.
  virtual Status receive_checked(std::size_t count, std::vector<std::pair<std::size_t, std::string>>& errors) = 0;
  // send + receive of one command.
  Result<Reply> command(std::initializer_list<std::string_view> words);
};

// What an error reply means for the pipeline: retry (LOADING, READONLY, OOM, MASTERDOWN, BUSY, CLUSTERDOWN, MISCONF ...),
// fatal (NOAUTH, NOPERM, WRONGPASS), poison (WRONGTYPE and the rest).
Error error_of_reply(std::string_view text);

// Server settings we cannot work with: an allkeys-* eviction policy unless options.is_cache(), a server that is a replica; and the
// version.  Errors: fatal/redis_preflight with the remedy.
struct RedisInfo {
  std::string version;
  std::string eviction_policy;
  std::vector<std::string> warnings;
};
Result<RedisInfo> preflight(Connection& connection, const RedisOptions& options);

}  // namespace sluice::redis
