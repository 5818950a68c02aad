#pragma once
// A cluster in memory, whose slots can be moved.
#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "redis/cluster_nodes.h"
#include "redis/command_list.h"

namespace sluice::redis {

inline Reply reply_of(Reply::Kind kind, std::string text = {}, std::int64_t integer = 0) {
  return {kind, std::move(text), integer, {}};
}

struct FakeCluster {
  struct Node {
    std::map<std::string, std::string> keys;
    std::map<std::string, int> versions;
    int replicas = 1, waits = 0, opened = 0;
    bool down = false;
    std::string refusal;  // it says so to all
  };
  std::map<std::uint32_t, Node> nodes;           // by port
  std::map<std::uint16_t, std::uint32_t> owner;  // of a slot; else default_owner
  std::uint32_t default_owner = 7001;
  std::map<std::uint16_t, std::uint32_t> migrating;  // where to
  std::uint64_t epoch = 1;
  bool ok = true;
  int try_again = 0;              // so many commands
  std::vector<std::string> done;  // "7001 SET k v", in the order they were done

  std::uint32_t owner_of(std::uint16_t slot) const {
    const auto found = owner.find(slot);
    return found == owner.end() ? default_owner : found->second;
  }
  void give(const std::string& key, std::uint32_t to) { owner[slot_of(key)] = to; }
  std::unique_ptr<Connection> open(std::uint32_t port, std::shared_ptr<const std::atomic<bool>>);
  ClusterNodes::Dial dial();
  Reply slots() const;
};

class FakeNodeConnection final : public Connection {
 public:
  FakeNodeConnection(FakeCluster& cluster, std::uint32_t port,
                     std::shared_ptr<const std::atomic<bool>> replaced)
      : cluster_(&cluster), port_(port), replaced_(std::move(replaced)) {}
  Status send(std::string_view bytes) override {
    if (lost()) return retry(Errc::redis_lost, "the fake hung up");
    CommandList list(bytes);
    CommandList::Command command;
    for (;;) {
      const auto any = list.next(command);
      EXPECT_TRUE(any.ok());
      if (!any.ok() || !*any) return {};
      run(words_of(command.bytes), command);
    }
  }
  Result<Reply> receive() override {
    if (lost()) return retry(Errc::redis_lost, "the fake hung up");
    if (replies_.empty()) {
      ADD_FAILURE() << "a reply is waited for that nobody will send";
      return retry(Errc::redis_lost, "nothing");
    }
    Reply out = std::move(replies_.front());
    replies_.pop_front();
    return out;
  }
  Status receive_checked(std::size_t count,
                         std::vector<std::pair<std::size_t, std::string>>& errors) override {
    for (std::size_t i = 0; i < count; ++i) {
      SLUICE_TRY_ASSIGN(const Reply reply, receive());
      if (reply.kind == Reply::Kind::error) errors.emplace_back(i, reply.text);
    }
    return {};
  }
  Result<ExecResult> receive_exec() override { return ExecResult{}; }
  void set_wait(Duration, std::function<Status()>) override {}

