#pragma once
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string_view>
#include <thread>
#include <vector>

#include "sluice/config/options.h"
#include "sluice/mysql/hosts.h"
#include "sluice/mysql/source_schemas.h"
#include "sluice/ops/counters.h"
#include "sluice/position/state_file.h"
#include "sluice/schema/catalog.h"

#include "pipeline/assembler.h"
#include "pipeline/checkpoint.h"
#include "pipeline/control.h"
#include "pipeline/failure.h"
#include "pipeline/full_disk.h"
#include "pipeline/health.h"
#include "pipeline/held_xa.h"
#include "pipeline/mirror_stage.h"
#include "pipeline/outbox.h"
#include "pipeline/publish_stage.h"
#include "pipeline/source_stage.h"
#include "pipeline/start.h"
#include "pipeline/state_hold.h"
#include "pipeline/table_filter.h"

namespace sluice::pipeline {

// From the source to the queues, and the position: what the one process of an instance does that
// leads.  Belongs to one thread, which calls prepare(), then start(), then the others.
class PublisherSide {
 public:
  struct Surroundings {
    Wakeup* wakeup = nullptr;  // of the thread that this belongs to
    FailureBox* failures = nullptr;
    redis::Servers* redis = nullptr;
    ops::Counters* counters = nullptr;
    Health* health = nullptr;
    const Clock* clock = nullptr;
    // The process leads still, as far as it knows.
    std::function<bool()> leads;
    // Nobody else publishes at this moment.
    std::function<bool()> may_send;
    // Somebody else goes on with the instance.
    std::function<void()> give_up;
  };
  // `stop` ends prepare().  What was asked for by `sluice repartition` is not looked at before
  // `patience` is over.
  PublisherSide(const Options& options, Surroundings surroundings, StateHold hold,
                std::stop_token stop, std::chrono::milliseconds patience);
  ~PublisherSide();
  PublisherSide(const PublisherSide&) = delete;
  PublisherSide& operator=(const PublisherSide&) = delete;

  // Takes the state over, where there is one: how many partitions it is of.  Errors: as prepare().
  Result<std::uint32_t> take_state();
  // Looks at everything that is there, waits for what may still come up, and finds the place to
  // begin at.  Errors: stopped, also when it does not lead any more; what must end the process.
  Status prepare();
  void start();
  // Saves the position when it is time, or later when the disk is full; looks for what `sluice
  // repartition` asks for.
  Status look();
  // All was read, sent and applied that came before, because so many partitions are wanted: it is
  // time to stop() and to lay them out anew.  Nullopt: not so.
  std::optional<std::uint32_t> repartition() const;
  // Redis lacks rows that are not in the queues: it is time to stop() and to go back to them.
  bool rewind_wanted() const { return control_ && control_->together(); }
  // After stop(): who asked for what; they are told when it is done().
  std::unique_ptr<ControlStage> release_control();
  // In the order of the data: no more reading; what was read is confirmed, for at most
  // limits.drain, when `drain`.  `wait_until` waits for something that comes with a wakeup, and is
  // there for what may last: a broker or a source that does not answer.
  using WaitUntil =
      std::function<void(const std::function<bool()>& holds, std::chrono::milliseconds limit)>;
  void stop(bool drain, const WaitUntil& wait_until);
  // `always`: also when it is the one that was saved last; for the copy in Redis it waits a little.
  Status save(bool always);
  position::State state() const { return checkpoint_->state(); }
  // After stop().
  StateHold release_state();
  OutboxStatus status() const { return outbox_->status(); }

 private:
  Status save_first(position::State& state);
  Checkpoint::Hooks hooks();
  Status prepare_schemas(mysql::Connection& source, StartPlan& plan);
  template <class T>
  Result<T> patiently(std::string_view what, const std::function<Result<T>()>& attempt);
  void look_for_request();

  const Options& options_;
  const Surroundings around_;
  std::optional<StateHold> hold_;
  std::optional<position::State> saved_;
  const std::stop_token stop_;
  const std::chrono::steady_clock::time_point look_from_;
  std::chrono::steady_clock::time_point next_save_{};
  FullDisk full_disk_{*around_.health, *around_.clock};
  Wakeup publisher_wakeup_;

  mysql::Hosts hosts_{options_.source};
  queue::Brokers brokers_{options_.queue};  // of this thread
  std::optional<Checkpoint> checkpoint_;
  std::unique_ptr<MirrorStage> mirror_;  // null: without
  mysql::ReplicaIdentity replica_;
  std::optional<TableFilter> filter_;
  std::unique_ptr<schema::History> history_;
  std::optional<mysql::SourceSchemas> schema_source_;
  std::optional<schema::Catalog> catalog_;
  std::optional<Outbox> outbox_;
  std::optional<HeldXa> held_xa_;
  std::optional<Assembler> assembler_;
  std::optional<SourceStage> source_stage_;
  std::optional<PublishStage> publish_stage_;
  std::unique_ptr<ControlStage> control_;
  std::optional<std::uint32_t> asked_;  // so many partitions, by `sluice repartition`

  std::stop_source source_stop_, publisher_stop_, publisher_drain_, mirror_stop_, control_stop_;
  std::atomic<bool> source_done_{false}, publisher_done_{false}, control_done_{false};
  std::vector<std::jthread> source_threads_, publisher_threads_, mirror_threads_, control_threads_;
};

}  // namespace sluice::pipeline
