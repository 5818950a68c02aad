#include "pipeline/members.h"

#include <algorithm>
#include <charconv>
#include <random>

#include <unistd.h>

#include "sluice/base/hash.h"
#include "sluice/base/host.h"
#include "sluice/position/shared_keys.h"

namespace sluice::pipeline {
namespace {

// TIME answers seconds and microseconds, as texts.
Result<std::int64_t> milliseconds_of(const redis::Reply& time) {
  if (time.kind == redis::Reply::Kind::error) return redis::error_of_reply(time.text);
  std::int64_t seconds = 0, micros = 0;
  const auto read = [](const redis::Reply& item, std::int64_t& out) {
    const char* const end = item.text.data() + item.text.size();
    const auto [stop, error] = std::from_chars(item.text.data(), end, out);
    return error == std::errc() && stop == end;
  };
  if (time.items.size() != 2 || !read(time.items[0], seconds) || !read(time.items[1], micros))
    return retry(Errc::redis_lost, "TIME was not answered with two numbers");
  return seconds * 1000 + micros / 1000;
}

}  // namespace

// Highest random weight, with room for no more than an even share.
std::vector<bool> share_of(const std::string& id, const std::vector<std::string>& ids,
                           std::uint32_t partitions) {
  std::vector<bool> out(partitions, false);
  if (ids.empty()) return out;
  const auto count = static_cast<std::uint32_t>(ids.size());
  std::uint32_t larger = partitions % count;  // so many get one more
  std::vector<std::uint32_t> has(count, 0);
  for (std::uint32_t n = 0; n < partitions; ++n) {
    std::uint32_t best = count;
    std::uint64_t best_weight = 0;
    for (std::uint32_t m = 0; m < count; ++m) {
      const std::uint32_t room = partitions / count + (larger != 0 ? 1 : 0);
      if (has[m] >= room) continue;
      const std::uint64_t weight = xxh64(ids[m], n);
      if (best != count && weight < best_weight) continue;
      best = m;
      best_weight = weight;
    }
    if (++has[best] > partitions / count) --larger;
    if (ids[best] == id) out[n] = true;
  }
  return out;
}

Result<Members::View> Members::beat(redis::Connection& redis) {
  SLUICE_TRY_ASSIGN(const redis::Reply time, redis.command({"TIME"}));
  SLUICE_TRY_ASSIGN(const std::int64_t now, milliseconds_of(time));
  const std::int64_t dead =
      now - std::chrono::duration_cast<std::chrono::milliseconds>(kLife).count();
  const std::string key = position::members_key(instance_);
  TextBuffer commands;
  redis::append_command(commands, {"ZADD", key, std::to_string(now), id_});
  redis::append_command(commands, {"ZREMRANGEBYSCORE", key, "-inf", std::to_string(dead)});
  redis::append_command(commands, {"ZRANGE", key, "0", "-1"});
  redis::append_command(commands, {"GET", position::layout_key(instance_)});
  SLUICE_TRY(redis.send(commands.view()));
  SLUICE_TRY_ASSIGN(const redis::Reply added, redis.receive());
  SLUICE_TRY_ASSIGN(const redis::Reply removed, redis.receive());
  SLUICE_TRY_ASSIGN(redis::Reply listed, redis.receive());
  SLUICE_TRY_ASSIGN(const redis::Reply layout, redis.receive());
  for (const redis::Reply* reply : {&added, &removed, &std::as_const(listed)})
    if (reply->kind == redis::Reply::Kind::error) return redis::error_of_reply(reply->text);
  View out;
  for (redis::Reply& member : listed.items) out.ids.push_back(std::move(member.text));
  std::sort(out.ids.begin(), out.ids.end());
  SLUICE_TRY_ASSIGN(out.layout, layout_of_reply(layout, instance_));
  return out;
}

Status Members::leave(redis::Connection& redis) {
  SLUICE_TRY_ASSIGN(const redis::Reply reply,
                    redis.command({"ZREM", position::members_key(instance_), id_}));
  if (reply.kind == redis::Reply::Kind::error) return redis::error_of_reply(reply.text);
  return {};
}

Result<std::optional<position::Layout>> layout_of_reply(const redis::Reply& reply,
                                                        std::string_view instance) {
  if (reply.kind == redis::Reply::Kind::error) return redis::error_of_reply(reply.text);
  if (reply.kind != redis::Reply::Kind::string) return std::optional<position::Layout>();
  auto layout = position::parse_layout(reply.text);
  if (!layout) return std::move(layout).error().at(position::layout_key(instance));
  return std::optional(std::move(layout).value());
}

std::string member_id() {
  return host_name() + ":" + std::to_string(::getpid()) + ":" +
         std::to_string(std::random_device{}());
}

}  // namespace sluice::pipeline
