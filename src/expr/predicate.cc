// Conditions made for the columns of one table: names and types are checked here.
#include <algorithm>
#include <optional>
#include <utility>

#include "expr/lexer.h"
#include "expr/program.h"

namespace sluice::expr {
namespace {

constexpr std::size_t kMostColumns = Item::kLiteral;

bool is_number(Type t) {
  return t == Type::integer || t == Type::decimal || t == Type::real;
}
bool is_text(Type t) {
  return t == Type::text || t == Type::bytes;
}
bool is_day(Type t) {
  return t == Type::date || t == Type::datetime;
}

std::string_view written_as(Type t) {
  return t == Type::time ? "'23:59:59'" : "'2024-01-31' or '2024-01-31 23:59:59'";
}

// An operand that has found its type.
struct Typed {
  const Operand* operand = nullptr;
  Type type = Type::opaque;
  Item item;
  bool is_literal() const { return item.slot == Item::kLiteral; }
  std::string shown() const {
    switch (operand->kind) {
      case Operand::Kind::column: return "`" + operand->text + "`";
      case Operand::Kind::text: return "'" + operand->text + "'";
      case Operand::Kind::truth: return operand->truth ? "true" : "false";
      case Operand::Kind::number: break;
    }
    return operand->text;
  }
};

class Compiler {
 public:
  Compiler(std::span<const Column> columns, std::vector<std::uint16_t>& used,
           std::deque<std::string>& texts)
      : columns_(columns), used_(used), texts_(texts) {}

  Result<Step> compile(const Node& node) {
    Step step;
    step.kind = node.kind;
    step.comparison = node.comparison;
    for (const Node& child : node.children) {
      SLUICE_TRY_ASSIGN(Step inner, compile(child));
      step.children.push_back(std::move(inner));
    }
    SLUICE_TRY(add_items(node, step));
    return step;
  }

 private:
  Status add_items(const Node& node, Step& step) {
    if (node.kind == Node::Kind::constant) {
      step.flag = node.operands[0].truth;
      return {};
    }
    std::vector<Typed> typed;
    for (const Operand& operand : node.operands) {
      SLUICE_TRY_ASSIGN(const Typed one, type_of(operand));
      typed.push_back(one);
    }
    if (node.kind == Node::Kind::like) {
      if (!is_text(typed[0].type))
        return error_at(typed[0].operand->place, "like is for text; " + typed[0].shown() + " is " +
                                                     std::string(type_name(typed[0].type)));
      step.flag = typed[0].type == Type::bytes;
    } else {
      for (std::size_t i = 1; i < typed.size(); ++i) SLUICE_TRY(bring_together(typed[0], typed[i]));
    }
    for (Typed& one : typed) step.items.push_back(one.item);
    return {};
  }

  Result<Typed> type_of(const Operand& operand) {
    Typed out;
    out.operand = &operand;
    switch (operand.kind) {
      case Operand::Kind::column: SLUICE_TRY(find_column(out)); return out;
      case Operand::Kind::truth:
        out.type = Type::integer;
        out.item.literal = Value::of_unsigned(operand.truth ? 1 : 0);
        return out;
      case Operand::Kind::text:
        out.type = Type::text;
        out.item.literal = Value::of_text(keep(operand.text));
        return out;
      case Operand::Kind::number: break;
    }
    const std::string_view digits = keep(operand.text);
    for (const Type type : {Type::integer, Type::decimal, Type::real}) {
      const auto value = read_value(type, digits);
      if (!value) continue;
      out.type = type;
      out.item.literal = *value;
      return out;
    }
    return error_at(operand.place, operand.text + " is out of range");
  }

  Status find_column(Typed& typed) {
    const std::string& name = typed.operand->text;
    auto found = std::find_if(columns_.begin(), columns_.end(),
                              [&name](const Column& c) { return c.name == name; });
    if (found == columns_.end())
      found = std::find_if(columns_.begin(), columns_.end(),
                           [&name](const Column& c) { return lower(c.name) == lower(name); });
    if (found == columns_.end())
      return error_at(typed.operand->place, "the table has no column `" + name + "`");
    typed.type = found->type;
    const auto index = static_cast<std::uint16_t>(found - columns_.begin());
    auto slot = std::find(used_.begin(), used_.end(), index);
    if (slot == used_.end()) slot = used_.insert(slot, index);
    typed.item.slot = static_cast<std::uint16_t>(slot - used_.begin());
    return {};
  }

  // Settles how `right` is compared with `left`.
  Status bring_together(Typed& left, Typed& right) {
    for (const Typed* one : {&left, &right})
      if (one->type == Type::opaque)
        return error_at(one->operand->place,
                        one->shown() + " is " + std::string(type_name(one->type)));
    if (is_number(left.type) && is_number(right.type)) {
      const bool real = left.type == Type::real || right.type == Type::real;
      right.item.order = real ? Order::real : Order::exact;
      return {};
    }
    if (is_text(left.type) && is_text(right.type)) {
      right.item.order = Order::text;
      return {};
    }
    SLUICE_TRY(read_moment(left, right.type));
    SLUICE_TRY(read_moment(right, left.type));
    if ((is_day(left.type) && is_day(right.type)) ||
        (left.type == Type::time && right.type == Type::time)) {
      right.item.order = Order::moment;
      return {};
    }
    return error_at(right.operand->place,
                    left.shown() + " is " + std::string(type_name(left.type)) + ", " +
                        right.shown() + " is " + std::string(type_name(right.type)));
  }

  // Text beside a date or time is one.
  static Status read_moment(Typed& literal, Type other) {
    if (!literal.is_literal() || literal.type != Type::text ||
        !(is_day(other) || other == Type::time))
      return {};
    const auto value = read_value(other, literal.operand->text);
    if (!value)
      return error_at(literal.operand->place,
                      literal.shown() + " is not " + std::string(type_name(other)) +
                          ", which is written " + std::string(written_as(other)));
    literal.item.literal = *value;
    literal.type = other;
    return {};
  }

  std::string_view keep(const std::string& text) { return texts_.emplace_back(text); }

  std::span<const Column> columns_;
  std::vector<std::uint16_t>& used_;
  std::deque<std::string>& texts_;
};

}  // namespace

Predicate::Predicate(std::unique_ptr<const Program> program) noexcept
    : program_(std::move(program)) {}
Predicate::Predicate(Predicate&&) noexcept = default;
Predicate& Predicate::operator=(Predicate&&) noexcept = default;
Predicate::~Predicate() = default;

Result<Predicate> Predicate::compile(const Condition& condition, std::span<const Column> columns) {
  auto program = std::make_unique<Program>();
  if (condition.empty()) {
    program->root.flag = true;
    return Predicate(std::move(program));
  }
  if (columns.size() > kMostColumns)
    return fatal(Errc::config_invalid, "a table of so many columns");
  SLUICE_TRY_ASSIGN(program->root,
                    Compiler(columns, program->columns, program->texts).compile(condition.root()));
  return Predicate(std::move(program));
}

std::span<const std::uint16_t> Predicate::columns() const noexcept {
  return program_->columns;
}

}  // namespace sluice::expr
