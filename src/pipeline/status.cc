#include "pipeline/status.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace sluice::pipeline {
namespace {

constexpr double kInStepSeconds = 5.0;
constexpr std::size_t kLongestGtid = 200;  // a set of many sources would drown the line

// " name=12.3"
void add(std::string& out, std::string_view name, double value, int decimals) {
  std::array<char, 64> text{};
  const int n = std::snprintf(text.data(), text.size(), "%.*f", decimals, value);
  out += ' ';
  out += name;
  out += '=';
  if (n > 0) out.append(text.data(), std::min(static_cast<std::size_t>(n), text.size() - 1));
}
void add(std::string& out, std::string_view name, std::string_view value) {
  out += ' ';
  out += name;
  out += '=';
  out += value;
}
void add(std::string& out, std::string_view name, std::uint64_t value) {
  add(out, name, std::string_view(std::to_string(value)));
}

}  // namespace

std::string_view state_name(RunState state) noexcept {
  switch (state) {
    case RunState::starting: return "STARTING";
    case RunState::stopping: return "STOPPING";
    case RunState::rewind: return "REWIND";
    case RunState::gap: return "GAP";
    case RunState::source_lost: return "SOURCE_LOST";
    case RunState::queue_lost: return "QUEUE_LOST";
    case RunState::replicas_missing: return "REPLICAS_MISSING";
    case RunState::redis_lost: return "REDIS_LOST";
    case RunState::queue_blocked: return "QUEUE_BLOCKED";
    case RunState::disk_full: return "DISK_FULL";
    case RunState::diverged: return "DIVERGED";
    case RunState::standby: return "STANDBY";
    case RunState::catching_up: return "CATCHING_UP";
    case RunState::in_step: return "IN_STEP";
  }
  return "STARTING";
}

StatusLine::StatusLine(ops::Counters& counters, const Health& health, const Clock& clock)
    : counters_(&counters),
      health_(&health),
      clock_(&clock),
      last_(sample()),
      last_at_(clock.steady()) {}

StatusLine::Sample StatusLine::sample() const {
  return {counters_->rows_read.load(), counters_->rows_published.load(),
          counters_->rows_confirmed.load(), counters_->rows_applied.load()};
}

double StatusLine::behind_seconds(const Inputs& inputs) const {
  if (health_->source_idle.load() || inputs.outbox.read.file.empty()) return 0;
  const std::uint32_t timestamp = health_->source_timestamp.load();
  if (timestamp == 0) return 0;
  return std::max(0.0, static_cast<double>(clock_->wall_us()) / 1e6 - timestamp - 1);
}

double StatusLine::watermark_age(const position::Watermark& watermark) const {
  const std::int64_t now_ms = clock_->wall_us() / 1000;
  return std::max(0.0, static_cast<double>(now_ms - watermark.tick.es_ms) / 1e3);
}

RunState StatusLine::state(const Inputs& inputs) const {
  using Link = Health::Link;
  const Link source = health_->source.load(), queue = health_->queue.load();
  if (inputs.stopping) return RunState::stopping;
  if (health_->rewinding.load() != 0 || health_->going_back.load()) return RunState::rewind;
  if (health_->waiting_gaps.load() != 0) return RunState::gap;
  const bool applies = health_->appliers_up.load() != 0, lost = health_->appliers_lost.load() != 0;
  if (source == Link::connecting || queue == Link::connecting ||
      (inputs.applies && !applies && !lost))
    return RunState::starting;
  if (source == Link::lost) return RunState::source_lost;
  if (queue == Link::lost) return RunState::queue_lost;
  if (health_->appliers_short.load() != 0) return RunState::replicas_missing;
  if (lost) return RunState::redis_lost;
  if (health_->broker_blocked.load() || health_->ddl_refused.load() ||
      health_->letters_refused.load() || health_->refused_partitions.load() != 0 ||
      health_->letters_waiting.load())
    return RunState::queue_blocked;
  if (health_->disk_full.load()) return RunState::disk_full;
  if (inputs.dead.value_or(0) != 0) return RunState::diverged;
  if (inputs.standing_by) return RunState::standby;
  const double age = inputs.watermark ? watermark_age(*inputs.watermark) : kInStepSeconds * 2;
  const bool all_read = behind_seconds(inputs) < kInStepSeconds;
  // The ticks of a quiet source carry the time of the tick, so an idle pipeline is in step.
  if (all_read && inputs.dead && inputs.watermark && age < kInStepSeconds * 2)
    return RunState::in_step;
  return RunState::catching_up;
}

