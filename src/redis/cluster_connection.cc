#include "redis/cluster_connection.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "sluice/base/backoff.h"

namespace sluice::redis {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view kAsking = "*1\r\n$6\r\nASKING\r\n";
// Of a reply that nobody waits for.
constexpr std::uint64_t kNobody = 0;
// One command is sent elsewhere so often: in a failover nodes may not agree for a moment.
constexpr std::uint32_t kMostRedirects = 60;
constexpr std::uint32_t kAtOnce = 3;
constexpr milliseconds kPause{50};

// Of those that are sent here; any other counts as a write, for WAIT.
bool is_read(std::string_view verb) noexcept {
  constexpr std::array<std::string_view, 6> kReads{"GET",    "HGET",  "TYPE",
                                                   "EXISTS", "WATCH", "ZRANGE"};
  return std::any_of(kReads.begin(), kReads.end(),
                     [verb](std::string_view name) { return is_verb(verb, name); });
}

ExecResult exec_of(Reply reply, bool moved) {
  ExecResult out;
  switch (reply.kind) {
    case Reply::Kind::nil: out.aborted = true; break;
    case Reply::Kind::error:
      out.aborted = moved;
      if (!moved) out.refused = std::move(reply.text);
      break;
    default:
      out.count = reply.items.size();
      for (std::size_t i = 0; i < reply.items.size(); ++i)
        if (reply.items[i].kind == Reply::Kind::error)
          out.errors.emplace_back(i, std::move(reply.items[i].text));
  }
  return out;
}

}  // namespace

Status ClusterConnection::usable() {
  if (broken_) return *broken_;
  const Lock lock(mu_);
  return interrupted_ ? Status(stopped()) : Status();
}

Error ClusterConnection::broken(Error error) {
  if (error.code == Errc::redis_lost) nodes_->doubt();
  broken_ = std::move(error);
  return *broken_;
}

void ClusterConnection::set_wait(Duration limit, std::function<Status()> serve) {
  const Lock lock(mu_);
  for (const auto& link : links_) link->connection->set_wait(limit, serve);
  wait_.emplace(limit, std::move(serve));
}

void ClusterConnection::interrupt() noexcept {
  const Lock lock(mu_);
  interrupted_ = true;
  for (const auto& link : links_) link->connection->interrupt();
}

Result<ClusterConnection::Link*> ClusterConnection::link_of(const HostPort& node) {
  {
    const Lock lock(mu_);
    for (const auto& link : links_)
      if (link->at == node) return link.get();
  }
  SLUICE_TRY_ASSIGN(auto connection, nodes_->connect(node));
  if (wait_) connection->set_wait(wait_->first, wait_->second);
  auto link = std::make_unique<Link>();
  link->at = node;
  link->connection = std::move(connection);
  const Lock lock(mu_);
  if (interrupted_) return stopped();
  links_.push_back(std::move(link));
  return links_.back().get();
}

Result<ClusterConnection::Link*> ClusterConnection::link_of_slot(std::uint16_t slot) {
  std::uint16_t master = map_->master_of[slot];
  if (master == SlotMap::kNobody) master = 0;  // it says what is wrong
  if (map_->masters.empty())
    return retry(Errc::redis_unavailable, "CLUSTERDOWN: no node of the cluster has slots");
  return link_of(map_->masters[master]);
}

