#include "pipeline/checkpoint.h"

#include <algorithm>

namespace sluice::pipeline {
namespace {

// The rows of all marks lie before the position: nothing of what comes was sent.
bool passed(const Overlap::Marks& marks, const std::string& flavor, const std::string& gtid_set) {
  const auto executed = GtidSet::parse(
      flavor == flavor_name(Flavor::mariadb) ? Flavor::mariadb : Flavor::mysql, gtid_set);
  if (!executed) return false;
  return std::all_of(marks.begin(), marks.end(), [&executed](const auto& mark) {
    if (!mark) return true;
    const auto one = GtidSet::parse(executed->flavor(), mark->gtid);
    return one && executed->contains(*one);
  });
}

// The head of all when nothing has been read yet.
schema::Place place_of(const RestartPoint& point) {
  if (!point.file) return {};
  return {point.file->epoch_number(), {point.file->name, point.pos}};
}

}  // namespace

Status Checkpoint::write(const schema::Place& place) {
  SLUICE_TRY(hooks_.before(place));
  SLUICE_TRY(put());
  return hooks_.after(place);
}

Status Checkpoint::put() {
  state_.updated_at_us = clock_->wall_us();
  SLUICE_TRY(store_.save(state_));
  return hooks_.mirror ? hooks_.mirror(state_) : Status();
}

Status Checkpoint::save(const RestartPoint& point, bool always) {
  const Lock lock(mu_);
  if (!point.file || point.file->epoch_number() < state_.epoch) return {};  // nothing read yet
  if (!always && point.pos == state_.position.pos && point.file->name == state_.position.file &&
      point.file->fingerprint == state_.source.file_fingerprint)
    return {};
  // What was not saved is not the state: it is tried again, with all that goes before it.
  position::State before = state_;
  state_.position = {point.file->name, point.pos};
  state_.source.file_timestamp = point.file->timestamp;
  state_.source.file_fingerprint = point.file->fingerprint;
  state_.gtid_set = point.gtid_set;
  state_.last = point.last;
  state_.trail = point.trail;
  if (!state_.overlap.empty() && passed(state_.overlap, state_.source.flavor, state_.gtid_set))
    state_.overlap.clear();
  Status s = write(place_of(point));
  if (!s.ok()) state_ = std::move(before);
  return s;
}

Status Checkpoint::begin_epoch(const SourceFile& file, std::uint64_t pos,
                               const RestartPoint& point) {
  {
    const Lock lock(mu_);
    state_.epoch = file.epoch_number();
    if (file.epoch) state_.source = file.epoch->server;
    state_.source.file_timestamp = file.timestamp;
    state_.source.file_fingerprint = file.fingerprint;
    state_.position = {file.name, pos};
    state_.gtid_set = point.gtid_set;
    state_.last = point.last;
    state_.trail = point.trail;
    state_.overlap.clear();
    state_.overlap_pending = true;
    SLUICE_TRY(write(place_of(point)));
  }
  return mirrored();
}

Status Checkpoint::settle_overlap(Overlap::Marks overlap) {
  {
    const Lock lock(mu_);
    state_.overlap = std::move(overlap);
    state_.overlap_pending = false;
    SLUICE_TRY(put());
  }
  return mirrored();
}

position::State Checkpoint::state() const {
  const Lock lock(mu_);
  return state_;
}

position::Store Checkpoint::release_store() {
  const Lock lock(mu_);
  return std::move(store_);
}

}  // namespace sluice::pipeline
