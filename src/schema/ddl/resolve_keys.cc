// The names and the order of keys (mysql-server: sql/sql_table.cc prepare_key,
// make_unique_key_name, foreign_key_prefix, sort_keys; MariaDB: sql/sql_table.cc
// mysql_prepare_create_table).
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sluice/base/charset.h"

#include "schema/ddl/resolve.h"

namespace sluice::schema::ddl {
namespace {

// MariaDB makes a unique key that is longer than InnoDB takes by a hash of its value.
constexpr std::uint64_t kMaxKeyBytes = 3072;

bool is_blob(DeclaredType type) noexcept {
  switch (type) {
    case DeclaredType::tinytext:
    case DeclaredType::text:
    case DeclaredType::mediumtext:
    case DeclaredType::longtext:
    case DeclaredType::tinyblob:
    case DeclaredType::blob:
    case DeclaredType::mediumblob:
    case DeclaredType::longblob:
    case DeclaredType::json:
    case DeclaredType::geometry: return true;
    default: return false;
  }
}

std::uint64_t bytes_per_char(const ColumnSchema& column) {
  const Charset* charset = Charset::by_name(column.charset);
  return charset == nullptr ? 1 : charset->max_bytes_per_char();
}

class KeyResolver {
 public:
  KeyResolver(const Cursor& in, const TableDefinition& definition, TableSchema& table)
      : in_(in),
        definition_(definition),
        table_(table),
        mariadb_(in.context().flavor == Flavor::mariadb) {}

  Status resolve() {
    SLUICE_TRY(make_periods_not_null());
    make_inline_primary_not_null();
    const std::vector<const KeyDefinition*> kept = keys_that_stay();
    for (const KeyDefinition* key : kept) SLUICE_TRY(add(*key));
    // The server sorts them; the sort is stable.
    std::stable_sort(unique_.begin(), unique_.end(),
                     [](const Sorted& a, const Sorted& b) { return a.rank < b.rank; });
    for (Sorted& s : unique_) {
      s.key.nullable = std::any_of(s.key.columns.begin(), s.key.columns.end(),
                                   [this](std::uint16_t c) { return table_.columns[c].nullable; });
      table_.unique_keys.push_back(std::move(s.key));
    }
    return {};
  }

 private:
  struct Sorted {
    UniqueKey key;
    unsigned rank = 0;
  };

  int find(std::string_view column) const {
    const auto it =
        std::find_if(table_.columns.begin(), table_.columns.end(),
                     [column](const ColumnSchema& c) { return same_name(c.name, column); });
    return it == table_.columns.end() ? -1 : static_cast<int>(it - table_.columns.begin());
  }
  Result<std::uint16_t> column_of(std::string_view name, std::size_t at) const {
    const int found = find(name);
    if (found < 0) return in_.error_at(at, "there is no column `" + std::string(name) + "`");
    return static_cast<std::uint16_t>(found);
  }

  Status make_periods_not_null() {
    for (const PeriodDefinition& p : definition_.periods) {
      for (const std::string& name : {p.start, p.end}) {
        SLUICE_TRY_ASSIGN(const std::uint16_t c, column_of(name, p.at));
        table_.columns[c].nullable = false;
      }
    }
    return {};
  }

  void make_inline_primary_not_null() {
    for (const KeyDefinition& key : definition_.keys)
      if (key.kind == KeyKind::primary && key.on_column)
        if (const int c = find(key.parts.front().column); c >= 0)
          table_.columns[static_cast<std::size_t>(c)].nullable = false;
  }

  // The key that a foreign key gets goes when another begins with its columns.
  std::vector<const KeyDefinition*> keys_that_stay() const {
    std::vector<const KeyDefinition*> out;
    for (const KeyDefinition& key : definition_.keys) {
      if (key.kind == KeyKind::foreign && ignored_reference(key)) continue;
      if (key.kind == KeyKind::unique && key.on_column && mariadb_ && also_primary(key)) continue;
      const auto covered = [&key](const KeyDefinition* other) {
        return other->kind != KeyKind::foreign && begins_with(*other, key);
      };
      if (key.kind == KeyKind::foreign) {
        const auto longer = [&key](const KeyDefinition* other) {
          return other->kind == KeyKind::foreign && begins_with(*other, key);
        };
        if (std::any_of(out.begin(), out.end(), covered) ||
            std::any_of(out.begin(), out.end(), longer))
          continue;
      }
      std::erase_if(out, [&key](const KeyDefinition* other) {
        return other->kind == KeyKind::foreign && begins_with(key, *other);
      });
      out.push_back(&key);
    }
    return out;
  }

  // MySQL before 9.0 and MariaDB before 10.5 read REFERENCES beside a column and forget it.
  bool ignored_reference(const KeyDefinition& key) const {
    constexpr std::uint32_t kMysql = 90000, kMariadb = 100500;
    return key.on_column && server_of(in_.context()).version < (mariadb_ ? kMariadb : kMysql);
  }