std::string StatusLine::compose(const Inputs& inputs) {
  const auto now = clock_->steady();
  const double seconds = std::max(1e-3, std::chrono::duration<double>(now - last_at_).count());
  const Sample s = sample();
  const auto rate = [seconds](std::uint64_t was, std::uint64_t is) {
    return static_cast<double>(is - was) / seconds;
  };
  std::string gtid = inputs.outbox.gtid_set;
  if (gtid.size() > kLongestGtid) gtid = gtid.substr(0, kLongestGtid) + "...";
  const auto lag = counters_->commit_to_redis.take();
  std::string out = "state=" + std::string(state_name(state(inputs)));
  const bool reads = !inputs.outbox.read.file.empty();
  if (reads)
    add(out, "source", inputs.outbox.read.to_string());
  else
    add(out, "source", std::string_view("-"));
  add(out, "gtid", gtid.empty() ? "-" : std::string_view(gtid));
  if (reads)
    add(out, "behind_s", behind_seconds(inputs), 1);
  else
    add(out, "behind_s", std::string_view("-"));
  add(out, "read_rows_s", rate(last_.read, s.read), 0);
  add(out, "published_rows_s", rate(last_.published, s.published), 0);
  add(out, "confirmed_rows_s", rate(last_.confirmed, s.confirmed), 0);
  add(out, "unconfirmed_bytes", inputs.outbox.waiting_bytes);
  if (inputs.backlog)
    add(out, "backlog_messages", *inputs.backlog);
  else
    add(out, "backlog_messages", std::string_view("?"));
  add(out, "appliers", std::uint64_t{health_->appliers_up.load()});
  add(out, "hosts", std::uint64_t{inputs.hosts});
  add(out, "applied_rows_s", rate(last_.applied, s.applied), 0);
  if (inputs.watermark && inputs.watermark->tick.es_ms == 0) {
    // No transaction since the start: the place is known, its time is not.
    const position::TickMark& tick = inputs.watermark->tick;
    add(out, "watermark", tick.file + ":" + std::to_string(tick.pos));
    add(out, "watermark_age_s", std::string_view("?"));
  } else if (inputs.watermark) {
    const position::TickMark& tick = inputs.watermark->tick;
    add(out, "watermark", tick.file + ":" + std::to_string(tick.pos));
    add(out, "watermark_age_s", watermark_age(*inputs.watermark), 1);
  } else {
    add(out, "watermark", std::string_view("-"));
    add(out, "watermark_age_s", std::string_view("?"));
  }
  if (lag.total != 0) {
    add(out, "commit_to_redis_p50_s", static_cast<double>(lag.percentile(0.5)) / 1e6, 4);
    add(out, "commit_to_redis_p99_s", static_cast<double>(lag.percentile(0.99)) / 1e6, 4);
  } else {
    add(out, "commit_to_redis_p50_s", std::string_view("-"));
    add(out, "commit_to_redis_p99_s", std::string_view("-"));
  }
  add(out, "rows_applied", s.applied);
  add(out, "gaps", counters_->gaps.load());
  add(out, "errors", counters_->errors.load());
  if (inputs.dead)
    add(out, "dead", *inputs.dead);
  else
    add(out, "dead", std::string_view("?"));
  add(out, "dead_letters", counters_->dead_letters.load());
  add(out, "ignored", counters_->ignored.load());
  add(out, "values_left_out", counters_->values_left_out.load());
  add(out, "reconnects", counters_->reconnects.load());
  add(out, "resends", counters_->publish_resends.load());
  add(out, "repeats", counters_->repeats_skipped.load());
  add(out, "overlaps", counters_->messages_overlapping.load());
  add(out, "rewinds", counters_->rewinds.load());
  add(out, "discarded", counters_->messages_discarded.load());
  last_ = s;
  last_at_ = now;
  return out;
}

}  // namespace sluice::pipeline
