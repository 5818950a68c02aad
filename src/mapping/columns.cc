#include "mapping/columns.h"

#include <algorithm>

#include "sluice/base/names.h"
#include "sluice/schema/catalog.h"

namespace sluice::mapping {

Columns::Columns(std::string_view database, std::string_view table, const ChangeView::Shown& shown,
                 const std::vector<std::string_view>& key)
    : database_(database), table_(table) {
  columns_.reserve(shown.columns.size());
  for (const auto& c : shown.columns) {
    ColumnSchema schema;
    // A type that is not known (or was not said) can be used as it is written, and no more.
    if (!schema::parse_column_type(c.mysql_type, schema).ok()) schema = {};
    columns_.push_back({c.name, schema.type, expr::type_of(schema.type), schema.scale, c.binary});
  }
  for (const std::string_view name : key) {
    const auto found = std::find_if(columns_.begin(), columns_.end(),
                                    [name](const Column& c) { return c.name == name; });
    if (found != columns_.end())
      key_.push_back(static_cast<std::uint16_t>(found - columns_.begin()));
  }
}

Result<std::uint16_t> Columns::find(std::string_view name) const {
  for (std::size_t i = 0; i < columns_.size(); ++i)
    if (columns_[i].name == name) return static_cast<std::uint16_t>(i);
  const auto found = std::find_if(columns_.begin(), columns_.end(), [name](const Column& c) {
    return same_ascii_name(c.name, name);
  });
  if (found != columns_.end()) return static_cast<std::uint16_t>(found - columns_.begin());
  std::string names;
  for (const Column& c : columns_) names.append(names.empty() ? "" : ", ").append(c.name);
  return fatal(Errc::config_invalid, database_ + "." + table_ + " has no column " +
                                         std::string(name) + "; it has " + names);
}

}  // namespace sluice::mapping
