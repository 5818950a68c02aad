#pragma once
// A Redis in memory that understands what the applier says.
#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "sluice/redis/connection.h"

#include "unit/pipeline/fakes.h"

namespace sluice::pipeline::testing {

// The server; outlives its connections.
struct FakeRedis {
  struct Value {
    bool is_hash = false;
    std::string text;
    std::map<std::string, std::string> fields;
  };
  std::map<std::string, Value> keys;
  std::map<std::string, std::uint64_t> versions;  // per key, grows with each write
  std::vector<std::string> written;               // keys of HSET, in the order they were done
  // What is to go wrong; each counts EXECs (or commands) down and happens at 1.
  int lose_before_exec = 0, lose_after_exec = 0, lose_before_wait = 0;
  int abort_execs = 0;  // so many EXECs find their key changed by somebody else
  int oom = 0;          // so many HSETs are refused when they are queued
  // Until then what it is sent waits, for as long as the connection does.
  FakeClock* clock = nullptr;
  std::chrono::steady_clock::time_point paused_until{};
  int opened = 0, execs = 0;
  // Of the WAITs: how many replicas have all, and for whom it is too few wait as long as they ask.
  int replicas = 0, waits = 0;
  std::function<void()> on_wait;

  void put(const std::string& key, std::string text) {
    keys[key] = {false, std::move(text), {}};
    ++versions[key];
  }
  const std::string& text(const std::string& key) { return keys[key].text; }
};

class FakeRedisConnection final : public redis::Connection {
 public:
  explicit FakeRedisConnection(FakeRedis& server) : server_(&server) { ++server.opened; }

  void set_wait(Duration limit, std::function<Status()> serve) override {
    limit_ = limit;
    serve_ = std::move(serve);
  }
  Status send(std::string_view bytes) override {
    if (lost_) return lost();
    for (Duration waited{0}; server_->clock && server_->clock->steady() < server_->paused_until;
         waited += std::chrono::seconds(1)) {
      if (waited >= limit_) {
        lost_ = true;
        return lost();
      }
      server_->clock->go(std::chrono::seconds(1));
      if (serve_) SLUICE_TRY(serve_());
    }
    while (!bytes.empty() && !lost_) run(next_command(bytes));
    return {};
  }
  Result<redis::Reply> receive() override {
    if (replies_.empty()) {
      EXPECT_TRUE(lost_) << "a reply is waited for that nobody will send";
      return lost();
    }
    redis::Reply r = std::move(replies_.front());
    replies_.pop_front();
    return r;
  }
  Status receive_checked(std::size_t count,
                         std::vector<std::pair<std::size_t, std::string>>& errors) override {
    for (std::size_t i = 0; i < count; ++i) {
      SLUICE_TRY_ASSIGN(const redis::Reply r, receive());
      if (r.kind == Kind::error) errors.emplace_back(i, r.text);
    }
    return {};
  }
  Result<redis::ExecResult> receive_exec() override {
    SLUICE_TRY_ASSIGN(const redis::Reply r, receive());
    redis::ExecResult out;
    if (r.kind == Kind::nil) {
      out.aborted = true;
    } else if (r.kind == Kind::error) {
      out.refused = r.text;
    } else {
      EXPECT_EQ(r.kind, Kind::array) << "not the reply of EXEC";
      out.count = r.items.size();
      for (std::size_t i = 0; i < r.items.size(); ++i)
        if (r.items[i].kind == Kind::error) out.errors.emplace_back(i, r.items[i].text);
    }
    return out;
  }

 private:
  using Kind = redis::Reply::Kind;
  using Words = std::vector<std::string>;

  static Error lost() { return retry(Errc::redis_lost, "the fake hung up"); }
  static redis::Reply reply(Kind kind, std::string text = {}, std::int64_t integer = 0) {
    redis::Reply r;
    r.kind = kind;
    r.text = std::move(text);
    r.integer = integer;
    return r;
  }
  static std::size_t number(std::string_view& in) {
    in.remove_prefix(1);
    const std::size_t end = in.find("\r\n");
    const auto n = std::stoul(std::string(in.substr(0, end)));
    in.remove_prefix(end + 2);
    return n;
  }
  static Words next_command(std::string_view& in) {
    Words words;
    for (std::size_t n = number(in); n > 0; --n) {
      const std::size_t size = number(in);
      words.emplace_back(in.substr(0, size));
      in.remove_prefix(size + 2);
    }
    return words;
  }

