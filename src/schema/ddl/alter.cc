// What ALTER TABLE makes of a table (mysql-server and MariaDB: sql/sql_table.cc
// mysql_prepare_alter_table, MariaDB: handle_if_exists_options).
#include "schema/ddl/alter.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "sluice/base/charset.h"

#include "schema/ddl/alter_columns.h"
#include "schema/ddl/resolve.h"

namespace sluice::schema::ddl {
namespace {

bool has_length(DeclaredType type) noexcept {
  return type == DeclaredType::char_ || type == DeclaredType::varchar ||
         type == DeclaredType::binary || type == DeclaredType::varbinary;
}

std::uint32_t bytes_per_char(const ColumnSchema& column) {
  const Charset* charset = Charset::by_name(column.charset);
  return charset == nullptr ? 1 : charset->max_bytes_per_char();
}

// A key on an ENUM or SET is as long as its number.  MySQL takes that for the length of a prefix
// when the column becomes text.
std::uint32_t label_prefix(const ColumnSchema& column) {
  const std::size_t labels = column.labels.size();
  const bool is_set = column.type == DeclaredType::set;
  std::size_t bytes = labels < 256 ? 1 : 2;
  if (is_set) bytes = (labels + 7) / 8;
  if (is_set && bytes > 4) bytes = 8;
  std::size_t longest = 0, all = labels == 0 ? 0 : labels - 1;  // a comma between each two
  for (const std::string& label : column.labels) {
    const auto characters =
        static_cast<std::size_t>(std::count_if(label.begin(), label.end(), [](char c) {
          return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
        }));
    longest = std::max(longest, characters);
    all += characters;
  }
  const std::size_t length = (is_set ? all : longest) * bytes_per_char(column);
  return length == bytes ? 0 : static_cast<std::uint32_t>(bytes) / bytes_per_char(column);
}

class Alteration {
 public:
  Alteration(const Cursor& in, const AlterTable& change, const TableSchema& before,
             std::string_view default_charset)
      : in_(in),
        change_(change),
        before_(before),
        default_charset_(default_charset),
        detail_(before.detail ? *before.detail : told_by_keys(before)) {}

  Result<TableSchema> run() {
    if (change_.anew == Anew::by_effect && !has_effect()) return before_;
    SLUICE_TRY(check_told());
    SLUICE_TRY(set_charset());
    SLUICE_TRY(set_columns());
    SLUICE_TRY(keep_keys());
    SLUICE_TRY(add_keys());
    SLUICE_TRY(set_periods());
    draft_.sorts_keys = sorts_keys();
    draft_.system_versioned =
        (detail_.system_versioned && !change_.drop_versioning) || change_.added.system_versioned;
    SLUICE_TRY_ASSIGN(TableSchema table, finish(in_, std::move(draft_)));
    table.database = before_.database;
    table.name = before_.name;
    if (!before_.detail) table.detail.reset();
    if (is_maybe_left(table))
      return in_.error("whether the server made the keys anew is not known");
    return table;
  }

 private:
  // Of a table that was told without its detail.
  static TableDetail told_by_keys(const TableSchema& table) {
    TableDetail out;
    const auto add = [&out](IndexSchema::Kind kind, std::string name,
                            const std::vector<std::uint16_t>& columns, bool prefix) {
      IndexSchema index;
      index.kind = kind;
      index.name = std::move(name);
      for (const std::uint16_t c : columns)
        index.parts.push_back({c, prefix ? IndexPart::kPrefix : 0, false});
      out.indexes.push_back(std::move(index));
    };
    if (!table.primary_key.empty())
      add(IndexSchema::Kind::primary, "PRIMARY", table.primary_key, false);
    for (const UniqueKey& key : table.unique_keys)
      add(IndexSchema::Kind::unique, key.name, key.columns, key.prefix);
    return out;
  }

