#include "expr/parser.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>

#include "expr/lexer.h"

namespace sluice::expr {
namespace {

using Kind = Token::Kind;

constexpr std::array<std::string_view, 9> kKeywords{"and", "or",   "not",  "in",   "like",
                                                    "is",  "null", "true", "false"};
// Conditions are walked by recursion.
constexpr unsigned kDeepest = 100;

Node negated(Node node) {
  Node out;
  out.kind = Node::Kind::negation;
  out.children.push_back(std::move(node));
  return out;
}

Node of_operand(Node::Kind kind, Operand operand) {
  Node out;
  out.kind = kind;
  out.operands.push_back(std::move(operand));
  return out;
}

std::optional<Comparison> comparison_of(const Token& token) {
  constexpr std::array<std::pair<std::string_view, Comparison>, 6> kAll{
      {{"=", Comparison::equal},
       {"<>", Comparison::not_equal},
       {"<", Comparison::less},
       {"<=", Comparison::less_or_equal},
       {">", Comparison::greater},
       {">=", Comparison::greater_or_equal}}};
  if (token.kind != Kind::symbol) return std::nullopt;
  const auto* const found = std::find_if(
      kAll.begin(), kAll.end(), [&token](const auto& entry) { return entry.first == token.text; });
  if (found == kAll.end()) return std::nullopt;
  return found->second;
}

class Parser {
 public:
  explicit Parser(std::string_view text) : lexer_(text) {}

  Result<Node> parse() {
    SLUICE_TRY(advance());
    SLUICE_TRY_ASSIGN(Node node, condition());
    if (token_.kind != Kind::end)
      return error_at(token_.place, "and, or or the end is expected, not " + token_.shown());
    return node;
  }

 private:
  Status advance() {
    SLUICE_TRY_ASSIGN(token_, lexer_.next());
    return {};
  }
  // Goes on behind the keyword when it is there.
  Result<bool> took(std::string_view keyword) {
    if (!token_.is_keyword(keyword)) return false;
    SLUICE_TRY(advance());
    return true;
  }
  Status demand(std::string_view symbol) {
    if (!token_.is(Kind::symbol, symbol))
      return error_at(token_.place, std::string(symbol) + " is expected, not " + token_.shown());
    return advance();
  }
  Status demand_keyword(std::string_view keyword) {
    if (!token_.is_keyword(keyword))
      return error_at(token_.place, std::string(keyword) + " is expected, not " + token_.shown());
    return advance();
  }

  // One or more of `link`, with `keyword` between them.
  Result<Node> chain(Node::Kind kind, std::string_view keyword, Result<Node> (Parser::*link)()) {
    SLUICE_TRY_ASSIGN(Node first, (this->*link)());
    if (!token_.is_keyword(keyword)) return first;
    Node out;
    out.kind = kind;
    out.children.push_back(std::move(first));
    for (;;) {
      SLUICE_TRY_ASSIGN(const bool more, took(keyword));
      if (!more) return out;
      SLUICE_TRY_ASSIGN(Node next, (this->*link)());
      out.children.push_back(std::move(next));
    }
  }
  Result<Node> condition() { return chain(Node::Kind::any, "or", &Parser::conjunction); }
  Result<Node> conjunction() { return chain(Node::Kind::all, "and", &Parser::part); }

  Result<Node> part() {
    if (depth_ == kDeepest)
      return error_at(token_.place,
                      "more than " + std::to_string(kDeepest) + " levels of not and parentheses");
    ++depth_;
    Result<Node> node = part_inside();
    --depth_;
    return node;
  }
  Result<Node> part_inside() {
    SLUICE_TRY_ASSIGN(const bool negative, took("not"));
    if (negative) {
      SLUICE_TRY_ASSIGN(Node inner, part());
      return negated(std::move(inner));
    }
    if (token_.is(Kind::symbol, "(")) {
      SLUICE_TRY(advance());
      SLUICE_TRY_ASSIGN(Node inner, condition());
      SLUICE_TRY(demand(")"));
      return inner;
    }
    SLUICE_TRY_ASSIGN(Operand left, operand());
    return test(std::move(left));
  }

