#pragma once
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sluice/base/result.h"
#include "sluice/config/options.h"
#include "sluice/expr/condition.h"

#include "mapping/action.h"
#include "mapping/columns.h"

namespace sluice::mapping {

// One entry of `mappings`, made for a table.
class Mapping {
 public:
  // Errors: fatal/config_invalid.
  static Result<Mapping> make(const MappingOptions& options, const Columns& columns);

  // Errors: as Action's; poison/queue_message when the condition needs a column that is not there.
  Status apply(Change change, const Sink& sink) const;
  // Whether a change that is written once more changes nothing.
  bool repeatable() const noexcept { return repeatable_; }
  Status touch(Change change, const Sink& sink, std::vector<TouchedKey>& keys) const;

 private:
  struct Input {
    std::uint16_t column = 0;
    expr::Type type = expr::Type::opaque;
  };
  Mapping() = default;
  // Leaves out what the condition does; false: nothing is left.
  Result<bool> narrow(Change& change) const;
  Result<bool> holds(const Change& change, Image row) const;

  std::optional<expr::Predicate> when_;
  std::vector<Input> inputs_;  // in the order of when_->columns()
  bool keeps_ = false;         // what goes is kept
  bool repeatable_ = true;
  std::unique_ptr<Action> action_;
};

// All that is made of a table's rows.
class TableMapping {
 public:
  // `path`: "tables[2]", for messages.  Errors: fatal/config_invalid.
  static Result<TableMapping> make(const TableOptions& rules, const std::string& path,
                                   const Columns& columns);
  // Without an entry in `tables`, or one without mappings and script: a hash for each row, of a
  // table that has a key.
  static Result<TableMapping> make_default(const Columns& columns);
  std::span<const Mapping> mappings() const noexcept { return mappings_; }

 private:
  std::vector<Mapping> mappings_;
};

// Errors: fatal/config_invalid when what one Redis key (or member, or field) holds could come from
// several partitions.  `partition`: the columns that choose one.
Status check_identity(const MappingOptions& options, const Columns& columns,
                      const std::vector<std::uint16_t>& partition);

}  // namespace sluice::mapping
