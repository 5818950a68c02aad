#include "sluice/redis/replica_wait.h"

#include <algorithm>

namespace sluice::redis {
namespace {

Error error_of_wait(const Reply& reply, const ReplicaWait& wait) {
  if (reply.kind != Reply::Kind::error)
    return retry(Errc::redis_lost, "out of step: not the answer to WAIT");
  Error error = error_of_reply(reply.text);
  if (error.cls != ErrorClass::poison) return error;
  std::string remedy = "; set redis.wait_replicas to 0";
  // Unknown before 7.2; refused with `appendonly no`.
  if (wait.aof)
    remedy =
        "; redis.wait_aof needs Redis 7.2 or later with `appendonly yes`: change the server, or "
        "set it to false";
  return fatal(Errc::redis_preflight, error.what + remedy);
}

bool is_integer(const Reply& reply) {
  return reply.kind == Reply::Kind::integer && reply.integer >= 0;
}

}  // namespace

ReplicaWait ReplicaWait::of(const RedisOptions& options, Duration patience) {
  const Duration longest = std::max(std::min(patience, options.timeout()) / 2, Duration{1});
  return {options.wait_replicas(), options.wait_aof(), std::min(options.wait_timeout(), longest)};
}

void append_wait(TextBuffer& out, const ReplicaWait& wait) {
  const std::string replicas = std::to_string(wait.replicas);
  const std::string timeout = std::to_string(wait.timeout.count());
  if (wait.aof)
    append_command(out, {"WAITAOF", "1", replicas, timeout});
  else
    append_command(out, {"WAIT", replicas, timeout});
}

Result<Reached> reached(const Reply& reply, const ReplicaWait& wait) {
  Reached out;
  if (wait.aof) {
    if (reply.kind != Reply::Kind::array || reply.items.size() != 2 ||
        !is_integer(reply.items[0]) || !is_integer(reply.items[1]))
      return error_of_wait(reply, wait);
    out.on_disk = reply.items[0].integer >= 1;
    out.replicas = static_cast<std::uint32_t>(reply.items[1].integer);
  } else {
    if (!is_integer(reply)) return error_of_wait(reply, wait);
    out.replicas = static_cast<std::uint32_t>(reply.integer);
  }
  out.enough = out.on_disk && out.replicas >= wait.replicas;
  return out;
}

Result<Reached> reach_replicas(Connection& connection, const std::string& key,
                               const ReplicaWait& wait) {
  SLUICE_TRY_ASSIGN(const auto keys, connection.spread(key));
  TextBuffer request;
  for (const std::string& one : keys) {
    append_command(request, {"SET", one, "1", "EX", "60"});
    append_command(request, {"UNLINK", one});
  }
  SLUICE_TRY(connection.send(request.view()));
  std::vector<std::pair<std::size_t, std::string>> errors;
  SLUICE_TRY(connection.receive_checked(2 * keys.size(), errors));
  if (!errors.empty()) return error_of_reply(errors.front().second).at(key);
  return connection.wait_written(wait);
}

Status require(const Reached& reached, const ReplicaWait& wait) {
  if (reached.enough) return {};
  return retry(Errc::redis_unavailable,
               std::to_string(reached.replicas) + " of " + std::to_string(wait.replicas) +
                   " replicas (redis.wait_replicas) have what was written" +
                   (reached.on_disk ? "" : ", and it is not on the master's disk"));
}

}  // namespace sluice::redis
