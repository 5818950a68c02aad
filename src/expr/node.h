#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace sluice::expr {

// In the condition's text, from 1, in characters.
struct Place {
  std::uint32_t line = 1;
  std::uint32_t column = 1;
};

// What is compared.
struct Operand {
  enum class Kind : std::uint8_t { column, number, text, truth };
  Kind kind = Kind::column;
  Place place;
  std::string text;  // name; digits with their sign; characters
  bool truth = false;
};

enum class Comparison : std::uint8_t {
  equal,
  not_equal,
  less,
  less_or_equal,
  greater,
  greater_or_equal
};

// One condition, made of others or of operands.
struct Node {
  enum class Kind : std::uint8_t {
    constant,  // operands[0]: true or false
    all,       // and
    any,       // or
    negation,
    comparison,  // operands[0] `comparison` operands[1]
    in,          // operands[0] is one of the others, which are literals
    like,        // operands[0], and a pattern
    is_null,     // operands[0]
  };
  Kind kind = Kind::constant;
  Comparison comparison = Comparison::equal;
  std::vector<Node> children;
  std::vector<Operand> operands;
};

}  // namespace sluice::expr