  // Said beside one column, PRIMARY KEY and UNIQUE are one key in MariaDB.
  bool also_primary(const KeyDefinition& key) const {
    return std::any_of(
        definition_.keys.begin(), definition_.keys.end(), [&key](const KeyDefinition& other) {
          return other.kind == KeyKind::primary && other.on_column && other.at == key.at;
        });
  }

  static bool begins_with(const KeyDefinition& longer, const KeyDefinition& shorter) {
    return longer.parts.size() >= shorter.parts.size() &&
           std::equal(shorter.parts.begin(), shorter.parts.end(), longer.parts.begin(),
                      [](const KeyPart& a, const KeyPart& b) {
                        return !a.column.empty() && a.prefix == b.prefix &&
                               same_name(a.column, b.column);
                      });
  }

  bool taken(std::string_view name) const {
    return std::any_of(names_.begin(), names_.end(),
                       [name](const std::string& other) { return same_name(name, other); });
  }

  // The first column's name, or that and a number from 2 on.
  std::string make_name(const KeyDefinition& key) const {
    std::string base = "functional_index";
    if (!key.parts.empty() && !key.parts.front().column.empty()) {
      const int c = find(key.parts.front().column);
      base = c < 0 ? key.parts.front().column : table_.columns[static_cast<std::size_t>(c)].name;
    }
    if (!taken(base) && !same_name(base, "PRIMARY")) return base;
    constexpr int kLast = 99;
    for (int i = 2; i <= kLast; ++i)
      if (std::string name = base + "_" + std::to_string(i); !taken(name)) return name;
    return "not_specified";
  }

  Status add(const KeyDefinition& key) {
    UniqueKey made;
    made.name = key.kind == KeyKind::primary ? std::string("PRIMARY")
                : key.name.empty()           ? make_name(key)
                                             : key.name;
    names_.push_back(made.name);
    if (key.kind != KeyKind::primary && key.kind != KeyKind::unique) return check_columns(key);
    bool expression = false, nullable = false, hashed = false;
    std::uint64_t bytes = 0;
    for (const KeyPart& part : key.parts) {
      if (part.column.empty()) {  // its value is in no column
        expression = true;
        continue;
      }
      SLUICE_TRY_ASSIGN(const std::uint16_t c, column_of(part.column, part.at));
      ColumnSchema& column = table_.columns[c];
      if (key.kind == KeyKind::primary) column.nullable = false;
      nullable = nullable || column.nullable;
      hashed = hashed || (is_blob(column.type) && part.prefix == 0);
      bytes += part_bytes(part, column);
      made.columns.push_back(c);
      made.prefix = made.prefix || is_prefix(part, column);
    }
    SLUICE_TRY(add_period(key, made));
    if (expression && key.kind == KeyKind::primary)
      return in_.error_at(key.at, "a primary key takes no expression");
    if (key.kind == KeyKind::primary) {
      if (!table_.primary_key.empty()) return in_.error_at(key.at, "a second primary key");
      table_.primary_key = std::move(made.columns);
      return {};
    }
    if (expression) return {};
    hashed = mariadb_ && (hashed || bytes > kMaxKeyBytes);
    const unsigned rank = hashed ? 4U : (nullable ? 2U : 0U) + (made.prefix ? 1U : 0U);
    unique_.push_back({std::move(made), rank});
    return {};
  }

  Status check_columns(const KeyDefinition& key) const {
    for (const KeyPart& part : key.parts)
      if (!part.column.empty()) SLUICE_TRY(column_of(part.column, part.at));
    return {};
  }

  // A period is its end and its start, in this order.
  Status add_period(const KeyDefinition& key, UniqueKey& made) const {
    if (key.without_overlaps.empty()) return {};
    for (const PeriodDefinition& p : definition_.periods) {
      if (!same_name(p.name, key.without_overlaps)) continue;
      for (const std::string& name : {p.end, p.start}) {
        SLUICE_TRY_ASSIGN(const std::uint16_t c, column_of(name, p.at));
        made.columns.push_back(c);
      }
      return {};
    }
    return in_.error_at(key.at, "there is no period `" + key.without_overlaps + "`");
  }

  // A number of all the characters there are is none.
  static bool is_prefix(const KeyPart& part, const ColumnSchema& column) {
    return part.prefix != 0 && (is_blob(column.type) || part.prefix != column.length);
  }

  static std::uint64_t part_bytes(const KeyPart& part, const ColumnSchema& column) {
    const std::uint64_t length = part.prefix != 0 ? part.prefix : column.length;
    return length * bytes_per_char(column);
  }

  const Cursor& in_;
  const TableDefinition& definition_;
  TableSchema& table_;
  bool mariadb_;
  std::vector<std::string> names_;
  std::vector<Sorted> unique_;
};

}  // namespace

Status resolve_keys(const Cursor& in, const TableDefinition& definition, TableSchema& table) {
  return KeyResolver(in, definition, table).resolve();
}

}  // namespace sluice::schema::ddl
