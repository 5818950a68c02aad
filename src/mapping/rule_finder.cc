#include "mapping/rule_finder.h"

#include <algorithm>
#include <string>

namespace sluice::mapping {
namespace {

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

// A pattern of what `rewrite` can become: \1 stands for anything.  Empty: anything.
std::string pattern_of(const std::string& rewrite) {
  if (rewrite.empty()) return ".*";
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (std::size_t i = 0; i < rewrite.size(); ++i) {
    const char c = rewrite[i];
    if (c == '\\' && i + 1 < rewrite.size() && rewrite[i + 1] >= '0' && rewrite[i + 1] <= '9') {
      out += ".*";
      ++i;
    } else if (is_plain(c)) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out.append("\\x").append(1, kDigits[byte >> 4U]).append(1, kDigits[byte & 15U]);
    }
  }
  return out;
}

}  // namespace

RuleFinder::RuleFinder(const Options& options) {
  for (const TableOptions& table : options.tables()) {
    Entry entry{table.match(), std::nullopt, table.logical().database.empty()};
    if (!table.logical().empty())
      entry.logical.emplace(pattern_of(table.logical().database) + "\\." +
                            pattern_of(table.logical().table));
    Entry folded{entry.match.ignoring_case(), std::nullopt, entry.own_database};
    if (entry.logical) folded.logical = entry.logical->ignoring_case();
    exact_.push_back(std::move(entry));
    folded_.push_back(std::move(folded));
  }
}

bool RuleFinder::Entry::fits(std::string_view database, const std::string& name) const {
  if (!logical) return match.matches(name);
  if (own_database && !match.may_match_prefix(std::string(database) + ".")) return false;
  return logical->matches(name);
}

std::optional<std::size_t> RuleFinder::first(const std::vector<Entry>& entries,
                                             std::string_view database, const std::string& name) {
  const auto found = std::find_if(entries.begin(), entries.end(),
                                  [&](const Entry& entry) { return entry.fits(database, name); });
  if (found == entries.end()) return std::nullopt;
  return static_cast<std::size_t>(found - entries.begin());
}

std::optional<std::size_t> RuleFinder::find(std::string_view database,
                                            std::string_view table) const {
  std::string name(database);
  name.append(".").append(table);
  const auto exact = first(exact_, database, name);
  return exact ? exact : first(folded_, database, name);
}

}  // namespace sluice::mapping
