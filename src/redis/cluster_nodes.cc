#include "redis/cluster_nodes.h"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <tuple>
#include <utility>

#include "sluice/base/backoff.h"
#include "sluice/base/log.h"

#include "redis/info_text.h"

namespace sluice::redis {
namespace {

using std::chrono::milliseconds;

Error foreign() {
  return retry(Errc::redis_lost, "out of step: not the answer to CLUSTER SLOTS");
}

Error error_of_cluster(const std::string& text) {
  // src/cluster.c: "This instance has cluster support disabled"
  if (text.find("cluster support disabled") != std::string::npos)
    return fatal(Errc::redis_preflight,
                 "this server is no node of a cluster (cluster-enabled no): redis.host and "
                 "redis.port are for it, not redis.cluster");
  Error error = error_of_reply(text);
  if (error.cls == ErrorClass::poison) error = fatal(Errc::redis_preflight, error.what);
  return std::move(error).at("CLUSTER SLOTS");
}

// A node is [host, port, id, [what else is known of it]]; without a host it is where it was asked
// (cluster-preferred-endpoint-type unknown-endpoint), "?" is a name that was not given to it.
std::optional<HostPort> address_of(const Reply& node, const HostPort& asked) {
  if (node.items.size() < 2 || node.items[1].kind != Reply::Kind::integer) return std::nullopt;
  HostPort out{node.items[0].text, static_cast<std::uint32_t>(node.items[1].integer)};
  if (out.host == "?" && node.items.size() > 3) out.host = value_of(node.items[3].items, "ip");
  if (out.host.empty() || out.host == "?") out.host = asked.host;
  return out;
}

std::optional<std::uint32_t> slot_in(const Reply& reply) {
  if (reply.kind != Reply::Kind::integer || reply.integer < 0 || reply.integer >= kSlots)
    return std::nullopt;
  return static_cast<std::uint32_t>(reply.integer);
}

std::uint16_t index_of(std::vector<HostPort>& masters, HostPort node) {
  const auto found = std::find(masters.begin(), masters.end(), node);
  const auto index = static_cast<std::uint16_t>(found - masters.begin());
  if (found == masters.end()) masters.push_back(std::move(node));
  return index;
}

template <class Number>
Number number_of(std::string_view text) {
  Number out = 0;
  std::from_chars(text.data(), text.data() + text.size(), out);
  return out;
}

}  // namespace

bool SlotMap::has(const HostPort& node) const noexcept {
  return std::find(masters.begin(), masters.end(), node) != masters.end();
}

Result<SlotMap> ask_slots(Connection& node, const HostPort& asked) {
  TextBuffer request;
  // The epoch first: asked the other way round, old slots could come with a new epoch.
  append_command(request, {"CLUSTER", "INFO"});
  append_command(request, {"CLUSTER", "SLOTS"});
  SLUICE_TRY(node.send(request.view()));
  SLUICE_TRY_ASSIGN(const Reply info, node.receive());
  SLUICE_TRY_ASSIGN(const Reply slots, node.receive());
  for (const Reply* reply : {&info, &slots})
    if (reply->kind == Reply::Kind::error) return error_of_cluster(reply->text);
  if (slots.kind != Reply::Kind::array) return foreign();
  SlotMap out;
  out.master_of.fill(SlotMap::kNobody);
  out.ok = info_value(info.text, "cluster_state") == "ok";
  out.epoch = number_of<std::uint64_t>(info_value(info.text, "cluster_current_epoch"));
  for (const Reply& range : slots.items) {
    if (range.items.size() < 3) return foreign();
    const auto first = slot_in(range.items[0]), last = slot_in(range.items[1]);
    auto master = address_of(range.items[2], asked);
    if (!first || !last || *first > *last || !master) return foreign();
    const std::uint16_t index = index_of(out.masters, std::move(*master));
    for (std::uint32_t slot = *first; slot <= *last; ++slot) {
      if (out.master_of[slot] == SlotMap::kNobody) ++out.served;
      out.master_of[slot] = index;
    }
  }
  return out;
}

std::optional<Redirect> redirect_of(std::string_view error, const HostPort& asked) {
  Redirect out;
  if (error.starts_with("TRYAGAIN")) return out;
  if (error.starts_with("MOVED "))
    out.kind = Redirect::Kind::moved;
  else if (error.starts_with("ASK "))
    out.kind = Redirect::Kind::ask;
  else
    return std::nullopt;
  const std::string_view to = error.substr(error.rfind(' ') + 1);
  const std::size_t colon = to.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  out.to = {std::string(to.substr(0, colon)), number_of<std::uint32_t>(to.substr(colon + 1))};
  if (out.to.host.empty() || out.to.host == "?") out.to.host = asked.host;
  if (out.to.port == 0) return std::nullopt;
  return out;
}

ClusterNodes::ClusterNodes(std::vector<HostPort> seeds, Dial dial, milliseconds ask_every)
    : seeds_(std::move(seeds)),
      dial_(std::move(dial)),
      ask_every_(ask_every),
      random_(std::random_device{}()) {}

ClusterNodes::Map ClusterNodes::known() const {
  const Lock lock(mu_);
  return map_;
}

void ClusterNodes::doubt() {
  const Lock lock(mu_);
  doubted_ = true;
}

// Those that are known before the seeds: these may be of long ago.
std::vector<HostPort> ClusterNodes::order() {
  const Lock lock(mu_);
  std::vector<HostPort> out;
  if (map_) out = map_->masters;
  std::shuffle(out.begin(), out.end(), random_);
  std::vector<HostPort> seeds = seeds_;
  std::shuffle(seeds.begin(), seeds.end(), random_);
  for (HostPort& seed : seeds)
    if (std::find(out.begin(), out.end(), seed) == out.end()) out.push_back(std::move(seed));
  return out;
}

void ClusterNodes::put(Map map) {
  std::erase_if(replaced_, [&map](const auto& entry) {
    if (map->has(entry.first)) return false;
    entry.second->store(true);
    log::get("redis").warn("a node of the cluster serves no slots any more node={} epoch={}",
                           entry.first.to_string(0), map->epoch);
    return true;
  });
  map_ = std::move(map);
}

ClusterNodes::Map ClusterNodes::take(SlotMap map) {
  const Lock lock(mu_);
  doubted_ = false;
  put(std::make_shared<const SlotMap>(std::move(map)));
  return map_;
}

void ClusterNodes::moved(std::uint16_t slot, const HostPort& to) {
  const Lock lock(mu_);
  doubted_ = true;
  if (!map_) return;
  SlotMap map = *map_;
  const std::uint16_t index = index_of(map.masters, to);
  if (map.master_of[slot] == SlotMap::kNobody) ++map.served;
  if (map.master_of[slot] == index) return;
  map.master_of[slot] = index;
  put(std::make_shared<const SlotMap>(std::move(map)));
}

// Which node is asked next: a kept connection, as long as it answers.
Result<ClusterNodes::Map> ClusterNodes::refresh(Line& line) {
  const Map was = known();
  std::optional<SlotMap> best;
  std::optional<Error> error;
  const auto is_as_new = [&was](const SlotMap& map) {
    return map.ok && (!was || map.epoch >= was->epoch);
  };
  std::vector<HostPort> nodes = order();
  if (line.second) nodes.insert(nodes.begin(), line.first);
  for (const HostPort& node : nodes) {
    if (!line.second || line.first != node) {
      auto connection = dial_.ask(node);
      if (!connection) {
        // One that passes by itself is the one to go by.
        if (!error || error->cls != ErrorClass::retry) error = std::move(connection).error();
        continue;
      }
      line = {node, std::move(connection).value()};
    }
    auto map = ask_slots(*line.second, node);
    if (!map) {
      line.second.reset();
      Error what = std::move(map).error().at("redis " + node.to_string(0));
      if (!error || error->cls != ErrorClass::retry) error = std::move(what);
      continue;
    }
    if (is_as_new(*map)) return take(std::move(*map));
    line.second.reset();  // it is cut off, perhaps: another one next time
    if (!best || std::tuple(map->ok, map->epoch) > std::tuple(best->ok, best->epoch))
      best = std::move(*map);
  }
  if (!best) return std::move(*error);
  if (best->ok) return take(std::move(*best));  // of a cluster that was made anew
  return retry(Errc::redis_unavailable,
               "CLUSTERDOWN: the cluster does not serve (cluster_state:fail), " +
                   std::to_string(best->served) + " of " + std::to_string(kSlots) +
                   " slots have a master");
}

Result<ClusterNodes::Map> ClusterNodes::map() {
  const Lock asking(asking_);
  {
    const Lock lock(mu_);
    if (map_ && !doubted_) return map_;
  }
  Line line;
  return refresh(line);
}

Result<std::unique_ptr<Connection>> ClusterNodes::connect(const HostPort& at) {
  std::shared_ptr<std::atomic<bool>> replaced;
  {
    const Lock lock(mu_);
    const auto found = std::find_if(replaced_.begin(), replaced_.end(),
                                    [&at](const auto& entry) { return entry.first == at; });
    if (found != replaced_.end())
      replaced = found->second;
    else
      replaced_.emplace_back(at, replaced = std::make_shared<std::atomic<bool>>(false));
  }
  return dial_.work(at, std::move(replaced));
}

Status ClusterNodes::watch(const std::stop_token& st) {
  Line line;
  bool blind = false;
  while (!st.stop_requested()) {
    const auto map = refresh(line);
    if (!map && !std::exchange(blind, true))
      log::get("redis").warn("no node of the cluster says where its slots are error=\"{}\"",
                             to_string(map.error()));
    if (map && std::exchange(blind, false))
      log::get("redis").info("the cluster's slots are known again masters={} epoch={}",
                             (*map)->masters.size(), (*map)->epoch);
    if (!wait_for(ask_every_, st)) break;
  }
  return stopped();
}

}  // namespace sluice::redis
