#pragma once
#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "sluice/base/backoff.h"
#include "sluice/binlog/event_source.h"
#include "sluice/model/gtid.h"
#include "sluice/position/applied_record.h"

#include "pipeline/assembler.h"
#include "pipeline/checkpoint.h"
#include "pipeline/health.h"
#include "pipeline/outbox.h"
#include "pipeline/start.h"

namespace sluice::pipeline {

// The file that a saved position lies in; null when it is not known yet which file that is.
std::shared_ptr<const SourceFile> file_of(const position::State& state);

// The source's thread: reads events, feeds the assembler, reconnects; goes on at another server
// behind the last transaction read when the one it followed is gone or has become another.
class SourceStage {
 public:
  using Stream = Result<std::unique_ptr<binlog::EventSource>>;
  // Hosts are numbers from 0, in the order of the options.
  struct Dependencies {
    std::size_t hosts = 1;
    std::function<std::string(std::size_t host)> name;
    // Who answers there.  Errors: the connection's.
    std::function<Result<position::SourceState>(std::size_t host)> identify;
    // Opens the dump at a position.
    std::function<Stream(std::size_t host, const BinlogPosition&)> open;
    // Opens the dump behind all transactions of a set.
    std::function<Stream(std::size_t host, const GtidSet&)> open_behind;
    // Whether a dump behind the set would be whole.  `renamed`: it is the server that was followed,
    // with a binlog of another name.  Errors: those of mysql::check_gtids and check_renamed.
    std::function<Status(std::size_t host, const GtidSet&, bool renamed)> check;
    // Without GTIDs: where the host's binlog goes on behind a trail.  Errors: those of
    // find_trail_end.
    std::function<Result<TrailEnd>(std::size_t host, const position::Trail&)> find_trail_end;
    // What Redis has, by partition.
    std::function<Result<std::vector<std::optional<position::AppliedRecord>>>()> applied;
    // Where its binlog ends now.  Errors: the connection's.
    std::function<Result<BinlogPosition>(std::size_t host)> end;
    // From now on this host is the source, for whoever asks it other things.
    std::function<void(std::size_t host)> follow;
  };
  struct Settings {
    std::chrono::milliseconds reconnect_max{30000};
    std::chrono::milliseconds failover_after{30000};
  };
  SourceStage(Dependencies dependencies, Settings settings, Checkpoint& checkpoint,
              Assembler& assembler, Outbox& outbox, ops::Counters& counters, Health& health);

  // Until `st` is stopped (stopped), or an error that must end the process.  Begins at the
  // checkpoint.
  Status run(const std::stop_token& st);

  // Asks it to end (stopped) between two transactions, when Redis has all that was read and the
  // restart point is there: other rules may begin.  Any thread.
  void pause() noexcept { pause_.store(true, std::memory_order_relaxed); }
  // It has ended so.  Any thread.
  bool paused() const noexcept { return paused_.load(); }

 private:
  struct Choice {
    std::size_t host = 0;
    position::SourceState server;
    bool same = true;                 // the server of the epoch at hand
    std::optional<TrailEnd> place{};  // where it goes on, without GTIDs
  };

  Status session(const std::stop_token& st);
  Result<Choice> choose();
  Status read(binlog::EventSource& source, binlog::EventFramer& framer, const std::stop_token& st);
  Status feed(binlog::EventSource& source, binlog::EventFramer& framer);
  Status look_at_end();
  Status end_between_transactions(const std::stop_token& st);
  void look_for_tail();
  void pass_tail(binlog::EventType type);
  bool in_doubt(const Error& error);
  Status follow_on(const Choice& choice, const std::stop_token& st);
  Status take_over(const Choice& choice, const std::stop_token& st);
  Result<std::uint32_t> next_epoch();
  Status settle_overlap(const std::stop_token& st);
  void up(const BinlogPosition& from);

  Dependencies deps_;
  const Settings settings_;
  Checkpoint* checkpoint_;
  Assembler* assembler_;
  Outbox* outbox_;
  ops::Counters* counters_;
  Health* health_;
  Backoff backoff_;
  std::size_t host_ = 0;                      // followed
  std::shared_ptr<const SourceEpoch> epoch_;  // durable
  // Where the dump of this epoch goes on.
  BinlogPosition resume_;
  std::shared_ptr<const SourceFile> resume_file_;
  std::optional<std::chrono::steady_clock::time_point> lost_since_;
  Errc said_ = Errc::stopped;  // why the source is lost, as last logged
  bool was_up_ = false;        // the server of this epoch was read by this process
  bool by_gtid_ = false;       // the dump at hand was asked for by a GTID set
  bool dumping_ = false;       // the session at hand got as far as its first event
  // Where the binlog ended when the dump began; until that was read, or a heartbeat says that there
  // is no more, a source that sends nothing is only slow.
  std::optional<BinlogPosition> tail_;
  bool at_tail_ = false;
  std::optional<BinlogPosition> silent_at_;  // nothing came behind it, though there was more
  std::optional<BinlogPosition> doubted_;    // where the source could not read its binlog
  std::atomic<bool> pause_{false}, paused_{false};
  std::uint32_t short_lived_ = 0;  // dumps in a row that were cut within seconds of their start
};

}  // namespace sluice::pipeline
