#pragma once
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "sluice/expr/condition.h"

#include "expr/node.h"

namespace sluice::expr {

// How two values of known types are compared.
enum class Order : std::uint8_t { exact, real, text, moment };

// A value to come, or a literal.
struct Item {
  static constexpr std::uint16_t kLiteral = 0xFFFF;
  std::uint16_t slot = kLiteral;  // into the values of evaluate()
  Value literal;                  // text views into Program::texts
  Order order = Order::exact;     // how it is compared with the first item of its step
};

struct Step {
  Node::Kind kind = Node::Kind::constant;
  Comparison comparison = Comparison::equal;
  bool flag = false;  // constant: its truth; like: on bytes
  std::vector<Step> children;
  std::vector<Item> items;
};

struct Predicate::Program {
  Step root;
  std::vector<std::uint16_t> columns;  // by slot
  std::deque<std::string> texts;       // of literals; stay where they are
};

}  // namespace sluice::expr