  // Without the detail nobody knows whether these are MariaDB's row_start and row_end.
  Status check_told() const {
    if (before_.detail || in_.context().flavor != Flavor::mariadb) return {};
    const bool versioned =
        std::any_of(before_.columns.begin(), before_.columns.end(), [](const ColumnSchema& c) {
          return c.generated && !c.nullable && (c.type == DeclaredType::timestamp || c.is_unsigned);
        });
    if (!versioned) return {};
    return in_.error("it is not known whether the table has system versioning");
  }

  // True when the server may have left the table as it was.
  bool is_maybe_left(const TableSchema& after) const {
    if (change_.anew == Anew::always || after == before_ || changes_columns()) return false;
    if (change_.anew == Anew::not_known && !has_effect()) return true;
    // Nothing is done when each key is what it was, with its comment and the like, too; then their
    // order stays.
    const auto& keys = after.detail ? after.detail->indexes : detail_.indexes;
    return after.columns == before_.columns &&
           std::is_permutation(keys.begin(), keys.end(), detail_.indexes.begin(),
                               detail_.indexes.end());
  }
  bool changes_columns() const {
    return std::any_of(change_.columns.begin(), change_.columns.end(),
                       [this](const ColumnAction& a) { return has_effect(a); });
  }
  // True when one of the actions does something.
  bool has_effect() const {
    return changes_columns() ||
           std::any_of(change_.added.keys.begin(), change_.added.keys.end(),
                       [this](const KeyDefinition& k) { return !is_left_out(k); }) ||
           std::any_of(
               detail_.indexes.begin(), detail_.indexes.end(), [this](const IndexSchema& index) {
                 return std::any_of(change_.keys.begin(), change_.keys.end(),
                                    [&](const KeyAction& action) { return drops(action, index); });
               });
  }
  bool has_effect(const ColumnAction& action) const {
    const bool adds = action.kind == ColumnAction::Kind::add;
    const std::string& name = adds ? action.definition.name : action.name;
    const auto& columns = before_.columns;
    return adds != std::any_of(columns.begin(), columns.end(),
                               [&name](const ColumnSchema& c) { return same_name(c.name, name); });
  }

  Status set_charset() {
    const bool to_default = change_.added.charset == kDefaultCharset;
    SLUICE_TRY_ASSIGN(
        draft_.charset,
        resolve_charset(in_, change_.added.charset, change_.added.collation,
                        to_default ? default_charset_ : std::string_view(detail_.charset),
                        in_.offset()));
    if (!change_.convert) return {};
    SLUICE_TRY_ASSIGN(convert_,
                      resolve_charset(in_, change_.convert_charset, change_.convert_collation,
                                      default_charset_, in_.offset()));
    if (convert_.empty()) return in_.error("the character set of the database is not known");
    // MariaDB takes a default charset beside it as that of columns to come.
    const bool both = !change_.added.charset.empty() || !change_.added.collation.empty();
    if (!both || in_.context().flavor == Flavor::mysql) draft_.charset = convert_;
    return {};
  }

  Status set_columns() {
    std::vector<ColumnSchema> before = before_.columns;
    if (hides_columns(detail_) && before.size() >= kHidden) before.resize(before.size() - kHidden);
    const ColumnContext context{draft_.charset, convert_};
    SLUICE_TRY_ASSIGN(columns_, alter_columns(in_, change_.columns, before, context));
    draft_.columns.reserve(columns_.size());
    for (const AlteredColumn& c : columns_) draft_.columns.push_back(c.column);
    return {};
  }

  const AlteredColumn* column_now(std::uint16_t old) const {
    const auto found = std::find_if(columns_.begin(), columns_.end(),
                                    [old](const AlteredColumn& c) { return c.old == old; });
    return found == columns_.end() ? nullptr : &*found;
  }

