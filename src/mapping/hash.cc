// One hash for each row.
#include <array>
#include <optional>
#include <utility>

#include "sluice/redis/resp.h"

#include "mapping/action.h"

namespace sluice::mapping {
namespace {

using Field = ChangeView::Field;
using redis::write_bulk;
using redis::write_bytes;
using redis::write_head;

class HashAction final : public Action {
 public:
  HashAction(const MappingOptions& options, TextTemplate key, std::vector<bool> chosen)
      : key_(std::move(key)),
        chosen_(std::move(chosen)),
        ttl_(options.ttl()),
        changed_only_(options.write() == MappingOptions::Write::changed),
        freshness_(options.freshness()) {
    const NullText& null = options.on_null();
    if (null.kind != NullText::Kind::omit) null_ = null.text;
  }

  Status apply(const Change& change, const Sink& sink) const override {
    SLUICE_TRY_ASSIGN(const auto keys, key_.keys(change, sink));
    const bool stays = keys.same();
    if (keys.before && !stays) sink.command({"UNLINK", *keys.before});
    if (!keys.after) return {};
    const auto old = change.view.old(change.row);
    if (stays && changed_only_)
      set(*keys.after, change, old, sink);
    else
      set(*keys.after, change, change.view.data(change.row), sink);
    if (stays && !null_) remove(*keys.after, change, old, sink);
    expire(*keys.after, ttl_, sink);
    return {};
  }

  Status touch(const Change& change, const Sink& sink,
               std::vector<TouchedKey>& keys) const override {
    return key_.touch(change, sink, "hash", keys);
  }

 private:
  // What stands in Redis for the column that `f` names; nothing: no field.
  std::optional<std::string_view> value_of(const Change& change, const Field& f) const {
    if (!chosen_[f.column]) return std::nullopt;
    const Field* now = change.after[f.column];
    if (now == nullptr) return std::nullopt;
    if (!now->is_null) return now->value;
    if (null_) return std::string_view(*null_);
    return std::nullopt;
  }

  // HSET of the columns that `fields` name.
  void set(std::string_view key, const Change& change, std::span<const Field> fields,
           const Sink& sink) const {
    constexpr std::string_view kName = "$4\r\nHSET\r\n";
    constexpr std::size_t kFreshness = 320;  // room for _pos and _ts
    std::size_t words = 2;
    std::size_t size = redis::kHeadRoom + kName.size() + key.size() + redis::kBulkRoom + kFreshness;
    for (const Field& f : fields) {
      const auto value = value_of(change, f);
      if (!value) continue;
      words += 2;
      size += f.name.size() + value->size() + 2 * redis::kBulkRoom;
    }
    if (freshness_) words += 4;
    if (words == 2) return;
    TextBuffer& out = *sink.out;
    char* at = write_bulk(write_bytes(write_head(out.room(size), '*', words), kName), key);
    for (const Field& f : fields)
      if (const auto value = value_of(change, f)) at = write_bulk(write_bulk(at, f.name), *value);
    if (freshness_) {
      std::array<char, 20> digits{};
      const char* end = write_int(digits.data(), change.view.es_ms);
      TextBuffer& id = sink.memory->work;
      id.clear();
      change.id().append_to(id);
      at = write_bulk(write_bulk(at, "_pos"), id.view());
      at = write_bulk(write_bulk(at, "_ts"),
                      {digits.data(), static_cast<std::size_t>(end - digits.data())});
    }
    out.commit_to(at);
    ++sink.counts->commands;
  }

  bool nulled(const Change& change, const Field& old) const {
    const Field* now = change.after[old.column];
    return chosen_[old.column] && now != nullptr && now->is_null;
  }

  // HDEL of the columns that became NULL.
  void remove(std::string_view key, const Change& change, std::span<const Field> old,
              const Sink& sink) const {
    std::size_t words = 2;
    for (const Field& f : old) words += nulled(change, f) ? 1U : 0U;
    if (words == 2) return;
    sink.begin(words);
    sink.word("HDEL");
    sink.word(key);
    for (const Field& f : old)
      if (nulled(change, f)) sink.word(f.name);
  }

  KeyOfRow key_;
  std::vector<bool> chosen_;
  std::optional<std::string> null_;  // what stands for NULL
  std::chrono::milliseconds ttl_;
  bool changed_only_;
  bool freshness_;
};

}  // namespace

Result<std::unique_ptr<Action>> make_hash(const MappingOptions& options, const Columns& columns) {
  SLUICE_TRY_ASSIGN(auto key, make_key(options, columns));
  SLUICE_TRY_ASSIGN(auto chosen, make_choice(options, columns));
  return std::unique_ptr<Action>(
      std::make_unique<HashAction>(options, std::move(key), std::move(chosen)));
}

}  // namespace sluice::mapping