// Reads what was appended to text_ into commands_.
Status ClusterConnection::add(std::size_t begin) {
  CommandList list(text_.view().substr(begin));
  const char* const base = text_.data();
  std::optional<std::size_t> multi;
  bool known = false;  // the transaction's slot
  for (;;) {
    CommandList::Command found;
    SLUICE_TRY_ASSIGN(const bool any, list.next(found));
    if (!any) break;
    Command command;
    command.begin = static_cast<std::size_t>(found.bytes.data() - base);
    command.size = found.bytes.size();
    command.has_key = found.has_key;
    command.writes = found.has_key && !is_read(found.verb);
    if (found.has_key) {
      command.key_begin = static_cast<std::size_t>(found.key.data() - base);
      command.key_size = found.key.size();
      command.slot = slot_of(found.key);
    }
    if (is_verb(found.verb, "MULTI")) {
      command.kind = Kind::multi;
      multi = commands_.size();
      known = false;
    } else if (is_verb(found.verb, "EXEC")) {
      command.kind = Kind::exec;
    } else if (is_verb(found.verb, "WATCH")) {
      command.kind = Kind::watch;
    } else if (is_verb(found.verb, "UNWATCH")) {
      command.kind = Kind::unwatch;
    } else if (multi) {
      command.kind = Kind::queued;
    }
    commands_.push_back(command);
    if (!multi) continue;
    if (command.has_key && !std::exchange(known, true))
      for (std::size_t n = *multi; n < commands_.size(); ++n) commands_[n].slot = command.slot;
    commands_.back().slot = commands_[*multi].slot;
    if (command.kind == Kind::exec) multi.reset();
  }
  if (multi) return fatal(Errc::internal, "a transaction for a cluster is not sent as a whole");
  return {};
}

void ClusterConnection::push(Command& command, bool asking) {
  Link& link = *command.link;
  ++command.attempt;
  if (asking) {
    link.out.append(kAsking);
    link.expected.push_back({kNobody, 0});
  }
  link.out.append(text_.view().substr(command.begin, command.size));
  const auto index = static_cast<std::uint64_t>(&command - commands_.data());
  link.expected.push_back({first_ + index, command.attempt});
  link.written = link.written || command.writes;
}

// Those that were not sent yet.
Status ClusterConnection::route() {
  std::optional<std::pair<Link*, bool>> transaction;
  for (Command& command : commands_) {
    if (command.link != nullptr) continue;
    const bool watched = watch_ && (command.kind == Kind::unwatch || watch_->slot == command.slot);
    bool asking = false;
    switch (command.kind) {
      case Kind::multi:
        if (watched) {
          command.link = watch_->link;
          asking = watch_->asking;  // it holds up to EXEC
        } else {
          SLUICE_TRY_ASSIGN(command.link, link_of_slot(command.slot));
        }
        transaction.emplace(command.link, asking);
        break;
      case Kind::queued: command.link = transaction->first; break;
      case Kind::exec:
        if (!transaction) return fatal(Errc::internal, "EXEC without MULTI");
        command.link = transaction->first;
        watch_.reset();
        break;
      case Kind::unwatch:
        if (watched) {
          command.link = watch_->link;
        } else {
          SLUICE_TRY_ASSIGN(command.link, link_of_slot(0));
        }
        watch_.reset();
        break;
      default: {
        SLUICE_TRY_ASSIGN(command.link, link_of_slot(command.slot));
        if (command.kind == Kind::watch) watch_ = Watch{command.slot, command.link, false};
        break;
      }
    }
    push(command, asking);
  }
  return {};
}

Status ClusterConnection::flush() {
  std::vector<Link*> links;
  {
    const Lock lock(mu_);
    for (const auto& link : links_)
      if (!link->out.empty()) links.push_back(link.get());
  }
  for (Link* link : links) {
    SLUICE_TRY(link->connection->send(link->out.view()));
    link->out.clear();
  }
  return {};
}

Status ClusterConnection::send(std::string_view bytes) {
  SLUICE_TRY(usable());
  if (next_ - first_ == commands_.size()) {
    first_ = next_;
    commands_.clear();
    text_.clear();
  }
  auto map = nodes_->known();
  if (!map) {
    SLUICE_TRY_ASSIGN(map, nodes_->map());
  }
  map_ = std::move(map);
  const std::size_t begin = text_.size();
  text_.append(bytes);
  SLUICE_TRY(keep(add(begin)));
  SLUICE_TRY(keep(route()));
  return keep(flush());
}

Status ClusterConnection::drain() {
  std::vector<Link*> links;
  {
    const Lock lock(mu_);
    for (const auto& link : links_) links.push_back(link.get());
  }
  for (Link* link : links)
    for (; !link->expected.empty(); link->expected.pop_front()) {
      scratch_.clear();
      SLUICE_TRY(link->connection->receive_checked(1, scratch_));
    }
  strays_ = false;
  return {};
}

