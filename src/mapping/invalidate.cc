// Keys of caches, which readers fill by themselves.
#include <utility>

#include "mapping/action.h"

namespace sluice::mapping {
namespace {

class InvalidateAction final : public Action {
 public:
  explicit InvalidateAction(TextTemplate key) : key_(std::move(key)) {}

  Status apply(const Change& change, const Sink& sink) const override {
    SLUICE_TRY_ASSIGN(const auto keys, key_.keys(change, sink));
    if (keys.before && !keys.same()) sink.command({"UNLINK", *keys.before});
    if (keys.after) sink.command({"UNLINK", *keys.after});
    return {};
  }
  Status touch(const Change& change, const Sink& sink,
               std::vector<TouchedKey>& keys) const override {
    return key_.touch(change, sink, "", keys);
  }

 private:
  KeyOfRow key_;
};

}  // namespace

Result<std::unique_ptr<Action>> make_invalidate(const MappingOptions& options,
                                                const Columns& columns) {
  SLUICE_TRY_ASSIGN(auto key, make_key(options, columns));
  return std::unique_ptr<Action>(std::make_unique<InvalidateAction>(std::move(key)));
}

}  // namespace sluice::mapping
