#pragma once
// Row conditions: `status = 'active' and total > 10`.  docs/filters.md describes the language.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/base/result.h"
#include "sluice/expr/value.h"

namespace sluice::expr {

struct Node;

// A condition that has been read and knows no table yet.  A value; copies share what was read.
class Condition {
 public:
  // No condition: holds for every row.
  Condition() = default;
  // An empty text is no condition.  Errors: fatal/config_invalid, "LINE:COLUMN: what is wrong";
  // both count from 1, in characters, within `text`.
  static Result<Condition> parse(std::string_view text);

  bool empty() const noexcept { return root_ == nullptr; }
  // As it was given.
  const std::string& text() const noexcept { return text_; }
  // For Predicate; not empty().
  const Node& root() const noexcept { return *root_; }
  friend bool operator==(const Condition& a, const Condition& b) noexcept {
    return a.text_ == b.text_;
  }

 private:
  std::string text_;
  std::shared_ptr<const Node> root_;
};

// A column that conditions may name.
struct Column {
  std::string_view name;
  Type type = Type::opaque;
};

enum class Truth : std::uint8_t { no, yes, unknown };

// A condition made for the columns of one table.  Immutable; thread-safe.
class Predicate {
 public:
  // Columns are found by name without regard to the case of A-Z, as MySQL does.  Errors:
  // fatal/config_invalid, "LINE:COLUMN: ...": a column that is not there, types that do not go
  // together.
  static Result<Predicate> compile(const Condition& condition, std::span<const Column> columns);
  Predicate(Predicate&&) noexcept;
  Predicate& operator=(Predicate&&) noexcept;
  Predicate(const Predicate&) = delete;
  Predicate& operator=(const Predicate&) = delete;
  ~Predicate();

  // What evaluate() must be given, in this order: indexes into the columns of compile(), each once.
  std::span<const std::uint16_t> columns() const noexcept;
  // SQL's three-valued logic.  A row satisfies the condition when it is `yes`.  `values` are of the
  // columns' types.  Does not allocate.
  Truth evaluate(std::span<const Value> values) const noexcept;

 private:
  struct Program;
  explicit Predicate(std::unique_ptr<const Program> program) noexcept;
  std::unique_ptr<const Program> program_;
};

}  // namespace sluice::expr