 private:
  bool lost() const { return node().down || (replaced_ && replaced_->load()); }
  FakeCluster::Node& node() const { return cluster_->nodes[port_]; }
  static std::vector<std::string> words_of(std::string_view bytes) {
    std::vector<std::string> out;
    const auto number = [&bytes] {
      const std::size_t end = bytes.find("\r\n");
      const std::size_t n = std::stoul(std::string(bytes.substr(1, end - 1)));
      bytes.remove_prefix(end + 2);
      return n;
    };
    for (std::size_t n = number(); n > 0; --n) {
      const std::size_t size = number();
      out.emplace_back(bytes.substr(0, size));
      bytes.remove_prefix(size + 2);
    }
    return out;
  }
  std::optional<Reply> redirect(const std::string& key, bool asking) {
    if (!node().refusal.empty()) return reply_of(Reply::Kind::error, node().refusal);
    const std::uint16_t slot = slot_of(key);
    const auto to = [slot](std::string_view what, std::uint32_t port) {
      return reply_of(Reply::Kind::error, std::string(what) + " " + std::to_string(slot) +
                                              " 127.0.0.1:" + std::to_string(port));
    };
    const auto moving = cluster_->migrating.find(slot);
    const bool imports = moving != cluster_->migrating.end() && moving->second == port_ && asking;
    if (cluster_->owner_of(slot) != port_ && !imports) return to("MOVED", cluster_->owner_of(slot));
    if (cluster_->try_again > 0) {
      --cluster_->try_again;
      return reply_of(Reply::Kind::error,
                      "TRYAGAIN Multiple keys request during rehashing of slot");
    }
    if (moving != cluster_->migrating.end() && !imports && !node().keys.contains(key))
      return to("ASK", moving->second);
    return std::nullopt;
  }
  void run(const std::vector<std::string>& w, const CommandList::Command& command) {
    const std::string& verb = w.front();
    if (verb == "ASKING") {
      asking_ = true;
      replies_.push_back(reply_of(Reply::Kind::status, "OK"));
      return;
    }
    const bool asking = asking_;
    if (verb != "MULTI" && !queued_) asking_ = false;
    if (verb == "EXEC") return exec();
    std::optional<Reply> elsewhere;
    if (command.has_key) elsewhere = redirect(w[1], asking);
    if (elsewhere) {
      if (queued_) dirty_ = true;
      replies_.push_back(std::move(*elsewhere));
    } else if (verb == "MULTI") {
      queued_.emplace();
      dirty_ = false;
      replies_.push_back(reply_of(Reply::Kind::status, "OK"));
    } else if (queued_) {
      queued_->push_back(w);
      replies_.push_back(reply_of(Reply::Kind::status, "QUEUED"));
    } else {
      replies_.push_back(do_it(w));
    }
  }
  void exec() {
    ASSERT_TRUE(queued_);
    const auto commands = *std::exchange(queued_, std::nullopt);
    asking_ = false;
    const auto watched = std::exchange(watched_, {});
    if (dirty_)
      return replies_.push_back(reply_of(
          Reply::Kind::error, "EXECABORT Transaction discarded because of previous errors."));
    for (const auto& [key, version] : watched)
      if (node().versions[key] != version) return replies_.push_back(reply_of(Reply::Kind::nil));
    Reply all = reply_of(Reply::Kind::array);
    for (const auto& w : commands) all.items.push_back(do_it(w));
    replies_.push_back(std::move(all));
  }
  Reply do_it(const std::vector<std::string>& w) {
    const std::string& verb = w.front();
    std::string said = std::to_string(port_);
    for (const std::string& word : w) said += " " + word;
    if (verb == "CLUSTER" && w[1] == "SLOTS") return cluster_->slots();
    if (verb == "CLUSTER")
      return reply_of(Reply::Kind::string,
                      std::string("cluster_state:") + (cluster_->ok ? "ok" : "fail") +
                          "\r\ncluster_current_epoch:" + std::to_string(cluster_->epoch) + "\r\n");
    if (verb == "WAIT") {
      ++node().waits;
      return reply_of(Reply::Kind::integer, {}, node().replicas);
    }
    cluster_->done.push_back(said);
    if (verb == "WATCH") {
      watched_[w[1]] = node().versions[w[1]];
      return reply_of(Reply::Kind::status, "OK");
    }
    if (verb == "UNWATCH") {
      watched_.clear();
      return reply_of(Reply::Kind::status, "OK");
    }
    if (verb == "GET") {
      const auto found = node().keys.find(w[1]);
      return found == node().keys.end() ? reply_of(Reply::Kind::nil)
                                        : reply_of(Reply::Kind::string, found->second);
    }
    if (verb == "SET") {
      node().keys[w[1]] = w[2];
      ++node().versions[w[1]];
      return reply_of(Reply::Kind::status, "OK");
    }
    if (verb == "TIME") return reply_of(Reply::Kind::array);
    return reply_of(Reply::Kind::error, "ERR unknown command");
  }

  FakeCluster* cluster_;
  std::uint32_t port_;
  std::shared_ptr<const std::atomic<bool>> replaced_;
  std::deque<Reply> replies_;
  std::optional<std::vector<std::vector<std::string>>> queued_;
  std::map<std::string, int> watched_;
  bool asking_ = false, dirty_ = false;
};

inline std::unique_ptr<Connection> FakeCluster::open(
    std::uint32_t port, std::shared_ptr<const std::atomic<bool>> replaced) {
  ++nodes[port].opened;
  return std::make_unique<FakeNodeConnection>(*this, port, std::move(replaced));
}

inline ClusterNodes::Dial FakeCluster::dial() {
  const auto work = [this](const HostPort& at, std::shared_ptr<const std::atomic<bool>> replaced)
      -> Result<std::unique_ptr<Connection>> {
    if (nodes[at.port].down)
      return retry(Errc::redis_lost, "redis " + at.to_string(0) + ": connection refused");
    return open(at.port, std::move(replaced));
  };
  return {[work](const HostPort& at) { return work(at, nullptr); }, work};
}

inline Reply FakeCluster::slots() const {
  Reply out = reply_of(Reply::Kind::array);
  for (std::uint32_t first = 0; first < kSlots;) {
    std::uint32_t last = first;
    const std::uint32_t port = owner_of(static_cast<std::uint16_t>(first));
    while (last + 1 < kSlots && owner_of(static_cast<std::uint16_t>(last + 1)) == port) ++last;
    Reply node = reply_of(Reply::Kind::array);
    node.items = {reply_of(Reply::Kind::string, "127.0.0.1"),
                  reply_of(Reply::Kind::integer, {}, port)};
    Reply range = reply_of(Reply::Kind::array);
    range.items = {reply_of(Reply::Kind::integer, {}, first),
                   reply_of(Reply::Kind::integer, {}, last), std::move(node)};
    out.items.push_back(std::move(range));
    first = last + 1;
  }
  return out;
}

}  // namespace sluice::redis