Result<Reply> ClusterConnection::read(Command& command, bool whole) {
  if (command.reply) return *std::exchange(command.reply, std::nullopt);
  Link& link = *command.link;
  for (;;) {
    if (link.expected.empty())
      return fatal(Errc::internal, "a reply is waited for that no command asks for");
    const Link::Expected front = link.expected.front();
    link.expected.pop_front();
    const bool stale = front.command < next_ || at(front.command).attempt != front.attempt;
    const bool ours = !stale && &at(front.command) == &command;
    if (stale || (ours && !whole)) {
      scratch_.clear();
      SLUICE_TRY(link.connection->receive_checked(1, scratch_));
      if (stale) continue;
      Reply out;
      out.kind = scratch_.empty() ? Reply::Kind::status : Reply::Kind::error;
      if (!scratch_.empty()) out.text = std::move(scratch_.front().second);
      return out;
    }
    SLUICE_TRY_ASSIGN(Reply reply, link.connection->receive());
    if (ours) return reply;
    at(front.command).reply = std::move(reply);
  }
}

// Sends the oldest command to where `redirect` says, and what follows it of the same slot; of ASK
// only of the same key, for other keys of the slot may be where they were.
Status ClusterConnection::follow(const Redirect& redirect) {
  Command& first = at(next_);
  if (++redirects_ > kMostRedirects)
    return retry(Errc::redis_unavailable, "slot " + std::to_string(first.slot) +
                                              " of the cluster is nowhere: its nodes send us from "
                                              "one to the other");
  if (redirects_ > kAtOnce || redirect.kind == Redirect::Kind::try_again) wait_for(kPause, {});
  SLUICE_TRY(usable());
  Link* to = first.link;
  if (redirect.kind == Redirect::Kind::moved) {
    nodes_->moved(first.slot, redirect.to);
    map_ = nodes_->known();
  }
  if (redirect.kind != Redirect::Kind::try_again) {
    SLUICE_TRY_ASSIGN(to, link_of(redirect.to));
  }
  const bool asking = redirect.kind == Redirect::Kind::ask;
  strays_ = true;
  const std::string_view key = key_of(first);
  for (std::uint64_t n = next_; n < first_ + commands_.size(); ++n) {
    Command& command = at(n);
    if (command.slot != first.slot || !command.has_key || (asking && key_of(command) != key))
      continue;
    if (command.kind != Kind::plain && command.kind != Kind::watch) continue;
    command.link = to;
    command.reply.reset();
    push(command, asking);
    if (command.kind == Kind::watch) watch_ = Watch{command.slot, to, asking};
  }
  return flush();
}

Result<Reply> ClusterConnection::next(bool whole) {
  SLUICE_TRY(usable());
  if (next_ - first_ >= commands_.size())
    return fatal(Errc::internal, "a reply is waited for that no command asks for");
  redirects_ = 0;
  for (;;) {
    Command& command = at(next_);
    auto reply = read(command, whole);
    if (!reply) return broken(std::move(reply).error());
    if (command.kind == Kind::multi) moved_in_transaction_ = false;
    if (reply->kind == Reply::Kind::error) {
      const auto redirect = redirect_of(reply->text, command.link->at);
      if (redirect && (command.kind == Kind::plain || command.kind == Kind::watch)) {
        SLUICE_TRY(keep(follow(*redirect)));
        continue;
      }
      if (redirect) {
        if (redirect->kind == Redirect::Kind::moved) nodes_->moved(command.slot, redirect->to);
        moved_in_transaction_ = true;
        if (command.kind == Kind::queued) reply = Reply{Reply::Kind::status, "QUEUED", 0, {}};
      } else if (error_of_reply(reply->text).cls == ErrorClass::retry) {
        // What is wrong with a node, not with a command: which one has to be looked at.
        reply->text.append(" (redis ").append(command.link->at.to_string(0)).append(")");
      }
    }
    ++next_;
    if (strays_ && next_ - first_ == commands_.size()) SLUICE_TRY(keep(drain()));
    return reply;
  }
}

Result<Reply> ClusterConnection::receive() {
  return next(true);
}