  void run(const Words& w) {
    const std::string& verb = w.front();
    if (verb == "WATCH") {
      EXPECT_FALSE(queued_) << "WATCH inside MULTI";
      watched_.emplace(w[1], server_->versions[w[1]]);
      replies_.push_back(reply(Kind::status, "OK"));
    } else if (verb == "UNWATCH") {
      watched_.clear();
      replies_.push_back(reply(Kind::status, "OK"));
    } else if (verb == "MULTI") {
      EXPECT_FALSE(queued_);
      queued_.emplace();
      dirty_ = false;
      replies_.push_back(reply(Kind::status, "OK"));
    } else if (verb == "EXEC") {
      exec();
    } else if (verb == "WAIT") {
      EXPECT_FALSE(queued_) << "WAIT inside MULTI does not wait";
      ++server_->waits;
      if (server_->on_wait) server_->on_wait();
      if (server_->lose_before_wait > 0 && --server_->lose_before_wait == 0) return hang_up();
      if (server_->replicas < std::stoi(w[1]))
        server_->clock->go(std::chrono::milliseconds(std::stoi(w[2])));
      replies_.push_back(reply(Kind::integer, {}, server_->replicas));
    } else if (queued_) {
      if (verb == "HSET" && server_->oom > 0) {
        --server_->oom;
        dirty_ = true;
        replies_.push_back(
            reply(Kind::error, "OOM command not allowed when used memory > 'maxmemory'."));
        return;
      }
      queued_->push_back(w);
      replies_.push_back(reply(Kind::status, "QUEUED"));
    } else {
      replies_.push_back(done(w));
    }
  }

  void exec() {
    ASSERT_TRUE(queued_) << "EXEC without MULTI";
    ++server_->execs;
    if (server_->lose_before_exec > 0 && --server_->lose_before_exec == 0) return hang_up();
    const std::vector<Words> commands = std::move(*queued_);
    queued_.reset();
    const auto watched = std::move(watched_);
    watched_.clear();
    if (dirty_) {
      replies_.push_back(
          reply(Kind::error, "EXECABORT Transaction discarded because of previous errors."));
      return;
    }
    bool changed = false;
    if (server_->abort_execs > 0) {
      --server_->abort_execs;
      changed = true;
    }
    for (const auto& [key, version] : watched)
      changed = changed || server_->versions[key] != version;
    if (changed) {
      replies_.push_back(reply(Kind::nil));
      return;
    }
    redis::Reply all = reply(Kind::array);
    for (const Words& w : commands) all.items.push_back(done(w));
    if (server_->lose_after_exec > 0 && --server_->lose_after_exec == 0) return hang_up();
    replies_.push_back(std::move(all));
  }

  redis::Reply done(const Words& w) {
    const std::string& verb = w.front();
    const auto it = server_->keys.find(w[1]);
    const bool there = it != server_->keys.end();
    const auto wrong_type = [] {
      return reply(Kind::error,
                   "WRONGTYPE Operation against a key holding the wrong kind of value");
    };
    if (verb == "GET") {
      if (!there) return reply(Kind::nil);
      return it->second.is_hash ? wrong_type() : reply(Kind::string, it->second.text);
    }
    if (verb == "HGET") {
      if (!there) return reply(Kind::nil);
      if (!it->second.is_hash) return wrong_type();
      const auto field = it->second.fields.find(w[2]);
      return field == it->second.fields.end() ? reply(Kind::nil)
                                              : reply(Kind::string, field->second);
    }
    if (verb == "TYPE")
      return reply(Kind::status, !there ? "none" : it->second.is_hash ? "hash" : "string");
    if (verb == "SET") {
      server_->put(w[1], w[2]);
      return reply(Kind::status, "OK");
    }
    if (verb == "HSET") {
      if (there && !it->second.is_hash) return wrong_type();
      auto& value = server_->keys[w[1]];
      value.is_hash = true;
      for (std::size_t i = 2; i + 1 < w.size(); i += 2) value.fields[w[i]] = w[i + 1];
      ++server_->versions[w[1]];
      server_->written.push_back(w[1]);
      return reply(Kind::integer, {}, 1);
    }
    if (verb == "HDEL") {
      if (there && !it->second.is_hash) return wrong_type();
      for (std::size_t i = 2; there && i < w.size(); ++i) it->second.fields.erase(w[i]);
      ++server_->versions[w[1]];
      return reply(Kind::integer, {}, 1);
    }
    if (verb == "HINCRBY") {
      if (there && !it->second.is_hash) return wrong_type();
      auto& value = server_->keys[w[1]];
      value.is_hash = true;
      std::string& field = value.fields[w[2]];
      if (field.find_first_not_of("-0123456789") != std::string::npos)
        return reply(Kind::error, "ERR hash value is not an integer");
      std::int64_t sum = 0;
      if (__builtin_add_overflow(field.empty() ? 0 : std::stoll(field), std::stoll(w[3]), &sum))
        return reply(Kind::error, "ERR increment or decrement would overflow");
      field = std::to_string(sum);
      ++server_->versions[w[1]];
      return reply(Kind::integer, {}, sum);
    }
    if (verb == "UNLINK") {
      server_->keys.erase(w[1]);
      ++server_->versions[w[1]];
      return reply(Kind::integer, {}, there ? 1 : 0);
    }
    ADD_FAILURE() << "the fake does not know " << verb;
    return reply(Kind::error, "ERR unknown command");
  }

  void hang_up() {
    lost_ = true;  // what was answered before still arrives
  }

  FakeRedis* server_;
  Duration limit_{30000};
  std::function<Status()> serve_;
  bool lost_ = false, dirty_ = false;
  std::deque<redis::Reply> replies_;
  std::optional<std::vector<Words>> queued_;
  std::map<std::string, std::uint64_t> watched_;
};

}  // namespace sluice::pipeline::testing
