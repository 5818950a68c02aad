// Sums of a column, or numbers of rows.
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "mapping/action.h"

namespace sluice::mapping {
namespace {

using Field = ChangeView::Field;

// "-12.50" of a DECIMAL(n,2): -1250.  Nothing when it has more than 64 bits.
std::optional<std::int64_t> scaled(std::string_view text) {
  std::array<char, 80> digits{};  // DECIMAL has 65 digits at most
  std::size_t n = 0;
  for (const char c : text) {
    if (c == '.') continue;
    if (n == digits.size()) return std::nullopt;
    digits[n++] = c;
  }
  std::int64_t value = 0;
  const auto [end, failed] = std::from_chars(digits.data(), digits.data() + n, value);
  if (failed != std::errc{} || end != digits.data() + n) return std::nullopt;
  return value;
}

// One sum: a key, or a field of a hash.
class CounterAction final : public Action {
 public:
  CounterAction(const MappingOptions& options, TextTemplate key, std::optional<TextTemplate> field,
                std::optional<std::uint16_t> amount)
      : key_(std::move(key)), field_(std::move(field)), amount_(amount), ttl_(options.ttl()) {
    used_ = key_.used();
    if (field_) used_.insert(used_.end(), field_->used().begin(), field_->used().end());
  }

  Status apply(const Change& change, const Sink& sink) const override {
    return each_sum(change, sink, [&](const Sum& sum, std::int64_t amount) {
      std::array<char, 20> digits{};
      const char* end = write_int(digits.data(), amount);
      const std::string_view number(digits.data(), static_cast<std::size_t>(end - digits.data()));
      if (field_)
        sink.command({"HINCRBY", sum.key, sum.field, number});
      else
        sink.command({"INCRBY", sum.key, number});
      expire(sum.key, ttl_, sink);
    });
  }

  Status touch(const Change& change, const Sink& sink,
               std::vector<TouchedKey>& keys) const override {
    return each_sum(change, sink, [&](const Sum& sum, std::int64_t amount) {
      TouchedKey& touched = keys.emplace_back();
      touched.key = sum.key;
      touched.type = field_ ? "hash" : "string";
      touched.added = amount;
      touched.field = sum.field;
    });
  }

 private:
  // Views into Memory.
  struct Sum {
    std::string_view key, field;
  };

  // Calls f(sum, amount) for each sum that the change adds to.
  template <class F>
  Status each_sum(const Change& change, const Sink& sink, F f) const {
    std::int64_t before = 0;
    std::int64_t after = 0;
    if (change.was) {
      SLUICE_TRY_ASSIGN(before, amount_of(change, change.before));
    }
    if (change.is) {
      SLUICE_TRY_ASSIGN(after, amount_of(change, change.after));
    }
    const bool one = change.was && change.is && !change.differs(used_);
    std::int64_t gone = 0;  // what the row adds no more
    if (__builtin_sub_overflow(one ? after : 0, before, &gone))
      return row_error(change, "a change of more than the 64 bits that Redis counts in");
    if (one) return with_sum(change, change.after, gone, sink, f);
    if (change.was) SLUICE_TRY(with_sum(change, change.before, gone, sink, f));
    if (change.is) SLUICE_TRY(with_sum(change, change.after, after, sink, f));
    return {};
  }

  Result<std::int64_t> amount_of(const Change& change, Image row) const {
    if (!amount_) return std::int64_t{1};
    const Field* f = row[*amount_];
    if (f == nullptr) return row_error(change, "the row lacks the column that is summed");
    if (f->is_null) return std::int64_t{0};
    const auto value = scaled(f->value);
    if (!value)
      return row_error(change, "the value of " + std::string(f->name) +
                                   " is beyond the 64 bits that Redis counts in");
    return *value;
  }

  template <class F>
  Status with_sum(const Change& change, Image row, std::int64_t amount, const Sink& sink,
                  F& f) const {
    if (amount == 0) return {};
    Memory& m = *sink.memory;
    m.text.clear();
    m.value.clear();
    SLUICE_TRY_ASSIGN(const auto key, text_of(key_, change, row, m.text, m.work));
    if (!key) return {};
    Sum sum{*key, {}};
    if (field_) {
      SLUICE_TRY_ASSIGN(const auto field, text_of(*field_, change, row, m.value, m.work));
      if (!field) return {};
      sum.field = *field;
    }
    f(sum, amount);
    return {};
  }

  TextTemplate key_;
  std::optional<TextTemplate> field_;
  std::optional<std::uint16_t> amount_;  // nothing: rows are counted
  std::vector<std::uint16_t> used_;
  std::chrono::milliseconds ttl_;
};

}  // namespace

Result<std::unique_ptr<Action>> make_counter(const MappingOptions& options,
                                             const Columns& columns) {
  SLUICE_TRY_ASSIGN(auto key, make_key(options, columns));
  std::optional<TextTemplate> field;
  if (!options.field().empty()) {
    SLUICE_TRY_ASSIGN(field, make_text(options.field, columns, TextTemplate::Use::name));
  }
  std::optional<std::uint16_t> amount;
  if (!options.amount().empty()) {
    auto column = columns.find(options.amount());
    if (!column) return std::move(column).error().at("amount");
    amount = *column;
    const expr::Type type = columns[*column].type;
    if (type == expr::Type::real)
      return fatal(Errc::config_invalid,
                   "amount: " + columns[*column].name +
                       " is FLOAT or DOUBLE, whose sums depend on their order: use DECIMAL");
    if (type != expr::Type::integer && type != expr::Type::decimal)
      return fatal(Errc::config_invalid, "amount: " + columns[*column].name + " is " +
                                             std::string(expr::type_name(type)) +
                                             ", not a whole number or DECIMAL");
  }
  return std::unique_ptr<Action>(
      std::make_unique<CounterAction>(options, std::move(key), std::move(field), amount));
}

}  // namespace sluice::mapping
