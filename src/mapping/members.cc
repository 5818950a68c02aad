// Rows as members of something: sets, sorted sets, geo indexes, fields of a hash.
#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include <nlohmann/json.hpp>

#include "mapping/action.h"

namespace sluice::mapping {
namespace {

using Field = ChangeView::Field;

// How many rows have each member is counted beside the set, and only here.  What can fail comes
// first: then nothing is done.
constexpr std::string_view kAddCounted =
    "redis.call('SADD',KEYS[1],ARGV[1]) return redis.call('HINCRBY',KEYS[2],ARGV[1],1)";
constexpr std::string_view kRemoveCounted =
    "local n=redis.call('HINCRBY',KEYS[2],ARGV[1],-1) if n<=0 then "
    "redis.call('SREM',KEYS[1],ARGV[1]) redis.call('HDEL',KEYS[2],ARGV[1]) end return n";
constexpr std::string_view kCounts = ":refs";

// The parts of `text`, without empty ones.
void cut(std::string_view text, std::string_view separator, std::vector<std::string>& out) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(separator), text.size());
    if (end > 0) out.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + separator.size(), text.size()));
  }
}

// The elements of a JSON array; what is none is its own part.  Without nulls and empty texts.
void cut_json(std::string_view text, std::vector<std::string>& out) {
  const auto document = nlohmann::json::parse(text, nullptr, false);
  const auto add = [&out](const nlohmann::json& element) {
    if (element.is_null()) return;
    std::string part = element.is_string() ? element.get<std::string>() : element.dump();
    if (!part.empty()) out.push_back(std::move(part));
  };
  if (document.is_discarded()) {
    if (!text.empty()) out.emplace_back(text);
  } else if (document.is_array()) {
    for (const auto& element : document) add(element);
  } else {
    add(document);
  }
}

// Days since 1970-01-01 (proleptic Gregorian calendar).
std::int64_t days_of(std::int64_t year, unsigned month, unsigned day) noexcept {
  return std::chrono::sys_days(std::chrono::year(static_cast<int>(year)) / static_cast<int>(month) /
                               static_cast<int>(day))
      .time_since_epoch()
      .count();
}

// A score: a number as it is, a moment as seconds since 1970.  Nothing for a date that is none.
class Score {
 public:
  static Result<Score> make(const Option<std::string>& option, const Columns& columns,
                            bool moments) {
    auto column = columns.find(option());
    const std::string name(option.name());
    if (!column) return std::move(column).error().at(name);
    switch (const expr::Type type = columns[*column].type) {
      case expr::Type::integer:
      case expr::Type::decimal:
      case expr::Type::real: return Score(*column, false);
      case expr::Type::date:
      case expr::Type::datetime:
        if (moments) return Score(*column, true);
        [[fallthrough]];
      default:
        return fatal(Errc::config_invalid, name + ": " + columns[*column].name + " is " +
                                               std::string(expr::type_name(type)) +
                                               ", not a number" + (moments ? " or a date" : ""));
    }
  }
  std::uint16_t column() const noexcept { return column_; }

  // At the end of `out`.
  Result<std::optional<std::string_view>> of(const Change& change, Image row,
                                             TextBuffer& out) const {
    const Field* f = row[column_];
    if (f == nullptr) return row_error(change, "the row lacks the column of the score");
    if (f->is_null) return std::optional<std::string_view>();
    if (!moment_) return std::optional(f->value);
    return seconds(f->value, out);
  }

 private:
  Score(std::uint16_t column, bool moment) : column_(column), moment_(moment) {}

  // "2026-01-31[ 12:00:00[.123]]"
  static std::optional<std::string_view> seconds(std::string_view text, TextBuffer& out) {
    const auto number = [text](std::size_t at, std::size_t size) {
      std::uint32_t v = 0;
      if (at + size <= text.size()) std::from_chars(text.data() + at, text.data() + at + size, v);
      return v;
    };
    const std::uint32_t month = number(5, 2);
    const std::uint32_t day = number(8, 2);
    if (month == 0 || day == 0) return std::nullopt;
    const std::int64_t at = days_of(number(0, 4), month, day) * 86400 +
                            std::int64_t{number(11, 2)} * 3600 + std::int64_t{number(14, 2)} * 60 +
                            number(17, 2);
    constexpr std::size_t kFraction = 19;  // ".123"
    const std::size_t begin = out.size();
    const std::string_view fraction =
        text.size() > kFraction ? text.substr(kFraction) : std::string_view();
    if (at < 0 && !fraction.empty()) return std::nullopt;  // no TIMESTAMP, and no DATETIME of use
    out.append_int(at);
    out.append(fraction);
    return out.view().substr(begin);
  }