  bool drops(const KeyAction& action, const IndexSchema& index) const {
    const bool named = same_name(action.name, index.name);
    switch (action.kind) {
      case KeyAction::Kind::drop: return named;
      case KeyAction::Kind::drop_primary: return index.kind == IndexSchema::Kind::primary;
      case KeyAction::Kind::drop_constraint:
        if (!named || index.kind == IndexSchema::Kind::other) return false;
        // MariaDB does not find a key that it makes by a hash.
        return in_.context().flavor == Flavor::mysql || !is_hashed(before_.columns, index);
      case KeyAction::Kind::rename: break;
    }
    return false;
  }

  // The keys there are, without those that are dropped.
  Status keep_keys() {
    std::vector<bool> done(change_.keys.size(), false);
    for (const IndexSchema& index : detail_.indexes) {
      std::string name = index.name;
      bool dropped = is_replaced(index);
      for (std::size_t i = 0; i < change_.keys.size(); ++i) {
        const KeyAction& action = change_.keys[i];
        const bool renamed =
            action.kind == KeyAction::Kind::rename && same_name(action.name, index.name);
        const bool drop = drops(action, index);
        if (renamed) name = action.new_name;
        dropped = dropped || drop;
        done[i] = done[i] || renamed || drop;
      }
      if (!dropped) SLUICE_TRY(keep_key(index, std::move(name)));
    }
    for (std::size_t i = 0; i < done.size(); ++i) {
      const KeyAction& action = change_.keys[i];
      // It may be a check or a foreign key, or a key that was not told.
      const bool maybe =
          action.conditional || !before_.detail || action.kind == KeyAction::Kind::drop_constraint;
      if (!done[i] && !maybe)
        return in_.error_at(
            action.at, "there is no key `" +
                           (action.kind == KeyAction::Kind::drop_primary ? std::string("PRIMARY")
                                                                         : action.name) +
                           "`");
    }
    return {};
  }

  Status keep_key(const IndexSchema& index, std::string name) {
    KeyDefinition key;
    key.kind = kind_of(index);
    // The servers take a key that is given a name for one of the user's own.
    if (index.implied && name != index.name) key.kind = KeyKind::index;
    key.name = std::move(name);
    key.without_overlaps = index.period;
    key.at = in_.offset();
    for (const IndexPart& part : index.parts) {
      KeyPart kept;
      kept.at = key.at;
      kept.descending = part.descending;
      if (part.column != IndexPart::kExpression) {
        const AlteredColumn* column = column_now(part.column);
        if (column == nullptr) continue;  // dropped
        kept.column = column->column.name;
        if (part.length == IndexPart::kPrefix && column->redefined)
          return in_.error("how long a prefix of `" + kept.column + "` key `" + index.name +
                           "` has is not known");
        kept.prefix = prefix_now(index, part, before_.columns[part.column], column->column);
      }
      key.parts.push_back(std::move(kept));
    }
    if (!key.parts.empty()) draft_.keys.push_back(std::move(key));
    return {};
  }

  std::uint64_t prefix_now(const IndexSchema& index, const IndexPart& part,
                           const ColumnSchema& before, const ColumnSchema& now) const {
    const bool labels = before.type == DeclaredType::enum_ || before.type == DeclaredType::set;
    const auto too_short = [&now](std::uint32_t prefix) {
      return has_length(now.type) && now.length < prefix;
    };
    if (labels && takes_prefix(now.type) && in_.context().flavor == Flavor::mysql) {
      const std::uint32_t prefix = label_prefix(before);
      return too_short(prefix) ? 0 : prefix;
    }
    if (part.length == IndexPart::kPrefix) return part.length;
    const std::uint32_t length = told_length(in_, index, part, before);
    if (length == 0) return 0;
    if (!takes_prefix(before.type) || !takes_prefix(now.type)) return 0;
    if (has_length(before.type) && before.length == length) return 0;
    return too_short(length) ? 0 : length;
  }

  // CREATE OR REPLACE INDEX
  bool is_replaced(const IndexSchema& index) const {
    return std::any_of(change_.added.keys.begin(), change_.added.keys.end(),
                       [&index](const KeyDefinition& key) {
                         return key.or_replace && same_name(key.name, index.name);
                       });
  }

