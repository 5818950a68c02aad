#include <algorithm>
#include <charconv>
#include <optional>
#include <string>

#include "sluice/redis/connection.h"
#include "sluice/redis/replica_wait.h"

#include "redis/info_text.h"

namespace sluice::redis {
namespace {

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

// Whether the server is what the options call it, and every slot of a cluster is served.
Status check_mode(std::string_view server, const Reply& cluster_info, const RedisOptions& options) {
  const bool is_node = info_value(server, "redis_mode") == "cluster" ||
                       info_value(server, "server_mode") == "cluster";
  if (options.cluster().empty()) {
    if (is_node)
      return unfit(
          "this server is a node of a cluster: name it in redis.cluster instead of redis.host "
          "(what "
          "is promised is less then: docs/operate.md)");
    return {};
  }
  if (!is_node && !server.empty())
    return unfit(
        "this server is no node of a cluster (cluster-enabled no): redis.host and redis.port are "
        "for it, not redis.cluster");
  if (cluster_info.kind == Reply::Kind::error)
    return error_of_reply(cluster_info.text).at("CLUSTER INFO");
  const auto assigned = number(info_value(cluster_info.text, "cluster_slots_assigned"));
  constexpr unsigned kAll = 16384;
  if (assigned != kAll)
    return unfit(std::to_string(kAll - std::min(assigned, kAll)) +
                 " slots of the cluster are no node's: `redis-cli --cluster fix HOST:PORT`");
  return {};
}

Result<RedisInfo> check_node(Connection& connection, const RedisOptions& options) {
  TextBuffer request;
  append_command(request, {"INFO", "server"});
  append_command(request, {"INFO", "replication"});
  append_command(request, {"INFO", "memory"});
  append_command(request, {"CONFIG", "GET", "maxmemory-policy"});
  // Asked before the first step needs it: Redis 7.2 has it, with an append-only file.
  const ReplicaWait wait{0, options.wait_aof(), Duration{1}};
  if (wait.aof) append_wait(request, wait);
  if (!options.cluster().empty()) append_command(request, {"CLUSTER", "INFO"});
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
  Reply cluster_info;
  if (!options.cluster().empty()) {
    SLUICE_TRY_ASSIGN(cluster_info, connection.receive());
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
  SLUICE_TRY(check_mode(server, cluster_info, options));
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

}  // namespace

Result<RedisInfo> preflight(Connection& connection, const RedisOptions& options) {
  SLUICE_TRY_ASSIGN(const auto nodes, connection.nodes());
  std::optional<RedisInfo> out;
  for (Connection* node : nodes) {
    SLUICE_TRY_ASSIGN(RedisInfo info, check_node(*node, options));
    if (!out) {
      out = std::move(info);
      continue;
    }
    for (std::string& warning : info.warnings)
      if (std::find(out->warnings.begin(), out->warnings.end(), warning) == out->warnings.end())
        out->warnings.push_back(std::move(warning));
  }
  if (!out) return retry(Errc::redis_unavailable, "no node of the cluster has slots");
  return std::move(*out);
}

}  // namespace sluice::redis