  std::uint16_t column_ = 0;
  bool moment_ = false;
};

// What a mapping of members writes for one entry.
class Store {
 public:
  Store() = default;
  virtual ~Store() = default;
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;
  // What stands beside the member of the row; nothing: it has no entries.  Kept in `out`.
  struct Beside {
    std::string_view first, second;
  };
  virtual Result<std::optional<Beside>> beside(const Change& change, Image row,
                                               const Sink& sink) const = 0;
  virtual void add(const Entry& entry, const Beside& beside, const Sink& sink) const = 0;
  virtual void remove(const Entry& entry, const Sink& sink) const = 0;
  // What TYPE calls it.
  virtual std::string_view type() const = 0;
  // Whether an entry that stays is written again: what stands beside it may be another.
  virtual bool rewrites(const Change& change) const = 0;
  // Why Redis refuses it whatever the key holds; empty: it does not.
  virtual std::string_view refused(const Beside&) const { return {}; }
};

class SetStore final : public Store {
 public:
  Result<std::optional<Beside>> beside(const Change&, Image, const Sink&) const override {
    return std::optional(Beside{});
  }
  void add(const Entry& e, const Beside&, const Sink& sink) const override {
    sink.command({"SADD", e.key, e.member});
  }
  void remove(const Entry& e, const Sink& sink) const override {
    sink.command({"SREM", e.key, e.member});
  }
  std::string_view type() const override { return "set"; }
  bool rewrites(const Change&) const override { return false; }
};

// A set whose members several rows may have.
class CountedSetStore final : public Store {
 public:
  Result<std::optional<Beside>> beside(const Change&, Image, const Sink&) const override {
    return std::optional(Beside{});
  }
  void add(const Entry& e, const Beside&, const Sink& sink) const override {
    run(kAddCounted, e, sink);
  }
  void remove(const Entry& e, const Sink& sink) const override { run(kRemoveCounted, e, sink); }
  std::string_view type() const override { return "set"; }
  bool rewrites(const Change&) const override { return false; }

 private:
  static void run(std::string_view script, const Entry& e, const Sink& sink) {
    TextBuffer& counts = sink.memory->work;
    counts.clear();
    counts.append(e.key);
    counts.append(kCounts);
    sink.command({"EVAL", script, "2", e.key, counts.view(), e.member});
  }
};

class SortedSetStore final : public Store {
 public:
  explicit SortedSetStore(Score score) : score_(score) {}
  Result<std::optional<Beside>> beside(const Change& change, Image row,
                                       const Sink& sink) const override {
    sink.memory->value.clear();
    SLUICE_TRY_ASSIGN(const auto score, score_.of(change, row, sink.memory->value));
    if (!score) return std::optional<Beside>();
    return std::optional(Beside{*score, {}});
  }
  void add(const Entry& e, const Beside& beside, const Sink& sink) const override {
    sink.command({"ZADD", e.key, beside.first, e.member});
  }
  void remove(const Entry& e, const Sink& sink) const override {
    sink.command({"ZREM", e.key, e.member});
  }
  std::string_view type() const override { return "zset"; }
  bool rewrites(const Change& change) const override { return change.differs({score_.column()}); }

 private:
  Score score_;
};

