// What grows with each change: lists and streams.
#include <array>
#include <optional>
#include <utility>

#include "mapping/action.h"

namespace sluice::mapping {
namespace {

using Field = ChangeView::Field;

// New rows in front.
class ListAction final : public Action {
 public:
  ListAction(const MappingOptions& options, TextTemplate key, TextTemplate element)
      : key_(std::move(key)),
        element_(std::move(element)),
        last_(options.max_length() == 0 ? "" : std::to_string(options.max_length() - 1)),
        ttl_(options.ttl()) {}

  Status apply(const Change& change, const Sink& sink) const override {
    if (change.was || !change.is) return {};
    Memory& m = *sink.memory;
    m.text.clear();
    m.value.clear();
    SLUICE_TRY_ASSIGN(const auto key, text_of(key_, change, change.after, m.text, m.work));
    SLUICE_TRY_ASSIGN(const auto element, text_of(element_, change, change.after, m.value, m.work));
    if (!key || !element) return {};
    sink.command({"LPUSH", *key, *element});
    if (!last_.empty()) sink.command({"LTRIM", *key, "0", last_});
    expire(*key, ttl_, sink);
    return {};
  }
  Status touch(const Change& change, const Sink& sink,
               std::vector<TouchedKey>& keys) const override {
    if (change.was) return {};
    return KeyOfRow(key_).touch(change, sink, "list", keys);
  }

 private:
  TextTemplate key_, element_;
  std::string last_;  // index of the last element that is kept; empty: all are
  std::chrono::milliseconds ttl_;
};

// An entry for each change.
class StreamAction final : public Action {
 public:
  StreamAction(const MappingOptions& options, TextTemplate key, std::vector<bool> chosen)
      : key_(std::move(key)),
        chosen_(std::move(chosen)),
        most_(options.max_length() == 0 ? "" : std::to_string(options.max_length())),
        null_(options.on_null()),
        ttl_(options.ttl()) {}

  Status apply(const Change& change, const Sink& sink) const override {
    Memory& m = *sink.memory;
    const Image row = change.is ? change.after : change.before;
    m.text.clear();
    SLUICE_TRY_ASSIGN(const auto key, text_of(key_, change, row, m.text, m.work));
    if (!key) return {};
    std::size_t words = 3 + (most_.empty() ? 0 : 3) + 4;
    for (const Field* f : row) words += value_of(f) ? 2U : 0U;
    sink.begin(words);
    sink.word("XADD");
    sink.word(*key);
    if (!most_.empty()) {
      sink.word("MAXLEN");
      sink.word("~");
      sink.word(most_);
    }
    sink.word("*");
    sink.word("_id");
    m.work.clear();
    change.id().append_to(m.work);
    sink.word(m.work.view());
    sink.word("_type");
    sink.word(!change.was ? "insert" : change.is ? "update" : "delete");
    for (const Field* f : row) {
      const auto value = value_of(f);
      if (!value) continue;
      sink.word(f->name);
      sink.word(*value);
    }
    expire(*key, ttl_, sink);
    return {};
  }
  Status touch(const Change& change, const Sink& sink,
               std::vector<TouchedKey>& keys) const override {
    return KeyOfRow(key_).touch(change, sink, "stream", keys);
  }

 private:
  std::optional<std::string_view> value_of(const Field* f) const {
    if (f == nullptr || !chosen_[f->column]) return std::nullopt;
    if (!f->is_null) return f->value;
    if (null_.kind == NullText::Kind::omit) return std::nullopt;
    return std::string_view(null_.text);
  }

  TextTemplate key_;
  std::vector<bool> chosen_;
  std::string most_;
  NullText null_;
  std::chrono::milliseconds ttl_;
};

}  // namespace

Result<std::unique_ptr<Action>> make_log(const MappingOptions& options, const Columns& columns) {
  SLUICE_TRY_ASSIGN(auto key, make_key(options, columns));
  if (options.type() == MappingOptions::Type::stream) {
    SLUICE_TRY_ASSIGN(auto chosen, make_choice(options, columns));
    return std::unique_ptr<Action>(
        std::make_unique<StreamAction>(options, std::move(key), std::move(chosen)));
  }
  SLUICE_TRY_ASSIGN(auto element, make_text(options.member, columns, TextTemplate::Use::content));
  return std::unique_ptr<Action>(
      std::make_unique<ListAction>(options, std::move(key), std::move(element)));
}

}  // namespace sluice::mapping
