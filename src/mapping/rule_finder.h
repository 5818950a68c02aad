#pragma once
#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "sluice/config/options.h"

namespace sluice::mapping {

// Which entry of `tables` rules the rows of a table, by the names they go by in messages: the first
// that fits, or, without one, the first that would if letters of either case were the same (some
// sources take them so).  An entry with a logical name fits what that can become.  Views `options`.
class RuleFinder {
 public:
  explicit RuleFinder(const Options& options);
  std::optional<std::size_t> find(std::string_view database, std::string_view table) const;

 private:
  struct Entry {
    Pattern match;                   // of the entry itself
    std::optional<Pattern> logical;  // of the names that its rows go by
    bool own_database = false;       // rows keep the name of theirs
    bool fits(std::string_view database, const std::string& name) const;
  };
  static std::optional<std::size_t> first(const std::vector<Entry>& entries,
                                          std::string_view database, const std::string& name);
  std::vector<Entry> exact_, folded_;
};

}  // namespace sluice::mapping
