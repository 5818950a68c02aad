#pragma once
#include <string_view>

#include "sluice/base/result.h"

#include "expr/node.h"

namespace sluice::expr {

// Reads a whole condition.
//   condition   = conjunction { "or" conjunction }
//   conjunction = part { "and" part }
//   part        = "not" part | "(" condition ")" | "true" | "false" | operand test
//   test        = ( "=" | "<>" | "!=" | "<" | "<=" | ">" | ">=" ) operand
//               | [ "not" ] "in" "(" literal { "," literal } ")"
//               | [ "not" ] "like" text | "is" [ "not" ] "null"
//   operand     = column | literal
//   literal     = [ "-" ] number | text | "true" | "false"
// Errors: fatal/config_invalid, "LINE:COLUMN: ...".
Result<Node> parse_condition(std::string_view text);

}  // namespace sluice::expr