  Result<Node> test(Operand left) {
    if (const auto comparison = comparison_of(token_)) {
      SLUICE_TRY(advance());
      SLUICE_TRY_ASSIGN(Operand right, operand());
      Node node = of_operand(Node::Kind::comparison, std::move(left));
      node.comparison = *comparison;
      node.operands.push_back(std::move(right));
      return node;
    }
    SLUICE_TRY_ASSIGN(const bool is, took("is"));
    if (is) {
      SLUICE_TRY_ASSIGN(const bool is_not, took("not"));
      SLUICE_TRY(demand_keyword("null"));
      Node node = of_operand(Node::Kind::is_null, std::move(left));
      return is_not ? negated(std::move(node)) : std::move(node);
    }
    SLUICE_TRY_ASSIGN(const bool is_not, took("not"));
    SLUICE_TRY_ASSIGN(const bool in, took("in"));
    if (in) {
      SLUICE_TRY_ASSIGN(Node node, list(std::move(left)));
      return is_not ? negated(std::move(node)) : std::move(node);
    }
    SLUICE_TRY_ASSIGN(const bool like, took("like"));
    if (like) {
      SLUICE_TRY_ASSIGN(Node node, pattern(std::move(left)));
      return is_not ? negated(std::move(node)) : std::move(node);
    }
    if (left.kind == Operand::Kind::truth && !is_not)
      return of_operand(Node::Kind::constant, std::move(left));
    return error_at(token_.place,
                    std::string(is_not ? "in or like" : "=, <>, <, <=, >, >=, in, like or is") +
                        " is expected, not " + token_.shown());
  }

  Result<Node> list(Operand left) {
    Node node = of_operand(Node::Kind::in, std::move(left));
    SLUICE_TRY(demand("("));
    for (;;) {
      SLUICE_TRY_ASSIGN(Operand item, operand());
      if (item.kind == Operand::Kind::column)
        return error_at(item.place, "a number or text is expected, not column " + item.text);
      node.operands.push_back(std::move(item));
      if (!token_.is(Kind::symbol, ",")) break;
      SLUICE_TRY(advance());
    }
    SLUICE_TRY(demand(")"));
    return node;
  }

  Result<Node> pattern(Operand left) {
    if (token_.kind != Kind::text)
      return error_at(token_.place, "text is expected, not " + token_.shown());
    SLUICE_TRY_ASSIGN(Operand right, operand());
    Node node = of_operand(Node::Kind::like, std::move(left));
    node.operands.push_back(std::move(right));
    return node;
  }

  Result<Operand> operand() {
    Operand out;
    out.place = token_.place;
    const bool negative = token_.is(Kind::symbol, "-");
    if (negative) SLUICE_TRY(advance());
    if (negative && token_.kind != Kind::number)
      return error_at(token_.place, "a number is expected, not " + token_.shown());
    switch (token_.kind) {
      case Kind::number:
        out.kind = Operand::Kind::number;
        if (negative) out.text = "-";
        break;
      case Kind::text: out.kind = Operand::Kind::text; break;
      case Kind::name: break;
      case Kind::word:
        if (token_.is_keyword("true") || token_.is_keyword("false")) {
          out.kind = Operand::Kind::truth;
          out.truth = token_.is_keyword("true");
          break;
        }
        if (token_.is_keyword("null"))
          return error_at(token_.place, "nothing is equal to null; write is null or is not null");
        if (std::find(kKeywords.begin(), kKeywords.end(), lower(token_.text)) == kKeywords.end())
          break;
        [[fallthrough]];
      default:
        return error_at(token_.place,
                        "a column, number or text is expected, not " + token_.shown());
    }
    out.text += token_.text;
    SLUICE_TRY(advance());
    return out;
  }

  Lexer lexer_;
  Token token_;
  unsigned depth_ = 0;
};

}  // namespace

Result<Node> parse_condition(std::string_view text) {
  return Parser(text).parse();
}

}  // namespace sluice::expr