class GeoStore final : public Store {
 public:
  GeoStore(Score longitude, Score latitude) : longitude_(longitude), latitude_(latitude) {}
  Result<std::optional<Beside>> beside(const Change& change, Image row,
                                       const Sink& sink) const override {
    SLUICE_TRY_ASSIGN(const auto first, longitude_.of(change, row, sink.memory->value));
    SLUICE_TRY_ASSIGN(const auto second, latitude_.of(change, row, sink.memory->value));
    if (!first || !second) return std::optional<Beside>();
    return std::optional(Beside{*first, *second});
  }
  void add(const Entry& e, const Beside& beside, const Sink& sink) const override {
    sink.command({"GEOADD", e.key, beside.first, beside.second, e.member});
  }
  void remove(const Entry& e, const Sink& sink) const override {
    sink.command({"ZREM", e.key, e.member});
  }
  std::string_view type() const override { return "zset"; }
  bool rewrites(const Change& change) const override {
    return change.differs({longitude_.column(), latitude_.column()});
  }
  std::string_view refused(const Beside& beside) const override {
    constexpr double kMostLongitude = 180, kMostLatitude = 85.05112878;  // GEOADD's own
    if (is_within(beside.first, kMostLongitude) && is_within(beside.second, kMostLatitude))
      return {};
    return "invalid longitude,latitude pair";
  }

 private:
  static bool is_within(std::string_view text, double most) {
    double value = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
    return failed == std::errc{} && value >= -most && value <= most;
  }

  Score longitude_, latitude_;
};

// A hash that rows share: one field each.
class FieldStore final : public Store {
 public:
  explicit FieldStore(TextTemplate value) : value_(std::move(value)) {}
  Result<std::optional<Beside>> beside(const Change& change, Image row,
                                       const Sink& sink) const override {
    sink.memory->value.clear();
    SLUICE_TRY_ASSIGN(const auto value,
                      text_of(value_, change, row, sink.memory->value, sink.memory->work));
    if (!value) return std::optional<Beside>();
    return std::optional(Beside{*value, {}});
  }
  void add(const Entry& e, const Beside& beside, const Sink& sink) const override {
    sink.command({"HSET", e.key, e.member, beside.first});
  }
  void remove(const Entry& e, const Sink& sink) const override {
    sink.command({"HDEL", e.key, e.member});
  }
  std::string_view type() const override { return "hash"; }
  bool rewrites(const Change& change) const override { return change.differs(value_.used()); }

 private:
  TextTemplate value_;
};

class MembersAction final : public Action {
 public:
  MembersAction(const MappingOptions& options, TextTemplate key, TextTemplate member,
                std::unique_ptr<Store> store)
      : key_(std::move(key)),
        member_(std::move(member)),
        store_(std::move(store)),
        ttl_(options.ttl()) {
    const auto* split = key_.split() != nullptr ? key_.split() : member_.split();
    if (split != nullptr) split_ = *split;
    used_ = key_.used();
    used_.insert(used_.end(), member_.used().begin(), member_.used().end());
  }

  Status apply(const Change& change, const Sink& sink) const override {
    Memory& m = *sink.memory;
    m.entries.clear();
    m.old_entries.clear();
    std::optional<Store::Beside> beside;
    // Entries of the row as it was, unless what it has now cannot be another.
    const bool moved = !(change.was && change.is) || change.differs(used_);
    if (change.was)
      SLUICE_TRY(collect(change, change.before, sink, m.old_text, m.old_parts, m.old_entries));
    if (change.is) {
      if (moved)
        SLUICE_TRY(collect(change, change.after, sink, m.text, m.parts, m.entries));
      else
        m.entries = m.old_entries;
    }
    // Last: it lies in Memory::value.
    bool had = true;
    if (change.was) {
      SLUICE_TRY_ASSIGN(const auto old, store_->beside(change, change.before, sink));
      had = old.has_value();
    }
    if (!had) m.old_entries.clear();
    if (change.is) {
      SLUICE_TRY_ASSIGN(beside, store_->beside(change, change.after, sink));
      if (!beside) m.entries.clear();
    }
    const auto has = [](const std::vector<Entry>& all, const Entry& e) {
      return std::find(all.begin(), all.end(), e) != all.end();
    };
    for (const Entry& e : m.old_entries)
      if (!has(m.entries, e)) store_->remove(e, sink);
    const bool rewrites = change.was && change.is && store_->rewrites(change);
    for (const Entry& e : m.entries) {
      if (!has(m.old_entries, e) || rewrites) store_->add(e, *beside, sink);
      expire(e.key, ttl_, sink);
    }
    return {};
  }

