#include "sluice/expr/condition.h"

#include <utility>

#include "expr/node.h"
#include "expr/parser.h"

namespace sluice::expr {

Result<Condition> Condition::parse(std::string_view text) {
  Condition out;
  out.text_ = text;
  if (text.empty()) return out;
  SLUICE_TRY_ASSIGN(Node root, parse_condition(text));
  out.root_ = std::make_shared<const Node>(std::move(root));
  return out;
}

}  // namespace sluice::expr
