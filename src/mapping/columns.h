#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/base/result.h"
#include "sluice/expr/value.h"
#include "sluice/model/change_view.h"
#include "sluice/model/table_schema.h"

namespace sluice::mapping {

// A table's columns as mappings see them: those that its lines show.
class Columns {
 public:
  struct Column {
    std::string name;
    DeclaredType declared = DeclaredType::unknown;
    expr::Type type = expr::Type::opaque;
    std::uint8_t scale = 0;  // of a DECIMAL
    bool binary = false;
  };
  Columns(std::string_view database, std::string_view table, const ChangeView::Shown& shown,
          const std::vector<std::string_view>& key);

  const std::string& database() const noexcept { return database_; }
  const std::string& table() const noexcept { return table_; }
  const std::vector<Column>& all() const noexcept { return columns_; }
  const Column& operator[](std::uint16_t n) const noexcept { return columns_[n]; }
  // Of the row's key, in its order; empty: it has none.
  const std::vector<std::uint16_t>& key() const noexcept { return key_; }
  // The number of the column, letters of either case being equal.  Errors: fatal/config_invalid
  // with the names there are.
  Result<std::uint16_t> find(std::string_view name) const;

 private:
  std::string database_, table_;
  std::vector<Column> columns_;
  std::vector<std::uint16_t> key_;
};

}  // namespace sluice::mapping