  Status touch(const Change& change, const Sink& sink,
               std::vector<TouchedKey>& keys) const override {
    Memory& m = *sink.memory;
    m.entries.clear();
    SLUICE_TRY(collect(change, change.is ? change.after : change.before, sink, m.text, m.parts,
                       m.entries));
    std::string_view bad;
    if (change.is) {
      SLUICE_TRY_ASSIGN(const auto beside, store_->beside(change, change.after, sink));
      if (beside) bad = store_->refused(*beside);
    }
    for (const Entry& e : m.entries) {
      TouchedKey& touched = keys.emplace_back();
      touched.key = e.key;
      touched.type = store_->type();
      touched.bad = bad;
    }
    return {};
  }

 private:
  // The entries of a row, each once.
  Status collect(const Change& change, Image row, const Sink& sink, TextBuffer& text,
                 std::vector<std::string>& parts, std::vector<Entry>& out) const {
    text.clear();
    parts.clear();
    if (split_) {
      const Field* f = row[split_->column];
      if (f == nullptr) return row_error(change, "the row lacks the column that is split");
      if (f->is_null) return {};
      if (split_->separator == "json")
        cut_json(f->value, parts);
      else
        cut(f->value, split_->separator, parts);
    } else {
      parts.emplace_back();
    }
    // Texts move while the buffer grows: their places first.
    auto& places = sink.memory->places;
    places.clear();
    for (const std::string& part : parts) {
      const std::size_t begin = text.size();
      SLUICE_TRY_ASSIGN(const bool has_key,
                        append_text(key_, change, row, part, text, sink.memory->work));
      const std::size_t middle = text.size();
      if (!has_key) return {};
      SLUICE_TRY_ASSIGN(const bool has_member,
                        append_text(member_, change, row, part, text, sink.memory->work));
      if (!has_member) return {};
      places.push_back({begin, middle, text.size()});
    }
    for (const auto& [begin, middle, end] : places) {
      const Entry entry{text.view().substr(begin, middle - begin),
                        text.view().substr(middle, end - middle)};
      if (std::find(out.begin(), out.end(), entry) == out.end()) out.push_back(entry);
    }
    return {};
  }

  TextTemplate key_, member_;
  std::unique_ptr<Store> store_;
  std::optional<TextTemplate::Split> split_;
  std::vector<std::uint16_t> used_;
  std::chrono::milliseconds ttl_;
};

Result<std::unique_ptr<Store>> make_store(const MappingOptions& options, const Columns& columns) {
  switch (options.type()) {
    case MappingOptions::Type::zset: {
      SLUICE_TRY_ASSIGN(const Score score, Score::make(options.score, columns, true));
      return std::unique_ptr<Store>(std::make_unique<SortedSetStore>(score));
    }
    case MappingOptions::Type::geo: {
      SLUICE_TRY_ASSIGN(const Score longitude, Score::make(options.longitude, columns, false));
      SLUICE_TRY_ASSIGN(const Score latitude, Score::make(options.latitude, columns, false));
      return std::unique_ptr<Store>(std::make_unique<GeoStore>(longitude, latitude));
    }
    case MappingOptions::Type::hash: {
      SLUICE_TRY_ASSIGN(auto value, make_text(options.value, columns, TextTemplate::Use::content));
      return std::unique_ptr<Store>(std::make_unique<FieldStore>(std::move(value)));
    }
    default: break;
  }
  if (options.refcount()) return std::unique_ptr<Store>(std::make_unique<CountedSetStore>());
  return std::unique_ptr<Store>(std::make_unique<SetStore>());
}

}  // namespace

Result<std::unique_ptr<Action>> make_members(const MappingOptions& options,
                                             const Columns& columns) {
  SLUICE_TRY_ASSIGN(auto key, make_key(options, columns));
  const bool fields = options.type() == MappingOptions::Type::hash;
  SLUICE_TRY_ASSIGN(auto member, make_text(fields ? options.field : options.member, columns,
                                           TextTemplate::Use::name));
  if (key.split() != nullptr && member.split() != nullptr &&
      (key.split()->column != member.split()->column ||
       key.split()->separator != member.split()->separator))
    return fatal(Errc::config_invalid, "key and member split different columns");
  SLUICE_TRY_ASSIGN(auto store, make_store(options, columns));
  return std::unique_ptr<Action>(std::make_unique<MembersAction>(
      options, std::move(key), std::move(member), std::move(store)));
}

}  // namespace sluice::mapping
