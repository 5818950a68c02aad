// Keys of caches, which readers fill by themselves.
#include <chrono>
#include <cstdint>
#include <utility>

#include "mapping/action.h"

namespace sluice::mapping {
namespace {

class InvalidateAction final : public Action {
 public:
  InvalidateAction(TextTemplate key, std::chrono::milliseconds again_after)
      : key_(std::move(key)), again_after_(again_after) {}

  Status apply(const Change& change, const Sink& sink) const override {
    SLUICE_TRY_ASSIGN(const auto keys, key_.keys(change, sink));
    if (keys.before && !keys.same()) remove(*keys.before, change, sink);
    if (keys.after) remove(*keys.after, change, sink);
    return {};
  }
  Status touch(const Change& change, const Sink& sink,
               std::vector<TouchedKey>& keys) const override {
    return key_.touch(change, sink, "", keys);
  }

 private:
  // The change's id makes an entry of its own of each: no later one is taken for an earlier one
  // that has been done.
  void remove(std::string_view key, const Change& change, const Sink& sink) const {
    sink.command({"UNLINK", key});
    if (again_after_.count() == 0) return;
    TextBuffer& entry = sink.memory->work;
    entry.clear();
    const std::int64_t due = sink.clock->wall_us() / 1000 + again_after_.count();
    entry.append_int(due);
    const std::size_t at = entry.size();
    change.id().append_to(entry);
    entry.append(" ");
    entry.append(key);
    sink.command({"ZADD", sink.invalidations, entry.view().substr(0, at), entry.view().substr(at)});
  }

  KeyOfRow key_;
  std::chrono::milliseconds again_after_;
};

}  // namespace

Result<std::unique_ptr<Action>> make_invalidate(const MappingOptions& options,
                                                const Columns& columns) {
  SLUICE_TRY_ASSIGN(auto key, make_key(options, columns));
  return std::unique_ptr<Action>(
      std::make_unique<InvalidateAction>(std::move(key), options.again_after()));
}

}  // namespace sluice::mapping
