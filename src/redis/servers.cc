#include "sluice/redis/servers.h"

#include <algorithm>

#include "redis/cluster_connection.h"
#include "redis/cluster_nodes.h"
#include "redis/sentinels.h"
#include "redis/stream_connection.h"

namespace sluice::redis {
namespace {

constexpr std::uint32_t kSentinelPort = 26379;
constexpr std::uint32_t kPort = 6379;
// The next one, Sentinel or node, is asked when this one does not answer.
constexpr Duration kAskPatience{2000};

using Connected = Result<std::unique_ptr<StreamConnection>>;

// `greet` says what is said first; its errors get the peer's name.
Connected dial(const RedisOptions& options, const Endpoint& at, std::string_view what,
               Duration timeout, const std::function<Status(Connection&)>& greet) {
  const std::string peer = at.to_string();
  auto transport = connect_socket(options, at, timeout);
  if (!transport) return std::move(transport).error().at(std::string(what) + " " + peer);
  auto connection = std::make_unique<StreamConnection>(
      std::move(transport).value(), std::string(what) + " " + peer, timeout, system_clock());
  if (auto greeted = greet(*connection); !greeted) {
    // Lost connections name their peer already.
    if (greeted.error().code == Errc::redis_lost) return std::move(greeted).error();
    return std::move(greeted).error().at(std::string(what) + " " + peer);
  }
  return connection;
}

Connected dial_server(const RedisOptions& options, const Endpoint& at,
                      const std::function<Status(Connection&)>& check) {
  auto connection =
      dial(options, at, "redis", options.connect_timeout(), [&](Connection& c) -> Status {
        SLUICE_TRY(greet(c, options));
        return check ? check(c) : Status();
      });
  if (connection) (*connection)->set_timeout(options.timeout());
  return connection;
}

Result<std::unique_ptr<Connection>> as_connection(Connected connection) {
  if (!connection) return std::move(connection).error();
  return std::unique_ptr<Connection>(std::move(connection).value());
}

Sentinels::Dial dial_by(const RedisOptions& options) {
  const auto sentinel = [&options](const HostPort& at) {
    return as_connection(dial(options, {"", at}, "sentinel",
                              std::min(options.connect_timeout(), kAskPatience),
                              [&options](Connection& c) { return greet_sentinel(c, options); }));
  };
  const auto server = [&options](const HostPort& at, std::shared_ptr<const Replaced> replaced) {
    auto connection = dial_server(options, {"", at}, require_master);
    if (connection)
      (*connection)->set_replaced(std::move(replaced), "the Sentinels name another master by now");
    return as_connection(std::move(connection));
  };
  return {sentinel, server};
}

ClusterNodes::Dial dial_node_by(const RedisOptions& options) {
  const auto ask = [&options](const HostPort& at) {
    return as_connection(dial(options, {"", at}, "redis",
                              std::min(options.connect_timeout(), kAskPatience),
                              [&options](Connection& c) { return greet(c, options); }));
  };
  const auto work = [&options](const HostPort& at, std::shared_ptr<const Replaced> replaced) {
    auto connection = dial_server(options, {"", at}, nullptr);
    if (connection)
      (*connection)
          ->set_replaced(std::move(replaced), "it serves no slots of the cluster any more");
    return as_connection(std::move(connection));
  };
  return {ask, work};
}

}  // namespace

Servers::Servers(const RedisOptions& options) : options_(&options) {
  if (!options.cluster().empty())
    nodes_ = std::make_shared<ClusterNodes>(all_hosts("", kPort, options.cluster()),
                                            dial_node_by(options));
  if (options.sentinels().empty()) return;
  sentinels_ =
      std::make_unique<Sentinels>(all_hosts("", kSentinelPort, options.sentinels()),
                                  options.sentinel_master(), dial_by(options), system_clock());
}

Servers::~Servers() = default;

Result<std::unique_ptr<Connection>> Servers::connect() {
  if (sentinels_) return sentinels_->connect();
  if (nodes_) {
    SLUICE_TRY(nodes_->map());  // what is wrong is said now
    return std::unique_ptr<Connection>(std::make_unique<ClusterConnection>(nodes_));
  }
  return as_connection(
      dial_server(*options_, {options_->socket(), {options_->host(), options_->port()}}, nullptr));
}

Status Servers::watch(const std::stop_token& st) {
  return sentinels_ ? sentinels_->watch(st) : nodes_->watch(st);
}

Result<std::unique_ptr<Connection>> Connection::open(const RedisOptions& options) {
  return Servers(options).connect();
}

}  // namespace sluice::redis
