#include <charconv>
#include <string>

#include "sluice/redis/connection.h"
#include "sluice/redis/replica_wait.h"

namespace sluice::redis {
namespace {

// The value of "name:value" in an INFO text; "" when it is not there.
std::string_view info_value(std::string_view info, std::string_view name) {
  while (!info.empty()) {
    const auto end = std::min(info.find("\r\n"), info.size());
    const std::string_view line = info.substr(0, end);
    if (line.size() > name.size() && line.starts_with(name) && line[name.size()] == ':')
      return line.substr(name.size() + 1);
    info.remove_prefix(std::min(end + 2, info.size()));
  }
  return {};
}

// The text of a string reply; "" and a warning when the server does not tell.
Result<std::string> text_or_warning(Connection& connection, std::string_view command,
                                    std::vector<std::string>& warnings) {
  SLUICE_TRY_ASSIGN(Reply reply, connection.receive());
  if (reply.kind == Reply::Kind::string) return std::move(reply.text);
  if (reply.kind == Reply::Kind::error) {
    Error e = error_of_reply(reply.text);
    if (e.cls == ErrorClass::retry) return std::move(e).at(command);
    warnings.push_back(std::string(command) + " is refused: " + e.what);
  } else {
    warnings.push_back(std::string(command) + " gave an unexpected reply");
  }
  return std::string();
}

// CONFIG GET answers [name, value]; INFO memory tells the same and is allowed more often.
Result<std::string> eviction_policy(Connection& connection, std::string_view info_memory,
                                    std::vector<std::string>& warnings) {
  SLUICE_TRY_ASSIGN(Reply reply, connection.receive());
  if (reply.kind == Reply::Kind::array && reply.items.size() == 2)
    return std::move(reply.items[1].text);
  std::string reason = "no such setting";
  if (reply.kind == Reply::Kind::error) {
    Error e = error_of_reply(reply.text);
    if (e.cls == ErrorClass::retry) return std::move(e).at("CONFIG GET");
    reason = std::move(e.what);
  }
  std::string policy(info_value(info_memory, "maxmemory_policy"));
  if (policy.empty())
    warnings.push_back("maxmemory-policy is unknown (CONFIG GET: " + reason +
                       "): see to it yourself that it is not allkeys-*");
  return policy;
}

// What a text begins with; 0 when it is none.  Of a version: the first part.
unsigned number(std::string_view text) {
  unsigned out = 0;
  std::from_chars(text.data(), text.data() + text.size(), out);
  return out;
}

Error unfit(std::string what) {
  return fatal(Errc::redis_preflight, std::move(what));
}

}  // namespace

Result<RedisInfo> preflight(Connection& connection, const RedisOptions& options) {
  TextBuffer request;
  append_command(request, {"INFO", "server"});
  append_command(request, {"INFO", "replication"});
  append_command(request, {"INFO", "memory"});
  append_command(request, {"CONFIG", "GET", "maxmemory-policy"});
  // Asked before the first step needs it: Redis 7.2 has it, with an append-only file.
  const ReplicaWait wait{0, options.wait_aof(), Duration{1}};
  if (wait.aof) append_wait(request, wait);
  SLUICE_TRY(connection.send(request.view()));

  RedisInfo out;
  SLUICE_TRY_ASSIGN(const std::string server,
                    text_or_warning(connection, "INFO server", out.warnings));
  SLUICE_TRY_ASSIGN(const std::string replication,
                    text_or_warning(connection, "INFO replication", out.warnings));
  SLUICE_TRY_ASSIGN(const std::string memory,
                    text_or_warning(connection, "INFO memory", out.warnings));
  SLUICE_TRY_ASSIGN(out.eviction_policy, eviction_policy(connection, memory, out.warnings));
  if (wait.aof) {
    SLUICE_TRY_ASSIGN(const Reply waited, connection.receive());
    SLUICE_TRY(reached(waited, wait));
  }

  // Valkey says redis_version:7.2.4 for those who look no further.
  const std::string_view valkey = info_value(server, "valkey_version");
  const std::string_view redis = info_value(server, "redis_version");
  out.product = valkey.empty() ? "Redis" : "Valkey";
  out.version = valkey.empty() ? redis : valkey;

  if (!redis.empty() && number(redis) < 4)
    return unfit("Redis " + std::string(redis) + " is too old: 4.0 or later is needed (UNLINK)");
  // "master" or "slave", in Valkey too.
  if (info_value(replication, "role") == "slave")
    return unfit("this server is a replica of " +
                 std::string(info_value(replication, "master_host")) + ":" +
                 std::string(info_value(replication, "master_port")) +
                 ": point redis.host and redis.port at the master");
  if (info_value(server, "redis_mode") == "cluster" ||
      info_value(server, "server_mode") == "cluster")
    return unfit(
        "this server is part of a cluster, which has no transactions across slots: use a "
        "standalone server");
  if (out.eviction_policy.starts_with("allkeys-") && !options.is_cache())
    return unfit("maxmemory-policy is " + out.eviction_policy +
                 ", which may evict the records of what is applied: `CONFIG SET maxmemory-policy "
                 "noeviction` "
                 "(and in redis.conf), or redis.is_cache: true when this server is only a cache");
  if (const auto replicas = number(info_value(replication, "connected_slaves"));
      !replication.empty() && replicas < options.wait_replicas())
    out.warnings.push_back(std::to_string(replicas) + " replicas are connected, and " +
                           std::to_string(options.wait_replicas()) +
                           " are waited for (redis.wait_replicas): messages will not be "
                           "acknowledged until there are more");
  return out;
}

}  // namespace sluice::redis
