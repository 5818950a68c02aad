#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/config/options.h"
#include "sluice/event/table_rules.h"

namespace sluice::pipeline {

// "database.table", as patterns and messages for people have it.
std::string full_name(std::string_view database, std::string_view table);

// Whether two names are one that differ only in the case of their letters: the source says so
// (lower_case_table_names).
enum class NameCase : std::uint8_t { differs, is_the_same };

// Which tables are taken, and by which rules.  Views `options`; immutable, thread-safe.
class TableFilter {
 public:
  explicit TableFilter(const Options& options, NameCase names = NameCase::differs);
  // System databases are never taken.
  bool takes(std::string_view database, std::string_view table) const;
  // False only when no table of this database can be taken.
  bool may_take_from(std::string_view database) const;
  event::TableRules rules(std::string_view database, std::string_view table) const;
  // The entry of `tables` that rules(); nothing: none does.
  std::optional<std::size_t> entry_of(std::string_view database, std::string_view table) const;

 private:
  // The patterns of the options, to which letters of either case are the same.
  struct Folded {
    PatternList include, exclude;
    std::vector<Pattern> tables;
  };
  const PatternList& include() const noexcept;
  const PatternList& exclude() const noexcept;

  const Options* options_;
  std::optional<Folded> folded_;
};

}  // namespace sluice::pipeline
