#include "pipeline/table_filter.h"

#include <algorithm>
#include <array>

namespace sluice::pipeline {
namespace {

constexpr std::array<std::string_view, 4> kSystemDatabases = {"mysql", "information_schema",
                                                              "performance_schema", "sys"};

bool is_system(std::string_view database, bool fold) {
  std::string name(database);
  if (fold)
    for (char& c : name)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return std::find(kSystemDatabases.begin(), kSystemDatabases.end(), name) !=
         kSystemDatabases.end();
}

event::PartitionRule partition_rule(const TableOptions& entry) {
  if (entry.single_partition()) return {event::PartitionRule::By::table, {}};
  if (entry.partition_by().empty()) return {};
  return {event::PartitionRule::By::columns, entry.partition_by()};
}

event::ColumnMask::Kind mask_kind(Mask::Kind kind) {
  switch (kind) {
    case Mask::Kind::sha256: return event::ColumnMask::Kind::sha256;
    case Mask::Kind::null: return event::ColumnMask::Kind::null;
    case Mask::Kind::fixed: break;
  }
  return event::ColumnMask::Kind::fixed;
}

}  // namespace

std::string full_name(std::string_view database, std::string_view table) {
  std::string name(database);
  name += '.';
  name += table;
  return name;
}

TableFilter::TableFilter(const Options& options, NameCase names) : options_(&options) {
  if (names == NameCase::differs) return;
  folded_.emplace();
  folded_->include = options.filter.include().ignoring_case();
  folded_->exclude = options.filter.exclude().ignoring_case();
  for (const TableOptions& entry : options.tables())
    folded_->tables.push_back(entry.match().ignoring_case());
}

const PatternList& TableFilter::include() const noexcept {
  return folded_ ? folded_->include : options_->filter.include();
}
const PatternList& TableFilter::exclude() const noexcept {
  return folded_ ? folded_->exclude : options_->filter.exclude();
}

bool TableFilter::takes(std::string_view database, std::string_view table) const {
  if (is_system(database, folded_.has_value())) return false;
  const std::string name = full_name(database, table);
  return include().matches(name) && !exclude().matches(name);
}

bool TableFilter::may_take_from(std::string_view database) const {
  return !is_system(database, folded_.has_value()) &&
         include().may_match_prefix(full_name(database, ""));
}

std::optional<std::size_t> TableFilter::entry_of(std::string_view database,
                                                 std::string_view table) const {
  const std::string name = full_name(database, table);
  for (std::size_t i = 0; i < options_->tables.size(); ++i)
    if ((folded_ ? folded_->tables[i] : options_->tables()[i].match()).matches(name)) return i;
  return std::nullopt;
}

event::TableRules TableFilter::rules(std::string_view database, std::string_view table) const {
  event::TableRules rules;
  const auto found = entry_of(database, table);
  if (!found) return rules;
  const std::string name = full_name(database, table);
  const TableOptions& entry = options_->tables()[*found];
  const Pattern& match = folded_ ? folded_->tables[*found] : entry.match();
  rules.partition = partition_rule(entry);
  // Config::check_together saw to it that the names can be made.
  rules.database = match.rewrite(name, entry.logical().database).value_or("");
  rules.table = match.rewrite(name, entry.logical().table).value_or("");
  rules.inserts = entry.operations().insert;
  rules.updates = entry.operations().update;
  rules.removes = entry.operations().remove;
  rules.when = entry.when();
  rules.shown_columns = entry.columns().include;
  rules.hidden_columns = entry.columns().exclude;
  for (const Mask& mask : entry.mask())
    rules.masks.push_back({mask.column, mask_kind(mask.kind), mask.text});
  rules.salt = entry.mask_salt();
  return rules;
}

}  // namespace sluice::pipeline
