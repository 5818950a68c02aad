#include "mysql/privileges.h"

#include <cstddef>
#include <string>
#include <vector>

namespace sluice::mysql {
namespace {

constexpr std::string_view kGrant = "GRANT ";
constexpr std::string_view kOn = " ON ";

// Where " ON " stands outside of names in backticks and of column lists; npos in a line that grants
// a role.
std::size_t find_on(std::string_view line) {
  bool quoted = false;
  int depth = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '`') quoted = !quoted;
    if (quoted) continue;
    if (line[i] == '(') ++depth;
    if (line[i] == ')') --depth;
    if (depth == 0 && line.substr(i, kOn.size()) == kOn) return i;
  }
  return std::string_view::npos;
}

// Splits at commas outside of column lists.
std::vector<std::string> split(std::string_view list) {
  std::vector<std::string> out(1);
  int depth = 0;
  for (const char c : list) {
    if (c == '(') ++depth;
    if (c == ')') --depth;
    if (c == ',' && depth == 0)
      out.emplace_back();
    else if (c != ' ' || !out.back().empty())
      out.back().push_back(c);
  }
  return out;
}

}  // namespace

void read_grant(std::string_view line, Privileges& privileges) {
  const std::size_t on = find_on(line);
  if (line.substr(0, kGrant.size()) != kGrant || on == std::string_view::npos) return;
  const std::string_view object = line.substr(on + kOn.size());
  const bool global = object.substr(0, 4) == "*.* ";
  for (std::string& privilege : split(line.substr(kGrant.size(), on - kGrant.size()))) {
    if (privilege.substr(0, 6) == "SELECT" || privilege == "ALL PRIVILEGES")
      privileges.select_somewhere = true;
    if (global) privileges.global.insert(std::move(privilege));
  }
}

Result<Privileges> read_privileges(Connection& connection) {
  SLUICE_TRY_ASSIGN(const ResultRows rows, connection.query("SHOW GRANTS"));
  Privileges out;
  for (const ResultRow& row : rows)
    if (!row.empty() && row[0]) read_grant(*row[0], out);
  return out;
}

}  // namespace sluice::mysql
