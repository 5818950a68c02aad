#include "pipeline/source_stage.h"

#include <chrono>

#include "sluice/base/log.h"

namespace sluice::pipeline {
namespace {

using std::chrono::steady_clock;
constexpr std::chrono::seconds kShortLived{3};
// A server kills the older dump thread of two replicas with one server_id: both see their dump end
// right after it began, in turn.
constexpr std::uint32_t kTakeovers = 5;

}  // namespace

Status SourceStage::run(const std::stop_token& st) {
  while (!st.stop_requested()) {
    const auto began = steady_clock::now();
    dumping_ = false;
    Status s = session(st);
    if (st.stop_requested()) break;
    health_->source = Health::Link::lost;
    health_->source_idle = false;
    outbox_->set_idle(false);
    if (s.ok() || s.error().cls == ErrorClass::stopped) break;
    if (s.error().cls != ErrorClass::retry) return s;
    if (dumping_ && steady_clock::now() - began < kShortLived) {
      if (++short_lived_ >= kTakeovers)
        return fatal(
            Errc::mysql_server_id_taken,
            "the source ended our dump " + std::to_string(short_lived_) +
                " times in a row right after it began (" + s.error().what +
                "): most likely another replica uses our server_id. SHOW SLAVE HOSTS (SHOW "
                "REPLICAS) lists them; give one of the two another source.server_id");
    } else if (dumping_) {
      short_lived_ = 0;
    }
    const auto pause = backoff_.next();
    if (backoff_.attempts() == 1 || short_lived_ == 2)
      log::get("mysql").warn("source lost, reconnecting wait_ms={} position={} error=\"{}\"",
                             pause.count(), assembler_->resume().to_string(), to_string(s.error()));
    counters_->reconnects.fetch_add(1, std::memory_order_relaxed);
    if (!wait_for(pause, st)) break;
  }
  return stopped();
}

Status SourceStage::session(const std::stop_token& st) {
  if (was_up_) SLUICE_TRY(deps_.check_identity());
  const BinlogPosition from = assembler_->resume();
  auto opened = deps_.open(from);
  if (!opened) return std::move(opened).error();
  const std::unique_ptr<binlog::EventSource> source = std::move(opened).value();
  const std::stop_callback end(st, [&source] { source->interrupt(); });
  assembler_->start(from, assembler_->resume_file());
  binlog::EventFramer framer(source->announced_checksum(), true);
  SLUICE_TRY(feed(*source, framer));
  was_up_ = dumping_ = true;
  health_->source = Health::Link::up;
  if (backoff_.attempts() != 0)
    log::get("mysql").info("source connected again position={}", from.to_string());
  const auto began = steady_clock::now();
  bool settled = false;
  while (!st.stop_requested()) {
    if (!settled && steady_clock::now() - began > kShortLived) {
      settled = true;
      backoff_.reset();
      short_lived_ = 0;
    }
    SLUICE_TRY(feed(*source, framer));
  }
  return stopped();
}

Status SourceStage::feed(binlog::EventSource& source, binlog::EventFramer& framer) {
  // Nothing to read and no transaction open: what the source has is here.
  const bool idle = assembler_->idle() && !source.ready();
  if (idle != health_->source_idle.load(std::memory_order_relaxed)) {
    health_->source_idle.store(idle, std::memory_order_relaxed);
    outbox_->set_idle(idle);
  }
  SLUICE_TRY_ASSIGN(const Bytes bytes, source.next());
  binlog::EventView event;
  SLUICE_TRY(framer.frame(bytes, event));
  SLUICE_TRY(assembler_->feed(event, framer.format()));
  health_->source_timestamp.store(assembler_->last_timestamp(), std::memory_order_relaxed);
  return {};
}

}  // namespace sluice::pipeline
