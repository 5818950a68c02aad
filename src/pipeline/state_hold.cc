#include "pipeline/state_hold.h"

#include <random>

#include "sluice/base/checksum.h"
#include "sluice/base/files.h"
#include "sluice/base/log.h"
#include "sluice/queue/connection.h"
#include "sluice/schema/history.h"

#include "pipeline/held_xa.h"
#include "pipeline/members.h"
#include "pipeline/schema_start.h"
#include "pipeline/start.h"

namespace sluice::pipeline {
namespace {

std::string random_lineage() {
  std::random_device random;
  const auto word = [&random] { return hex32(random()); };
  return word() + word();
}

}  // namespace

std::optional<Mirror> mirror_of(const Options& options, redis::Servers* servers) {
  if (options.position.mirror() != PositionOptions::Mirror::redis) return std::nullopt;
  return Mirror(
      [&options, servers] {
        return servers != nullptr ? servers->connect() : redis::Connection::open(options.redis);
      },
      options.instance(), member_id(), history_file(options));
}

Result<bool> needs_folder(const Options& options, const position::State& state) {
  const auto name = BinlogFileName::parse(state.position.file);
  if (!name) return false;  // nothing was read yet
  return HeldXa::needed_at(held_xa_folder(options),
                           {state.epoch, name->number, state.position.pos});
}

Result<StateHold> StateHold::open(const Options& options, redis::Servers* servers) {
  SLUICE_TRY_ASSIGN(auto store, position::Store::open(options.state_dir()));
  return StateHold(options, std::move(store), mirror_of(options, servers));
}

Status StateHold::refuse_running() const {
  if (!mirror_) return {};  // the lock tells
  SLUICE_TRY_ASSIGN(const auto admin, queue::Admin::connect(options_->queue));
  const std::string queue = names_of(*options_).leader();
  SLUICE_TRY_ASSIGN(const auto info, admin->inspect(queue));
  if (!info || info->consumers == 0) return {};
  return fatal(Errc::position_locked,
               "a daemon of instance \"" + options_->instance() +
                   "\" runs on another host (queue " + queue + " has " +
                   std::to_string(info->consumers) +
                   " consumers): stop them all first; `sluice repartition` works on the host of "
                   "the one that publishes (`sluice position show` names it)");
}

Result<std::optional<position::State>> StateHold::take() {
  SLUICE_TRY_ASSIGN(auto file, store_.load());
  if (!mirror_) return file;
  SLUICE_TRY_ASSIGN(auto found, mirror_->claim(file ? file->term : 0));
  auto& copy = found.copy;
  if (!copy && found.forgotten > (file ? file->term : 0))
    return fatal(Errc::position_missing,
                 found.forgotten_by + " went on with instance \"" + options_->instance() +
                     "\" since, and there is no copy of its position: XA transactions were "
                     "prepared, whose rows are in its state folder alone. Start it there; if that "
                     "folder is lost, load the data anew, `sluice reset --config FILE --yes`");
  if (!copy || !is_newer(*copy, file)) return file;
  SLUICE_TRY(adopt(*copy, file));
  return std::optional(std::move(copy->state));
}

Status StateHold::adopt(const Mirror::Copy& copy,
                        const std::optional<position::State>& file) const {
  log::get("app").info(
      "the position in Redis is newer than that of the state folder, going on from it "
      "position={} epoch={} owner={} folder={}",
      copy.state.position.to_string(), copy.state.epoch, copy.owner,
      file ? file->position.to_string() : "-");
  // A copy needs no rows of the folder: those here are of the time before.
  SLUICE_TRY(HeldXa::remove_all(held_xa_folder(*options_), true));
  if (copy.history.empty())
    SLUICE_TRY(schema::History::remove(history_file(*options_), true));
  else
    SLUICE_TRY(write_file_durably(history_file(*options_), copy.history));
  return store_.save(copy.state);
}

Result<std::pair<StateHold, std::optional<position::State>>> StateHold::open_for_command(
    const Options& options) {
  SLUICE_TRY_ASSIGN(auto hold, open(options));
  SLUICE_TRY(hold.refuse_running());
  SLUICE_TRY_ASSIGN(auto state, hold.take());
  return std::pair(std::move(hold), std::move(state));
}

void StateHold::stamp(position::State& state) const {
  if (!mirror_) return;
  state.term = mirror_->term();
  if (state.lineage.empty()) state.lineage = random_lineage();
}

Status StateHold::save(position::State& state) {
  stamp(state);
  if (mirror_) {
    SLUICE_TRY_ASSIGN(const bool folder, needs_folder(*options_, state));
    SLUICE_TRY(folder ? mirror_->forget() : mirror_->save(state));
  }
  return store_.save(state);
}

}  // namespace sluice::pipeline
