#include "pipeline/watermark_stage.h"

#include "sluice/position/shared_keys.h"

#include "pipeline/redis_loop.h"

namespace sluice::pipeline {

using std::chrono::milliseconds;

Result<std::vector<std::optional<position::AppliedRecord>>> read_applied(
    redis::Connection& redis, const std::string& instance, std::uint32_t partitions) {
  TextBuffer command;
  for (std::uint32_t n = 0; n < partitions; ++n)
    redis::append_command(command, {"GET", position::applied_key(instance, partitions, n)});
  SLUICE_TRY(redis.send(command.view()));
  std::vector<std::optional<position::AppliedRecord>> out;
  std::optional<Error> first_error;
  for (std::uint32_t n = 0; n < partitions; ++n) {
    SLUICE_TRY_ASSIGN(const redis::Reply reply, redis.receive());
    out.emplace_back();
    if (reply.kind == redis::Reply::Kind::nil) continue;
    if (reply.kind == redis::Reply::Kind::error) {
      if (!first_error) first_error = redis::error_of_reply(reply.text);
      continue;
    }
    auto record = position::parse_applied(reply.text);
    if (record.ok())
      out.back() = std::move(record).value();
    else if (!first_error)
      first_error = std::move(record).error().at(position::applied_key(instance, partitions, n));
  }
  if (first_error) return std::move(*first_error);
  return out;
}

Result<std::optional<position::Watermark>> read_watermark(redis::Connection& redis,
                                                          const std::string& instance) {
  const std::string key = position::watermark_key(instance);
  SLUICE_TRY_ASSIGN(const redis::Reply reply, redis.command({"GET", key}));
  if (reply.kind == redis::Reply::Kind::nil) return std::optional<position::Watermark>();
  if (reply.kind == redis::Reply::Kind::error) return redis::error_of_reply(reply.text);
  auto mark = position::parse_watermark(reply.text);
  if (!mark) return std::move(mark).error().at(key);
  return std::optional(std::move(mark).value());
}

std::optional<position::TickMark> lowest_tick(
    const std::vector<std::optional<position::AppliedRecord>>& records) {
  const position::TickMark* lowest = nullptr;
  for (const auto& record : records) {
    if (!record || record->tick.file.empty()) return std::nullopt;
    if (lowest == nullptr || record->tick.before(*lowest) ||
        (!lowest->before(record->tick) && record->tick.es_ms < lowest->es_ms))
      lowest = &record->tick;
  }
  return lowest != nullptr ? std::optional(*lowest) : std::nullopt;
}

Status WatermarkStage::run(const std::stop_token& st) {
  return redis_loop(connect_, milliseconds(1000), "watermark not written", st,
                    [this](redis::Connection& redis) { return update(redis); });
}

Status WatermarkStage::update(redis::Connection& redis) {
  return publishes_() ? write(redis) : read(redis);
}

Status WatermarkStage::write(redis::Connection& redis) {
  SLUICE_TRY_ASSIGN(redis::Reply reply, redis.command({"SET", position::layout_key(instance_),
                                                       position::encode(layout_)}));
  if (reply.kind == redis::Reply::Kind::error) return redis::error_of_reply(reply.text);
  SLUICE_TRY_ASSIGN(const auto records, read_applied(redis, instance_, layout_.partitions));
  auto lowest = lowest_tick(records);
  if (!lowest) return {};
  position::Watermark mark{std::move(*lowest), clock_->wall_us() / 1000};
  SLUICE_TRY_ASSIGN(
      reply, redis.command({"SET", position::watermark_key(instance_), position::encode(mark)}));
  if (reply.kind == redis::Reply::Kind::error) return redis::error_of_reply(reply.text);
  set(std::move(mark));
  return {};
}

Status WatermarkStage::read(redis::Connection& redis) {
  SLUICE_TRY_ASSIGN(auto mark, read_watermark(redis, instance_));
  if (mark) set(std::move(*mark));
  return {};
}

void WatermarkStage::set(position::Watermark mark) {
  const Lock lock(mu_);
  latest_ = std::move(mark);
}

std::optional<position::Watermark> WatermarkStage::latest() const {
  const Lock lock(mu_);
  return latest_;
}

}  // namespace sluice::pipeline
