#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace sluice::mysql {

// The names of a table's unique keys in the order of SHOW CREATE TABLE, the primary key left out.
// The statement is the server's own, with names in backticks; nothing is found in a text that is
// not.
std::vector<std::string> unique_keys_in_order(std::string_view create_table);

// A foreign key that changes rows of this table when rows of its parent change.
struct ActingForeignKey {
  std::string name;
  std::string actions;  // "ON DELETE CASCADE ON UPDATE SET NULL"
};
// Those of SHOW CREATE TABLE; keys that only forbid are left out.
std::vector<ActingForeignKey> acting_foreign_keys(std::string_view create_table);

}  // namespace sluice::mysql
