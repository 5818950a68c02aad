#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "sluice/base/result.h"
#include "sluice/binlog/rows.h"
#include "sluice/event/table_rules.h"
#include "sluice/expr/condition.h"
#include "sluice/model/table_schema.h"

namespace sluice::event {

struct ColumnPlan;

// A condition made for one table.  Immutable; thread-safe.
class RowCondition {
 public:
  // Errors: fatal/config_invalid, "when: LINE:COLUMN: ...".
  static Result<RowCondition> make(const expr::Condition& condition, const TableSchema& schema);
  // Errors: as TablePlan::satisfies().
  Result<bool> holds(const TableSchema& schema, const std::vector<ColumnPlan>& columns,
                     std::span<const binlog::Cell> cells, std::span<const binlog::Cell> before,
                     ConditionScratch& scratch) const;

 private:
  struct Input {
    std::uint16_t column = 0;
    expr::Type type = expr::Type::opaque;
    bool little_endian = false;  // integers, which are read as they are stored
    bool is_unsigned = false;
  };
  RowCondition(expr::Predicate predicate, std::vector<Input> inputs)
      : predicate_(std::move(predicate)), inputs_(std::move(inputs)) {}
  static Input input_of(const TableSchema& schema, std::uint16_t column);

  expr::Predicate predicate_;
  std::vector<Input> inputs_;  // in the order of predicate_.columns()
};

// The bytes that characters U+0000..U+00FF from `from` on stand for, in their place.
void latin1_to_bytes(TextBuffer& text, std::size_t from) noexcept;

}  // namespace sluice::event
