#include "event/row_condition.h"

#include <utility>

#include "event/cells.h"
#include "event/column_plan.h"

namespace sluice::event {
namespace {

using binlog::Cell;
using binlog::CellState;

expr::Value read_little_endian(Bytes bytes, bool is_unsigned) noexcept {
  const std::uint64_t bits = little_endian(bytes);
  if (is_unsigned) return expr::Value::of_unsigned(bits);
  const auto above = static_cast<unsigned>(64 - 8 * bytes.size());  // 1 to 8 bytes: RowLayout
  return expr::Value::of_signed(static_cast<std::int64_t>(bits << above) >> above);
}

}  // namespace

void latin1_to_bytes(TextBuffer& text, std::size_t from) noexcept {
  char* to = text.data() + from;
  for (std::size_t i = from; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text.data()[i]);
    if (c < 0x80 || i + 1 == text.size()) {
      *to++ = static_cast<char>(c);
    } else {  // C2 xx or C3 xx
      *to++ = static_cast<char>((c & 0x03U) << 6U |
                                (static_cast<unsigned char>(text.data()[++i]) & 0x3FU));
    }
  }
  text.truncate(static_cast<std::size_t>(to - text.data()));
}

RowCondition::Input RowCondition::input_of(const TableSchema& schema, std::uint16_t column) {
  const ColumnSchema& c = schema.columns[column];
  Input out;
  out.column = column;
  out.type = expr::type_of(c.type);
  out.little_endian = out.type == expr::Type::integer && c.type != DeclaredType::bit &&
                      c.type != DeclaredType::year;
  out.is_unsigned = c.is_unsigned;
  return out;
}

Result<RowCondition> RowCondition::make(const expr::Condition& condition,
                                        const TableSchema& schema) {
  std::vector<expr::Column> columns;
  for (const ColumnSchema& c : schema.columns) columns.push_back({c.name, expr::type_of(c.type)});
  auto predicate = expr::Predicate::compile(condition, columns);
  if (!predicate) return std::move(predicate).error().at("when");
  std::vector<Input> inputs;
  for (const std::uint16_t column : predicate->columns())
    inputs.push_back(input_of(schema, column));
  return RowCondition(std::move(predicate).value(), std::move(inputs));
}

Result<bool> RowCondition::holds(const TableSchema& schema, const std::vector<ColumnPlan>& columns,
                                 std::span<const Cell> cells, std::span<const Cell> before,
                                 ConditionScratch& scratch) const {
  scratch.values.resize(inputs_.size());
  if (scratch.texts.size() < inputs_.size()) scratch.texts.resize(inputs_.size());
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    const Input& input = inputs_[i];
    expr::Value& value = scratch.values[i];
    const Cell cell = cell_of(cells, before, input.column);
    if (cell.state == CellState::absent)
      return fatal(Errc::binlog_unsupported,
                   schema.database + "." + schema.name + "." + schema.columns[input.column].name +
                       ": the row image lacks this column, which the condition of its `tables` "
                       "entry needs (set binlog_row_image=FULL)");
    if (cell.state == CellState::null) {
      value = {};
      continue;
    }
    if (input.type == expr::Type::opaque) {
      value = expr::Value::opaque();
      continue;
    }
    if (input.little_endian) {
      value = read_little_endian(cell.bytes, input.is_unsigned);
      continue;
    }
    TextBuffer& text = scratch.texts[i];
    text.clear();
    const ColumnPlan& column = columns[input.column];
    const Rendered r = column.raw(column, cell.bytes, text);
    if (r != Rendered::ok && r != Rendered::replaced) return render_error(r, schema, input.column);
    if (input.type == expr::Type::bytes) latin1_to_bytes(text, 0);
    const auto read = expr::read_value(input.type, text.view());
    if (!read) return render_error(Rendered::bad_value, schema, input.column);
    value = *read;
  }
  return predicate_.evaluate(scratch.values) == expr::Truth::yes;
}

}  // namespace sluice::event
