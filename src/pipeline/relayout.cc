#include "pipeline/relayout.h"

#include <charconv>
#include <string>
#include <system_error>

#include "sluice/base/backoff.h"
#include "sluice/base/clock.h"
#include "sluice/base/files.h"
#include "sluice/base/log.h"
#include "sluice/pipeline/commands.h"
#include "sluice/position/applied_record.h"
#include "sluice/position/shared_keys.h"
#include "sluice/queue/consumer.h"

#include "pipeline/replicas.h"
#include "pipeline/start.h"
#include "pipeline/watermark_stage.h"

namespace sluice::pipeline {
namespace {

using std::chrono::milliseconds;

// The messages that are left hold nothing that Redis does not have.  What is looked at goes back to
// the queues.
Status only_repeats(queue::Consumer& consumer, const std::vector<std::uint32_t>& partitions,
                    const std::vector<std::optional<position::AppliedRecord>>& records) {
  constexpr milliseconds kQuiet{500};
  Wakeup nobody;
  for (const std::uint32_t n : partitions) SLUICE_TRY(consumer.start(n));
  for (;;) {
    SLUICE_TRY_ASSIGN(const auto delivery, consumer.next(kQuiet, nobody));
    if (!delivery) break;
    if (delivery->unreadable) return *delivery->unreadable;
    if (delivery->headers.rows == 0) continue;
    const std::string partition = "partition " + std::to_string(delivery->partition);
    const auto& record = records[delivery->partition];
    if (!record || delivery->headers.last > record->id)
      return fatal(Errc::position_mismatch, partition + " still holds rows that are not in Redis");
    // Who had it has not finished: a dead letter of it may be missing.
    if (delivery->redelivered)
      return fatal(Errc::position_mismatch,
                   partition +
                       " still holds a message that was given back: run until it is taken, "
                       "then again");
  }
  for (const std::uint32_t n : partitions) SLUICE_TRY(consumer.stop(n));
  return {};
}

Status all_applied(const Options& options, const position::State& state, queue::Admin& admin,
                   const std::vector<std::optional<position::AppliedRecord>>& records) {
  const queue::Names names{options.instance(), state.layout.partitions};
  std::vector<std::uint32_t> there;
  for (std::uint32_t n = 0; n < names.partitions; ++n) {
    const EventId applied = records[n] ? records[n]->id : EventId{};
    if (applied != state.last[n])
      return fatal(
          Errc::position_mismatch,
          "partition " + std::to_string(n) + ": sent up to " + state.last[n].to_string() +
              ", applied up to " + applied.to_string() +
              ": run with the old settings until both are equal, stop it with SIGTERM, then again");
    SLUICE_TRY_ASSIGN(const auto info, admin.inspect(names.partition(n)));
    if (info) there.push_back(n);
  }
  // What an applier gave back a moment ago may not be counted yet, so all are listened to.
  SLUICE_TRY_ASSIGN(const auto consumer, queue::Consumer::connect(options.queue, names));
  SLUICE_TRY(only_repeats(*consumer, there, records));
  if (state.overlap_pending || !state.overlap.empty())
    return fatal(Errc::position_mismatch,
                 "rows that were sent before the failover have not all been met again: run until "
                 "more transactions have come, then again");
  return {};
}

// The records say which rules they were written under.
Status relabel(const Options& options, const position::Layout& is, redis::Connection& redis,
               const std::vector<std::optional<position::AppliedRecord>>& records) {
  TextBuffer text;
  for (std::uint32_t n = 0; n < records.size(); ++n) {
    if (!records[n]) continue;
    position::AppliedRecord record = *records[n];
    record.layout = is.fingerprint;
    text.clear();
    position::append(text, record);
    const std::string key = position::applied_key(options.instance(), is.partitions, n);
    SLUICE_TRY_ASSIGN(const redis::Reply reply, redis.command({"SET", key, text.view()}));
    if (reply.kind == redis::Reply::Kind::error) return redis::error_of_reply(reply.text);
  }
  // Who follows would go by the old rules; the publisher writes it anew.
  SLUICE_TRY_ASSIGN(const redis::Reply reply,
                    redis.command({"DEL", position::layout_key(options.instance())}));
  if (reply.kind == redis::Reply::Kind::error) return redis::error_of_reply(reply.text);
  return {};
}

Status remove_layout(const Options& options, std::uint32_t partitions, queue::Admin& admin,
                     redis::Connection& redis) {
  const queue::Names names{options.instance(), partitions};
  const bool ours = options.queue.type() != QueueOptions::Type::existing;
  for (std::uint32_t n = 0; n < partitions; ++n) {
    if (ours) SLUICE_TRY(admin.remove_queue(names.partition(n)));
    const std::string key = position::applied_key(options.instance(), partitions, n);
    SLUICE_TRY_ASSIGN(const redis::Reply reply, redis.command({"DEL", key}));
    if (reply.kind == redis::Reply::Kind::error) return redis::error_of_reply(reply.text);
  }
  return {};
}

}  // namespace

std::filesystem::path RepartitionRequest::file(const Options& options) {
  return std::filesystem::path(options.state_dir()) / "repartition";
}

Result<std::optional<RepartitionRequest>> RepartitionRequest::read(const Options& options) {
  std::error_code missing;
  if (!std::filesystem::exists(file(options), missing)) return std::optional<RepartitionRequest>();
  SLUICE_TRY_ASSIGN(const std::string text, read_file(file(options)));
  RepartitionRequest out;
  const char* const end = text.data() + text.size();
  const auto [first, error] = std::from_chars(text.data(), end, out.partitions);
  bool good = error == std::errc() && out.partitions != 0 && first != end && *first == ' ';
  if (good) {
    const auto [second, bad] = std::from_chars(first + 1, end, out.leftover);
    good = bad == std::errc() && std::string_view(second, end) == "\n";
  }
  if (!good)
    return fatal(Errc::usage, file(options).string() +
                                  " is not what `sluice repartition` writes: remove it, then ask "
                                  "again");
  return std::optional(out);
}

Status RepartitionRequest::write(const Options& options) const {
  return write_file_durably(file(options),
                            std::to_string(partitions) + " " + std::to_string(leftover) + "\n");
}

Status RepartitionRequest::remove(const Options& options) {
  std::error_code error;
  std::filesystem::remove(file(options), error);
  if (error) return io_error("remove", file(options), error.value());
  return sync_folder(options.state_dir());
}

Result<position::Layout> relayout(const Options& options, StateHold& hold,
                                  const position::Layout& is) {
  SLUICE_TRY_ASSIGN(auto state, hold.take());
  if (!state) return fatal(Errc::position_missing, "no state file in " + options.state_dir());
  position::Layout was = state->layout;
  if (was == is) return was;
  SLUICE_TRY_ASSIGN(const auto redis, redis::Connection::open(options.redis));
  SLUICE_TRY_ASSIGN(const auto admin, queue::Admin::connect(options.queue));
  SLUICE_TRY_ASSIGN(const auto records, read_applied(*redis, options.instance(), was.partitions));
  SLUICE_TRY(require_replicas(options, *redis));
  SLUICE_TRY(all_applied(options, *state, *admin, records));
  state->layout = is;
  state->updated_at_us = system_clock().wall_us();
  if (was.partitions == is.partitions) {
    // The chain goes on in the same queues; records first, so that a crash here leaves a start that
    // is refused.
    SLUICE_TRY(relabel(options, is, *redis, records));
    SLUICE_TRY(hold.save(*state));
    return was;
  }
  // Queues that are not ours to declare must be there.
  if (options.queue.type() == QueueOptions::Type::existing)
    SLUICE_TRY(
        admin->declare({options.instance(), is.partitions, options.queue.publish_ddl()}, {}));
  state->last.assign(is.partitions, EventId{});
  const RepartitionRequest request{is.partitions, was.partitions};
  SLUICE_TRY(request.write(options));
  SLUICE_TRY(hold.save(*state));
  // The new number counts from here on, whatever becomes of the old queues.
  if (Status s = remove_layout(options, was.partitions, *admin, *redis); !s.ok()) {
    if (s.error().cls != ErrorClass::retry) return s.error();
    log::get("app").warn("the old queues and records are removed at the next start error=\"{}\"",
                         to_string(s.error()));
    return was;
  }
  SLUICE_TRY(RepartitionRequest::remove(options));
  return was;
}

Status finish_repartition(const Options& options, queue::Admin& admin, redis::Connection& redis) {
  SLUICE_TRY_ASSIGN(const auto request, RepartitionRequest::read(options));
  if (!request || request->partitions != options.queue.partitions()) return {};
  if (request->leftover != 0 && request->leftover != request->partitions)
    SLUICE_TRY(remove_layout(options, request->leftover, admin, redis));
  return RepartitionRequest::remove(options);
}

std::optional<std::uint32_t> take_saved_partitions(Options& options) {
  const auto state = position::Store::peek(options.state_dir());
  if (!state || !*state || (*state)->instance != options.instance()) return std::nullopt;
  const std::uint32_t was = options.queue.partitions(), is = (*state)->layout.partitions;
  if (was == is) return std::nullopt;
  options.queue.partitions.set(is);
  return was;
}

Status position_relayout(const Options& options, std::ostream& out) {
  const position::Layout is = layout_of(options);
  SLUICE_TRY_ASSIGN(auto hold, StateHold::open(options));
  SLUICE_TRY(hold.refuse_running());
  SLUICE_TRY_ASSIGN(const position::Layout was, relayout(options, hold, is));
  if (was == is)
    out << "nothing to do: the layout is the saved one\n";
  else
    out << "layout     " << was.fingerprint << " -> " << is.fingerprint << "\n";
  return {};
}

Status repartition(const Options& options, std::uint32_t partitions, milliseconds timeout,
                   std::ostream& out) {
  constexpr milliseconds kLookEvery{100};
  const std::uint32_t was = options.queue.partitions();
  if (was == partitions) {
    out << "nothing to do: there are " << was << " partitions\n";
    return {};
  }
  const auto say = [&out, was, partitions] {
    out << "partitions " << was << " -> " << partitions << "\n";
    return Status();
  };
  if (auto hold = StateHold::open(options)) {
    SLUICE_TRY(hold->refuse_running());
    SLUICE_TRY(relayout(options, *hold, {partitions, layout_of(options).fingerprint}));
    return say();
  } else if (hold.error().code != Errc::position_locked) {
    return hold.error();
  }
  // A daemon has the folder.
  SLUICE_TRY(RepartitionRequest({partitions, 0}).write(options));
  out << "asked the daemon\n" << std::flush;
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  for (;;) {
    SLUICE_TRY_ASSIGN(const auto state, position::Store::peek(options.state_dir()));
    SLUICE_TRY_ASSIGN(const auto request, RepartitionRequest::read(options));
    if (!request && state && state->layout.partitions == partitions) return say();
    if (!request)
      return fatal(Errc::position_mismatch,
                   "the daemon did not take it: its log says why, or another number was asked for");
    if (std::chrono::steady_clock::now() >= deadline)
      return fatal(Errc::pipeline_timeout,
                   "not done yet: the daemon does it once Redis has all that was sent (`sluice "
                   "position show`)");
    wait_for(kLookEvery, {});
  }
}

}  // namespace sluice::pipeline