  // The name that IF NOT EXISTS looks for.
  static std::string_view looked_for(const KeyDefinition& key) {
    if (key.kind == KeyKind::primary) return "PRIMARY";
    if (key.name.empty() && !key.parts.empty()) return key.parts.front().column;
    return key.name;
  }

  bool is_there(const KeyDefinition& key) const {
    const std::string_view name = looked_for(key);
    const auto& added = change_.added.keys;
    return std::any_of(detail_.indexes.begin(), detail_.indexes.end(),
                       [name](const IndexSchema& index) { return same_name(index.name, name); }) ||
           std::any_of(added.begin(), added.begin() + (&key - added.data()),
                       [name, &key](const KeyDefinition& other) {
                         return other.kind == key.kind && same_name(looked_for(other), name);
                       });
  }

  bool is_left_out(const KeyDefinition& key) const {
    return key.if_not_exists && key.kind != KeyKind::foreign && is_there(key);
  }

  Status add_keys() {
    for (const KeyDefinition& key : change_.added.keys) {
      if (is_left_out(key)) continue;
      if (!before_.detail && key.kind == KeyKind::unique && key.name.empty())
        return in_.error_at(key.at, "the names of the table's keys are not all known");
      draft_.keys.push_back(key);
      added_keys_ = true;
    }
    return {};
  }

  // MariaDB leaves the keys in their order unless one is added, or the first of them, which
  // identified rows, does so no more, but was not dropped as such.
  bool sorts_keys() const {
    if (in_.context().flavor == Flavor::mysql || added_keys_) return true;
    if (detail_.indexes.empty()) return false;
    const IndexSchema& first = detail_.indexes.front();
    if (first.kind == IndexSchema::Kind::other || is_hashed(before_.columns, first)) return false;
    if (std::any_of(change_.keys.begin(), change_.keys.end(),
                    [&](const KeyAction& action) { return drops(action, first); }))
      return false;
    bool becomes_nullable = false, is_gone = true;
    for (const IndexPart& part : first.parts) {
      if (part.column == IndexPart::kExpression || before_.columns[part.column].nullable ||
          (part.length != 0 && first.kind == IndexSchema::Kind::unique))
        return false;
      const AlteredColumn* now = column_now(part.column);
      is_gone = is_gone && now == nullptr;
      becomes_nullable = becomes_nullable || (now != nullptr && now->column.nullable);
    }
    return is_gone || (becomes_nullable && first.kind == IndexSchema::Kind::unique);
  }

  bool drops_period(const PeriodSchema& period) const {
    return std::any_of(change_.dropped_periods.begin(), change_.dropped_periods.end(),
                       [&period](const std::string& name) { return same_name(name, period.name); });
  }

  Status set_periods() {
    for (const PeriodSchema& period : detail_.periods) {
      if (drops_period(period)) continue;
      const AlteredColumn* start = column_now(period.start);
      const AlteredColumn* end = column_now(period.end);
      if (start == nullptr || end == nullptr) continue;  // went with its columns
      draft_.periods.push_back(
          {period.name, start->column.name, end->column.name, false, in_.offset()});
    }
    for (const PeriodDefinition& period : change_.added.periods) {
      const bool there = std::any_of(
          draft_.periods.begin(), draft_.periods.end(),
          [&period](const PeriodDefinition& p) { return same_name(p.name, period.name); });
      if (!there) draft_.periods.push_back(period);
    }
    return {};
  }

  const Cursor& in_;
  const AlterTable& change_;
  const TableSchema& before_;
  std::string_view default_charset_;
  TableDetail detail_;
  std::string convert_;
  std::vector<AlteredColumn> columns_;
  Draft draft_;
  bool added_keys_ = false;
};

}  // namespace

Result<TableSchema> alter(const Cursor& in, const AlterTable& change, const TableSchema& before,
                          std::string_view default_charset) {
  return Alteration(in, change, before, default_charset).run();
}

}  // namespace sluice::schema::ddl
