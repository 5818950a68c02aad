#pragma once
#include <set>
#include <string>
#include <string_view>

#include "sluice/mysql/connection.h"

namespace sluice::mysql {

// What SHOW GRANTS says of the account and its active roles.
struct Privileges {
  std::set<std::string, std::less<>>
      global;                     // on *.*, in capitals: "REPLICATION SLAVE", "ALL PRIVILEGES"
  bool select_somewhere = false;  // SELECT on some database or table

  bool has(std::string_view privilege) const {
    return global.contains("ALL PRIVILEGES") || global.contains(privilege);
  }
};

// One line of SHOW GRANTS; lines that grant roles add nothing.
void read_grant(std::string_view line, Privileges& privileges);

Result<Privileges> read_privileges(Connection& connection);

}  // namespace sluice::mysql
