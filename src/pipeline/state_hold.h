#pragma once
#include <optional>
#include <utility>

#include "sluice/config/options.h"
#include "sluice/position/state_file.h"
#include "sluice/redis/servers.h"

#include "pipeline/mirror.h"

namespace sluice::pipeline {

// The state of an instance in the hands of this process: the folder, locked, and its copy in Redis
// with position.mirror.  Belongs to one thread; `options` must outlive it.
class StateHold {
 public:
  // Locks the folder.  Errors: those of position::Store::open.
  // `servers`: where the copy is, for as long as this lives; null: as the options say it.
  static Result<StateHold> open(const Options& options, redis::Servers* servers = nullptr);
  StateHold(const Options& options, position::Store store, std::optional<Mirror> mirror)
      : options_(&options), store_(std::move(store)), mirror_(std::move(mirror)) {}

  // Errors: fatal/position_locked when a daemon of this instance runs on another host; those of the
  // broker.
  Status refuse_running() const;
  // The newer one of the two; the folder has it, with its schema history, when it returns, and
  // nobody else writes the copy from here on.  Nullopt: there is none.  Errors: those of
  // position::Store::load and Mirror::claim; fatal/io.
  Result<std::optional<position::State>> take();
  // refuse_running() and take(), for a command.
  static Result<std::pair<StateHold, std::optional<position::State>>> open_for_command(
      const Options& options);
  // Says in it who has written it; after take().
  void stamp(position::State& state) const;
  // Copy and folder, in this order: a crash in between leaves the newer one.  Errors: those of
  // both.
  Status save(position::State& state);

  // For who goes on with them.
  position::Store release_store() { return std::move(store_); }
  std::optional<Mirror> release_mirror() { return std::exchange(mirror_, std::nullopt); }

 private:
  Status adopt(const Mirror::Copy& copy, const std::optional<position::State>& file) const;

  const Options* options_;
  position::Store store_;
  std::optional<Mirror> mirror_;
};

// The copy, for looking at it; nullopt without position.mirror.
std::optional<Mirror> mirror_of(const Options& options, redis::Servers* servers = nullptr);
// Whether a state that is saved now cannot be gone on from without the folder: rows of prepared XA
// transactions are there alone.
Result<bool> needs_folder(const Options& options, const position::State& state);

}  // namespace sluice::pipeline
