#pragma once
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "sluice/base/backoff.h"
#include "sluice/base/clock.h"
#include "sluice/base/text_buffer.h"
#include "sluice/base/wakeup.h"
#include "sluice/event/line_reader.h"
#include "sluice/mapping/mapper.h"
#include "sluice/ops/counters.h"
#include "sluice/position/applied_record.h"
#include "sluice/queue/consumer.h"
#include "sluice/redis/connection.h"
#include "sluice/redis/replica_wait.h"

#include "pipeline/applier_step.h"
#include "pipeline/control.h"
#include "pipeline/health.h"
#include "pipeline/refused.h"
#include "pipeline/shares.h"
#include "pipeline/unsettled.h"

namespace sluice::pipeline {

struct ApplierSettings {
  std::string instance;
  std::uint32_t partitions = 16;
  std::string layout;          // fingerprint
  std::uint32_t thread = 0;    // its number among those that share the partitions
  bool binary_base64 = false;  // how the lines carry bytes
  std::chrono::milliseconds gap_patience{10000};
  bool rewind = true;  // what is behind a gap is asked for again; else it ends the process
  std::chrono::milliseconds reconnect_max{10000};
  // Messages are not held longer without an answer: below the broker's consumer_timeout.
  std::chrono::milliseconds stall_after{60000};
  OnRefused on_refused = OnRefused::dead_letter;
  redis::ReplicaWait wait;
  bool cluster = false;              // Redis is one
  const Options* options = nullptr;  // what rows become; outlives the applier
};

// One applier thread: consumes its share of the partitions and applies each message in one step
// (ApplierStep) together with the applied record, so that a repeat changes nothing; checks that
// each message follows the one before.  Acks only after Redis has answered and as many replicas
// have the rows as are asked for, and after dead letters of what it refused are confirmed.
class Applier {
 public:
  struct Dependencies {
    std::function<Result<std::unique_ptr<queue::Consumer>>()> consumer;
    std::function<Result<std::unique_ptr<redis::Connection>>()> redis;
    Refusals::Dependencies refusals;
    // Returns when the control queue has it, confirmed.  Errors: those of send_request.
    std::function<Status(const RewindRequest&, const std::stop_token&)> ask;
  };
  // What it is to serve, and lets go of when another is to, stands in `shares`; `unsettled` is that
  // of all who share.
  Applier(ApplierSettings settings, Dependencies dependencies, Shares& shares, Unsettled& unsettled,
          ops::Counters& counters, Health& health, const Clock& clock);

  // Until `st` is stopped or its share is over for good (stopped), or an error that must end the
  // process.
  Status run(const std::stop_token& st);
  // Ends a wait for messages; thread-safe.
  void wake() { wakeup_.notify(); }
  // Ends a wait for Redis in the middle of a step, or for the broker to take dead letters, after a
  // stop that took too long; thread-safe.
  // The step may have been done or not: its message comes again.
  void abort() {
    abort_.request_stop();
    wake();
  }

 private:
  struct Partition {
    std::uint32_t number = 0;
    std::string key;                 // of the applied record
    std::string seen;                // the record's text as last written or read, while fresh
    position::AppliedRecord record;  // parsed from `seen`
    bool known = false;              // `record` was read from Redis on this connection
    // A hole in the chain: consumption pauses and is looked at anew until patience ends.
    bool gap = false;
    std::chrono::steady_clock::time_point gap_since{}, retry_at{};
    // What is behind this id was asked for again; until it comes, what lies beyond it is discarded.
    std::optional<EventId> asked;
    std::chrono::steady_clock::time_point ask_again{};
    std::chrono::milliseconds ask_pause{};
    std::uint64_t discarded = 0;
  };
  enum class Verdict : std::uint8_t { apply, repeat, gap };