Status ClusterConnection::receive_checked(
    std::size_t count, std::vector<std::pair<std::size_t, std::string>>& errors) {
  for (std::size_t i = 0; i < count; ++i) {
    SLUICE_TRY_ASSIGN(Reply reply, next(false));
    if (reply.kind == Reply::Kind::error) errors.emplace_back(i, std::move(reply.text));
  }
  return {};
}

Result<ExecResult> ClusterConnection::receive_exec() {
  SLUICE_TRY_ASSIGN(Reply reply, next(true));
  return exec_of(std::move(reply), moved_in_transaction_);
}

Result<std::vector<Connection*>> ClusterConnection::nodes() {
  SLUICE_TRY(usable());
  SLUICE_TRY_ASSIGN(map_, nodes_->map());
  std::vector<Connection*> out;
  for (const HostPort& node : map_->masters) {
    SLUICE_TRY_ASSIGN(Link * link, link_of(node));
    out.push_back(link->connection.get());
  }
  return out;
}

// Each master's own line of CLUSTER NODES: slots on their way stand in brackets behind the others.
Result<std::optional<std::string>> ClusterConnection::placement() {
  SLUICE_TRY_ASSIGN(const auto masters, nodes());
  std::string out;
  for (Connection* master : masters) {
    auto reply = master->command({"CLUSTER", "NODES"});
    if (!reply) return broken(std::move(reply).error());
    if (reply->kind == Reply::Kind::error) return error_of_reply(reply->text).at("CLUSTER NODES");
    const std::string_view text = reply->text;
    const std::size_t self = text.find("myself");
    if (self == std::string_view::npos)
      return retry(Errc::redis_lost, "out of step: not the answer to CLUSTER NODES");
    // ID ADDRESS FLAGS MASTER PING PONG EPOCH LINK SLOT ...
    std::size_t begin = self;
    constexpr int kFieldsBetween = 6;
    for (int n = 0; n < kFieldsBetween; ++n)
      begin = std::min(text.find(' ', begin), text.size() - 1) + 1;
    const std::string_view slots = text.substr(begin, text.find('\n', self) - begin);
    if (slots.find('[') != std::string_view::npos) return std::optional<std::string>();
    out.append(slots).append(";");
  }
  return std::optional(std::move(out));
}

Result<std::vector<std::string>> ClusterConnection::spread(const std::string& key) {
  SLUICE_TRY(usable());
  SLUICE_TRY_ASSIGN(map_, nodes_->map());
  std::vector<std::string> out;
  std::vector<bool> has(map_->masters.size(), false);
  constexpr int kMost = 100'000;  // a node with a single slot may not be met
  for (int n = 0; n < kMost && out.size() < has.size(); ++n) {
    std::string one = key;
    one.append("{").append(std::to_string(n)).append("}");
    const std::uint16_t master = map_->master_of[slot_of(one)];
    if (master == SlotMap::kNobody || has[master]) continue;
    has[master] = true;
    out.push_back(std::move(one));
  }
  return out;
}

Result<Reached> ClusterConnection::wait_written(const ReplicaWait& wait) {
  SLUICE_TRY(usable());
  std::vector<Link*> links;
  {
    const Lock lock(mu_);
    for (const auto& link : links_)
      if (link->written) links.push_back(link.get());
  }
  TextBuffer request;
  append_wait(request, wait);
  for (Link* link : links) SLUICE_TRY(keep(link->connection->send(request.view())));
  std::optional<Reached> out;
  std::optional<Error> error;
  for (Link* link : links) {
    auto reply = link->connection->receive();
    if (!reply) return broken(std::move(reply).error());
    const auto one = reached(*reply, wait);
    if (!one) {
      if (!error) error = one.error();
      continue;
    }
    if (one->enough) link->written = false;
    if (!out) out = *one;
    out->replicas = std::min(out->replicas, one->replicas);
    out->on_disk = out->on_disk && one->on_disk;
    out->enough = out->enough && one->enough;
  }
  if (error) return std::move(*error);
  return out.value_or(Reached{wait.replicas, true, true});
}

}  // namespace sluice::redis
