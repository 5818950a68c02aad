#include "redis/sentinels.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "sluice/base/backoff.h"
#include "sluice/base/log.h"

#include "redis/info_text.h"
#include "redis/stream_connection.h"

namespace sluice::redis {
namespace {

using std::chrono::milliseconds;

// One that does not answer holds up the others.
constexpr milliseconds kTryAgain{3000};

template <class Number>
std::optional<Number> number_of(std::string_view text) {
  Number out{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return out;
}

// What SENTINEL answered that is not what was asked for.
Error sentinel_error(const Reply& reply, const std::string& name) {
  if (reply.kind != Reply::Kind::error)
    return retry(Errc::redis_lost, "not the answer of a Sentinel");
  // src/sentinel.c: "No such master with that name"; a Redis server does not know the command.
  if (reply.text.find("No such master") != std::string::npos)
    return fatal(Errc::redis_preflight,
                 "this Sentinel knows no master of the name " + name +
                     ": redis.sentinel_master must be the name after `sentinel monitor` in its "
                     "configuration (`redis-cli -p PORT SENTINEL MASTERS` lists them)");
  Error error = error_of_reply(reply.text);
  if (reply.text.starts_with("ERR unknown command"))
    return fatal(Errc::redis_preflight,
                 error.what + ": no Sentinel; its port is 26379 mostly (redis.sentinels)");
  return at_sentinel(std::move(error));
}

}  // namespace

Result<MasterView> ask_master(Connection& sentinel, const std::string& name) {
  // The epoch first: asked the other way round, an old address could come with a new epoch.  The
  // address of SENTINEL MASTER is the old one until the failover is over everywhere.
  TextBuffer request;
  append_command(request, {"SENTINEL", "MASTER", name});
  append_command(request, {"SENTINEL", "GET-MASTER-ADDR-BY-NAME", name});
  SLUICE_TRY(sentinel.send(request.view()));
  SLUICE_TRY_ASSIGN(const Reply master, sentinel.receive());
  SLUICE_TRY_ASSIGN(const Reply address, sentinel.receive());
  if (master.kind != Reply::Kind::array) return sentinel_error(master, name);
  if (address.kind != Reply::Kind::array || address.items.size() != 2)
    return sentinel_error(address, name);
  const auto epoch = number_of<std::uint64_t>(value_of(master.items, "config-epoch"));
  const auto port = number_of<std::uint32_t>(address.items[1].text);
  if (!epoch || !port) return retry(Errc::redis_lost, "not the answer of a Sentinel");
  return MasterView{{address.items[0].text, *port}, *epoch};
}

Status require_master(Connection& server) {
  SLUICE_TRY_ASSIGN(const Reply role, server.command({"ROLE"}));
  if (role.kind == Reply::Kind::error) {
    Error error = error_of_reply(role.text);
    if (error.cls == ErrorClass::poison) error = fatal(Errc::redis_preflight, error.what);
    return std::move(error).at("ROLE");
  }
  if (role.kind != Reply::Kind::array || role.items.empty())
    return retry(Errc::redis_lost, "out of step: not the answer to ROLE");
  if (role.items.front().text == "master") return {};
  return retry(Errc::redis_unavailable,
               "the Sentinels name it as the master, and it says that it is a " +
                   role.items.front().text + ": a failover is under way");
}

Sentinels::Sentinels(std::vector<HostPort> at, std::string master, Dial dial, const Clock& clock,
                     milliseconds ask_every)
    : at_(std::move(at)),
      master_(std::move(master)),
      dial_(std::move(dial)),
      clock_(&clock),
      ask_every_(ask_every),
      random_(std::random_device{}()) {}

std::vector<HostPort> Sentinels::order() {
  std::vector<HostPort> out = at_;
  const Lock lock(mu_);
  std::shuffle(out.begin(), out.end(), random_);
  const auto good = std::find(out.begin(), out.end(), good_.value_or(out.front()));
  if (good != out.end()) std::iter_swap(out.begin(), good);
  return out;
}

Result<MasterView> Sentinels::ask(const HostPort& sentinel) {
  SLUICE_TRY_ASSIGN(const auto connection, dial_.sentinel(sentinel));
  auto view = ask_master(*connection, master_);
  if (view) return view;
  const std::string name = "sentinel " + sentinel.to_string(0);
  // Lost connections name their peer already.
  if (view.error().what.starts_with(name)) return view;
  return std::move(view).error().at(name);
}

void Sentinels::follow(const MasterView& view) {
  if (known_) {
    known_->replaced->store(true);
    log::get("redis").warn("the Sentinels name another master master={} now={} was={} epoch={}",
                           master_, view.address.to_string(0), known_->view.address.to_string(0),
                           view.epoch);
  }
  known_ = Known{view, std::make_shared<Replaced>(false)};
}

Sentinels::Known Sentinels::learn(const MasterView& view) {
  const Lock lock(mu_);
  if (known_ && known_->view.address == view.address)
    known_->view.epoch = std::max(known_->view.epoch, view.epoch);
  else if (!known_ || view.epoch > known_->view.epoch)
    follow(view);
  return *known_;
}

// Epochs begin anew when a master is taken from the Sentinels and given back to them: then none of
// them says any more what is known from before.
void Sentinels::settle(const std::vector<MasterView>& views) {
  const Lock lock(mu_);
  if (!known_ || views.size() != at_.size()) return;
  const HostPort& known = known_->view.address;
  if (std::any_of(views.begin(), views.end(),
                  [&known](const MasterView& v) { return v.address == known; }))
    return;
  follow(*std::max_element(views.begin(), views.end(),
                           [](const auto& a, const auto& b) { return a.epoch < b.epoch; }));
}

// Of several reasons, one that passes by itself is the one to go by.
Error Sentinels::nobody(std::vector<Error> errors) const {
  Error out = errors.front();
  for (std::size_t i = 1; i < errors.size(); ++i) {
    if (out.cls != ErrorClass::retry && errors[i].cls == ErrorClass::retry) {
      out.cls = errors[i].cls;
      out.code = errors[i].code;
    }
    out.what += "; " + errors[i].what;
  }
  const Lock lock(mu_);
  // A master that was known is still somewhere.
  if (known_ && out.cls == ErrorClass::fatal && out.code == Errc::redis_preflight)
    out = retry(Errc::redis_unavailable, std::move(out.what));
  return out;
}

Result<std::unique_ptr<Connection>> Sentinels::connect() {
  std::vector<Error> errors;
  std::vector<MasterView> views;
  std::vector<std::shared_ptr<Replaced>> tried;
  for (const HostPort& sentinel : order()) {
    const auto view = ask(sentinel);
    if (!view) {
      errors.push_back(view.error());
      continue;
    }
    views.push_back(*view);
    const Known known = learn(*view);
    if (std::find(tried.begin(), tried.end(), known.replaced) != tried.end()) continue;
    tried.push_back(known.replaced);
    auto connection = dial_.server(known.view.address, known.replaced);
    if (connection) {
      const Lock lock(mu_);
      good_ = sentinel;
      return connection;
    }
    // What the server refuses it refuses whoever leads there.
    if (connection.error().cls != ErrorClass::retry) return connection;
    errors.push_back(std::move(connection).error());
  }
  settle(views);
  return nobody(std::move(errors));
}

std::optional<MasterView> Sentinels::ask(Line& line) {
  const auto now = clock_->steady();
  if (!line.connection) {
    if (now < line.next_try) return std::nullopt;
    line.next_try = now + kTryAgain;
    auto connection = dial_.sentinel(line.at);
    if (!connection) return std::nullopt;
    line.connection = std::move(connection).value();
  }
  auto view = ask_master(*line.connection, master_);
  if (view) return *view;
  line.connection.reset();
  return std::nullopt;
}

Status Sentinels::watch(const std::stop_token& st) {
  std::vector<Line> lines;
  for (const HostPort& sentinel : at_) lines.push_back({sentinel, nullptr, {}});
  bool blind = false;
  while (!st.stop_requested()) {
    std::vector<MasterView> views;
    for (Line& line : lines) {
      const auto view = ask(line);
      if (!view) continue;
      learn(*view);
      views.push_back(*view);
    }
    settle(views);
    if (views.empty() && !std::exchange(blind, true))
      log::get("redis").warn(
          "no Sentinel answers, a failover would not be heard of master={} sentinels={}", master_,
          at_.size());
    if (!views.empty() && std::exchange(blind, false))
      log::get("redis").info("Sentinels answer again master={} answering={} of={}", master_,
                             views.size(), at_.size());
    if (!wait_for(ask_every_, st)) break;
  }
  return stopped();
}

}  // namespace sluice::redis