  // `lost`: it counts as lost until the session stands.
  Status session(const std::stop_token& st, bool& lost);
  // For waits in the middle of a message.
  Status serve_broker() { return consumer_ ? consumer_->serve() : Status(); }
  // Whether Redis takes writes, before messages are asked for again.
  Status probe_redis();
  void say_lost(std::chrono::milliseconds pause, const Error& error);
  // Lets go of partitions and takes others, as `shares` has it.
  Status follow_shares();
  Status let_go(std::uint32_t number);
  void let_go_of_all();
  Status start_partitions();
  Result<std::optional<queue::Delivery>> next_delivery();
  // Applies one delivery; true when it is done with (acked, or given back because of a gap).
  Status process(queue::Delivery& delivery);
  Status fence(Partition& p);
  Status drop_fence();
  Status take_record(Partition& p, const redis::Reply& reply);
  Verdict judge(const Partition& p, const MessageHeaders& headers) const;
  Status build(Partition& p, const queue::Delivery& delivery, position::AppliedRecord& next);
  Status step_over_unreadable(const MessageHeaders& headers, Error error,
                              position::AppliedRecord& next);
  Status on_gap(Partition& p, const queue::Delivery& delivery);
  Status look_again(Partition& p);
  Status ask(Partition& p, const MessageHeaders& headers);
  Status discard(Partition& p, const queue::Delivery& delivery);
  Error lost_data(const Partition& p, const MessageHeaders& headers);
  // The chain fits, or somebody else looks after the partition.
  void forget_gap(Partition& p);
  Status on_unreadable(Partition& p, const queue::Delivery& delivery);
  Status on_errors(Partition& p, const queue::Delivery& delivery, const ApplierStep::Output& step);
  void say_written_late(const EventId& was, const Partition& p) const;
  void count(const queue::Delivery& delivery);
  static std::string describe(const MessageHeaders& headers);
  Status finish(Partition& p, const queue::Delivery& delivery);
  // Until others have what was written (redis.wait_replicas), for at most stall_after.
  Status await(redis::Reached reached);
  Status await_written();
  Status await_repeat();
  Status probe_replicas();
  void say_short(const redis::Reached& reached);
  void end_short();
  Status recall(const Partition& p, const queue::Delivery& delivery);
  Status probe(const Partition& p, const queue::Delivery& delivery);
  Status probe_keys(const Partition& p, const queue::Delivery& delivery,
                    const std::vector<EventId>& ids);
  Status take_back(const Partition& p);
  Partition& partition(std::uint32_t number);

  const ApplierSettings settings_;
  Dependencies deps_;
  Shares* shares_;
  Unsettled* unsettled_;
  std::uint64_t shares_seen_ = 0;  // their version
  ops::Counters* counters_;
  Health* health_;
  const Clock* clock_;
  Backoff backoff_;
  std::chrono::steady_clock::time_point lost_at_{};  // while backoff_ has attempts
  // Since when fewer replicas have the rows than are asked for.
  std::optional<std::chrono::steady_clock::time_point> short_since_;
  bool gave_up_on_replicas_ = false;  // that ended the session
  Wakeup wakeup_;
  std::stop_source abort_;
  std::stop_token stop_;  // of run()

  std::unique_ptr<queue::Consumer> consumer_;
  std::unique_ptr<redis::Connection> redis_;
  std::optional<RecordGuard> guard_;   // on it
  std::unique_ptr<ApplierStep> step_;  // on both
  std::chrono::steady_clock::time_point fenced_at_{};
  std::vector<Partition> partitions_;
  std::deque<queue::Delivery>
      fetched_;  // at most one: looked at ahead, so that its fence rides along
  std::optional<std::uint32_t>
      fenced_;  // partition whose WATCH and GET were sent with the step before
  mapping::Mapper mapper_;
  event::LineReader reader_;
  TextBuffer commands_, record_text_;
  mapping::CommandCounts counts_;
  std::uint64_t rows_in_step_ = 0;
  std::vector<mapping::TouchedKey> keys_;
  // Of the message at hand.
  Refusals refusals_;
  std::vector<Refusal> refused_;
  std::optional<Error> unreadable_;
};

}  // namespace sluice::pipeline
