// What one Redis key, member or field holds comes from one partition: otherwise the later of two
// rows could be written first.
#include <algorithm>
#include <set>

#include "sluice/mapping/mapper.h"

#include "mapping/table_mapping.h"

namespace sluice::mapping {
namespace {

using Type = MappingOptions::Type;

// Whether it does not matter what comes first.
bool any_order(const MappingOptions& options) {
  switch (options.type()) {
    case Type::counter:     // sums
    case Type::publish:     // kept nowhere
    case Type::invalidate:  // what is gone cannot be stale
    case Type::none: return true;
    case Type::set: return options.refcount();
    default: return false;
  }
}

std::string list_of(const std::set<std::uint16_t>& numbers, const Columns& columns) {
  std::string out;
  for (const std::uint16_t n : numbers) out.append(out.empty() ? "" : ", ").append(columns[n].name);
  return out;
}

// The columns that the key, and the member or field in it, tell.
Result<std::set<std::uint16_t>> told_by(const MappingOptions& options, const Columns& columns) {
  SLUICE_TRY_ASSIGN(const auto key, make_key(options, columns));
  std::set<std::uint16_t> out(key.told().begin(), key.told().end());
  const bool members =
      options.type() == Type::set || options.type() == Type::zset || options.type() == Type::geo;
  const auto& inner = options.type() == Type::hash ? options.field : options.member;
  if ((members || options.type() == Type::hash) && !inner().empty()) {
    SLUICE_TRY_ASSIGN(const auto member, make_text(inner, columns, TextTemplate::Use::name));
    out.insert(member.told().begin(), member.told().end());
  }
  return out;
}

}  // namespace

Status check_identity(const MappingOptions& options, const Columns& columns,
                      const std::vector<std::uint16_t>& partition) {
  if (any_order(options) || partition.empty()) return {};
  SLUICE_TRY_ASSIGN(const auto told, told_by(options, columns));
  const bool kept = std::all_of(partition.begin(), partition.end(),
                                [&told](std::uint16_t n) { return told.count(n) != 0; });
  if (kept) return {};
  const std::set<std::uint16_t> by(partition.begin(), partition.end());
  std::string remedy = "set single_partition: true for the table";
  if (!told.empty()) remedy.insert(0, "set partition_by: [" + list_of(told, columns) + "], or ");
  return fatal(Errc::config_invalid,
               "rows of several partitions (which " + list_of(by, columns) +
                   " choose) can be one and the same in Redis, and the older could be written "
                   "last: " +
                   remedy);
}

namespace {

// What a script writes is known to nobody but its author.
Status check_script(const TableOptions& table, const Columns& columns,
                    const std::vector<std::uint16_t>& partition) {
  std::set<std::uint16_t> told;
  for (const std::string& name : table.script_key_columns()) {
    auto column = columns.find(name);
    if (!column) return std::move(column).error().at("script_key_columns");
    told.insert(*column);
  }
  if (table.script().empty()) return {};
  const std::set<std::uint16_t> by(partition.begin(), partition.end());
  if (std::includes(told.begin(), told.end(), by.begin(), by.end())) return {};
  std::string remedy = "set single_partition: true for the table";
  if (told.empty())
    remedy.append(", or script_key_columns: [")
        .append(list_of(by, columns))
        .append("] if these are in every key (or member) that the script writes to");
  else
    remedy.insert(0, "set partition_by: [" + list_of(told, columns) + "], or ");
  return fatal(Errc::config_invalid,
               "rows of several partitions (which " + list_of(by, columns) +
                   " choose) may be one and the same in Redis by what its script does, and the "
                   "older could be written last: " +
                   remedy);
}

Columns columns_of(const TableSchema& schema, const std::vector<std::string>& hidden) {
  ChangeView::Shown shown;
  for (const ColumnSchema& c : schema.columns)
    if (std::find(hidden.begin(), hidden.end(), c.name) == hidden.end())
      shown.columns.push_back({c.name, c.mysql_type, is_binary(c.type)});
  const auto key = schema.row_key_names();
  return {schema.database, schema.name, shown, {key.begin(), key.end()}};
}

std::string path_of(std::optional<std::size_t> entry) {
  return entry ? "tables[" + std::to_string(*entry) + "]" : std::string("no entry of tables");
}

// Of the entry, or the one that is without it.
std::vector<const MappingOptions*> mappings_of(const Options& options,
                                               std::optional<std::size_t> entry,
                                               const Columns& columns) {
  static const MappingOptions by_default(nullptr, "", "");
  if (!entry ||
      (options.tables()[*entry].mappings.size() == 0 && options.tables()[*entry].script().empty()))
    return columns.key().empty() ? std::vector<const MappingOptions*>()
                                 : std::vector<const MappingOptions*>{&by_default};
  std::vector<const MappingOptions*> out;
  for (const MappingOptions& m : options.tables()[*entry].mappings()) out.push_back(&m);
  return out;
}

}  // namespace

Status check(const Options& options, std::optional<std::size_t> entry, const TableSchema& schema,
             const std::vector<std::string>& hidden, const std::vector<std::string>& partition) {
  const Columns columns = columns_of(schema, hidden);
  const std::string path = path_of(entry);
  if (entry) SLUICE_TRY(TableMapping::make(options.tables()[*entry], path, columns));
  std::vector<std::uint16_t> by;
  for (const std::string& name : partition) {
    SLUICE_TRY_ASSIGN(const auto column, columns.find(name));
    by.push_back(column);
  }
  const auto mappings = mappings_of(options, entry, columns);
  for (std::size_t i = 0; i < mappings.size(); ++i)
    if (Status s = check_identity(*mappings[i], columns, by); !s.ok())
      return std::move(s).error().at(path + ".mappings[" + std::to_string(i) + "] for " +
                                     schema.database + "." + schema.name);
  if (!entry) return {};
  Status s = check_script(options.tables()[*entry], columns, by);
  if (s.ok()) return s;
  return std::move(s).error().at(path + ".script for " + schema.database + "." + schema.name);
}

Result<std::vector<KeyPattern>> key_patterns(const Options& options,
                                             std::optional<std::size_t> entry,
                                             const TableSchema& schema,
                                             const std::vector<std::string>& hidden) {
  const Columns columns = columns_of(schema, hidden);
  std::vector<KeyPattern> out;
  const auto mappings = mappings_of(options, entry, columns);
  for (std::size_t i = 0; i < mappings.size(); ++i) {
    const MappingOptions& m = *mappings[i];
    if (m.type() == Type::stream || m.type() == Type::publish || m.type() == Type::invalidate ||
        m.type() == Type::none)
      continue;
    const std::string name = path_of(entry) + ".mappings[" + std::to_string(i) + "]";
    auto key = make_key(m, columns);
    if (!key) return std::move(key).error().at(name);
    out.push_back({name, key->glob(), std::string(key->prefix())});
    if (m.refcount()) out.push_back({name, key->glob() + ":refs", std::string(key->prefix())});
  }
  return out;
}

}  // namespace sluice::mapping
