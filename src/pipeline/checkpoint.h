#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include "sluice/base/clock.h"
#include "sluice/base/mutex.h"
#include "sluice/position/state_file.h"
#include "sluice/schema/place.h"

#include "pipeline/outbox.h"
#include "pipeline/overlap.h"

namespace sluice::pipeline {

// Owns the state file: the restart point of the epoch at hand.  Thread-safe.
class Checkpoint {
 public:
  // Called when a place is about to be saved, and when it is, durably; one at a time.  At the head
  // of a new epoch: with the place of the one before, up to which all is confirmed.
  struct Hooks {
    std::function<Status(const schema::Place&)> before, after;
    // What was saved, for its copy in Redis; and a wait for that.  Empty: there is none.
    std::function<Status(const position::State&)> mirror = {};
    std::function<Status()> mirrored = {};
  };
  Checkpoint(position::Store store, position::State state, const Clock& clock, Hooks hooks)
      : clock_(&clock),
        hooks_(std::move(hooks)),
        store_(std::move(store)),
        state_(std::move(state)) {}

  // Saves the point, unless it is the one saved last (and not `always`) or one of an epoch that is
  // over. Errors of all: fatal/io and fatal/no_space, after which save() may be tried again, and
  // those of the hooks.
  Status save(const RestartPoint& point, bool always);
  // Where a new epoch begins, before any row of it is published: `point`, of the epoch before, has
  // all transactions before `pos` in `file`.  Some of the later ones may have been sent: Redis will
  // tell.  It and the next return when the copy says so, too: whoever takes over must know the
  // epoch.
  Status begin_epoch(const SourceFile& file, std::uint64_t pos, const RestartPoint& point);
  // Redis has told.
  Status settle_overlap(Overlap::Marks overlap);
  position::State state() const;
  // The state folder, for who goes on with it; nothing is saved from here on.
  position::Store release_store();

 private:
  Status write(const schema::Place& place) REQUIRES_LOCK(mu_);
  Status put() REQUIRES_LOCK(mu_);
  Status mirrored() const { return hooks_.mirrored ? hooks_.mirrored() : Status(); }

  const Clock* clock_;
  const Hooks hooks_;
  mutable Mutex mu_;
  position::Store store_ GUARDED_BY(mu_);
  position::State state_ GUARDED_BY(mu_);
};

}  // namespace sluice::pipeline
