#include "pipeline/invalidation_stage.h"

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <vector>

#include "sluice/mapping/mapper.h"

#include "pipeline/redis_loop.h"

namespace sluice::pipeline {
namespace {

using std::chrono::milliseconds;
constexpr std::size_t kAtOnce = 500;
constexpr std::string_view kAtOnceText = "500";
constexpr milliseconds kOftenest{20}, kRarest{1000};

Status done(redis::Connection& redis, const TextBuffer& commands, std::size_t count) {
  SLUICE_TRY(redis.send(commands.view()));
  std::vector<std::pair<std::size_t, std::string>> errors;
  SLUICE_TRY(redis.receive_checked(count, errors));
  if (!errors.empty()) return redis::error_of_reply(errors.front().second);
  return {};
}

}  // namespace

InvalidationStage::InvalidationStage(
    std::function<Result<std::unique_ptr<redis::Connection>>()> connect, const Options& options,
    std::function<bool()> publishes, const Clock& clock)
    : connect_(std::move(connect)),
      key_(mapping::invalidations_key(options.instance())),
      every_(std::clamp<milliseconds>(mapping::shortest_again_after(options).value_or(kRarest) / 4,
                                      kOftenest, kRarest)),
      publishes_(std::move(publishes)),
      clock_(&clock) {}

Status InvalidationStage::run(const std::stop_token& st) {
  return redis_loop(
      connect_, every_, "keys were not deleted once more yet", st,
      [this](redis::Connection& redis) { return publishes_() ? sweep(redis) : Status(); });
}

Status InvalidationStage::sweep(redis::Connection& redis) const {
  const std::string now = std::to_string(clock_->wall_us() / 1000);
  for (std::size_t found = kAtOnce; found == kAtOnce;) {
    SLUICE_TRY_ASSIGN(const redis::Reply due, redis.command({"ZRANGEBYSCORE", key_, "-inf", now,
                                                             "LIMIT", "0", kAtOnceText}));
    if (due.kind == redis::Reply::Kind::error) return redis::error_of_reply(due.text);
    found = due.items.size();
    if (found == 0) break;
    TextBuffer commands;
    for (const redis::Reply& entry : due.items) {
      const std::string_view text = entry.text;
      redis::append_command(commands, {"UNLINK", text.substr(text.find(' ') + 1)});
    }
    SLUICE_TRY(done(redis, commands, found));
    // Only now: on a cluster the list is on another node than the keys.
    commands.clear();
    for (const redis::Reply& entry : due.items)
      redis::append_command(commands, {"ZREM", key_, entry.text});
    SLUICE_TRY(done(redis, commands, found));
  }
  return {};
}

}  // namespace sluice::pipeline
