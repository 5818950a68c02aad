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
#include "schema/type_match.h"

namespace sluice::schema::ddl {
namespace {

// MariaDB makes a unique key that is longer than InnoDB takes by a hash of its value.
constexpr std::uint64_t kMaxKeyBytes = 3072;
constexpr std::uint32_t kHashedGeometry = 8;

bool is_blob(DeclaredType type) noexcept {
  return large_type_rank(type) != 0 || type == DeclaredType::json || type == DeclaredType::geometry;
}

std::uint64_t bytes_per_char(const ColumnSchema& column) {
  const Charset* charset = Charset::by_name(column.charset);
  return charset == nullptr ? 1 : charset->max_bytes_per_char();
}

class KeyResolver {
 public:
  KeyResolver(const Cursor& in, const Draft& draft, TableSchema& table)
      : in_(in), draft_(draft), table_(table), mariadb_(in.context().flavor == Flavor::mariadb) {}

  Status resolve() {
    const std::vector<const KeyDefinition*> kept = keys_that_stay();
    for (const KeyDefinition* key : kept) SLUICE_TRY(add(*key));
    // The server sorts them; the sort is stable.
    if (draft_.sorts_keys)
      std::stable_sort(sorted_.begin(), sorted_.end(),
                       [](const Sorted& a, const Sorted& b) { return a.rank < b.rank; });
    for (Sorted& s : sorted_) SLUICE_TRY(put(std::move(s)));
    return {};
  }

 private:
  struct Sorted {
    IndexSchema index;
    bool expression = false;
    unsigned rank = 0;
    std::size_t at = 0;
  };
  // The primary key is first, keys that are not unique are last.
  static constexpr unsigned kPrimary = 0, kUnique = 1, kVirtual = 1, kPrefix = 2, kNullable = 4,
                            kHashed = 9, kOther = 10;

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

  // The key that a foreign key gets goes when another begins with its columns; of two that are the
  // same the later one stays.
  std::vector<const KeyDefinition*> keys_that_stay() const {
    std::vector<const KeyDefinition*> out;
    for (const KeyDefinition& key : draft_.keys) {
      if (key.kind == KeyKind::foreign && ignored_reference(key)) continue;
      if (key.kind == KeyKind::unique && key.on_column && mariadb_ && also_primary(key)) continue;
      const auto covered = [&](const KeyDefinition* other) {
        return other->kind != KeyKind::foreign && !is_hashed(*other) && begins_with(*other, key);
      };
      if (key.kind == KeyKind::foreign) {
        const auto longer = [&](const KeyDefinition* other) {
          return other->kind == KeyKind::foreign && other->parts.size() > key.parts.size() &&
                 begins_with(*other, key);
        };
        if (std::any_of(out.begin(), out.end(), covered) ||
            std::any_of(out.begin(), out.end(), longer))
          continue;
      }
      if (!is_hashed(key))
        std::erase_if(out, [&](const KeyDefinition* other) {
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
    return std::any_of(draft_.keys.begin(), draft_.keys.end(), [&key](const KeyDefinition& other) {
      return other.kind == KeyKind::primary && other.on_column && other.at == key.at;
    });
  }

  // MariaDB does not mind the direction.
  bool begins_with(const KeyDefinition& longer, const KeyDefinition& shorter) const {
    return longer.parts.size() >= shorter.parts.size() &&
           std::equal(shorter.parts.begin(), shorter.parts.end(), longer.parts.begin(),
                      [this](const KeyPart& a, const KeyPart& b) {
                        return !a.column.empty() && a.prefix == b.prefix &&
                               (mariadb_ || a.descending == b.descending) &&
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
    Sorted made;
    made.at = key.at;
    IndexSchema& index = made.index;
    index.kind = key.kind == KeyKind::primary  ? IndexSchema::Kind::primary
                 : key.kind == KeyKind::unique ? IndexSchema::Kind::unique
                                               : IndexSchema::Kind::other;
    index.implied = key.kind == KeyKind::foreign;
    index.name = key.kind == KeyKind::primary ? std::string("PRIMARY")
                 : key.name.empty()           ? make_name(key)
                                              : key.name;
    index.period = key.without_overlaps;
    names_.push_back(index.name);
    bool nullable = false, prefix = false, is_virtual = false;
    for (const KeyPart& part : key.parts) {
      if (part.column.empty()) {
        index.parts.emplace_back();
        made.expression = true;
        continue;
      }
      SLUICE_TRY_ASSIGN(const std::uint16_t c, column_of(part.column, part.at));
      ColumnSchema& column = table_.columns[c];
      if (key.kind == KeyKind::primary) column.nullable = false;
      const std::uint32_t length = length_of(key, part, column);
      index.parts.push_back({c, length, part.descending});
      nullable = nullable || column.nullable;
      prefix = prefix || (length != 0 && !is_all(length, column));
      is_virtual = is_virtual || (column.is_virtual && !mariadb_);
    }
    made.rank =
        rank(index.kind, mariadb_ && ddl::is_hashed(table_.columns, index),
             (nullable ? kNullable : 0) + (prefix ? kPrefix : 0) + (is_virtual ? kVirtual : 0));
    sorted_.push_back(std::move(made));
    return {};
  }

  static unsigned rank(IndexSchema::Kind kind, bool hashed, unsigned of_unique) {
    if (kind == IndexSchema::Kind::primary) return kPrimary;
    if (kind == IndexSchema::Kind::other) return kOther;
    if (hashed) return kHashed;
    return kUnique + of_unique;
  }

  // Into the table, with what follows of it for rows.
  Status put(Sorted made) {
    const IndexSchema::Kind kind = made.index.kind;
    UniqueKey key;
    key.name = made.index.name;
    for (const IndexPart& part : made.index.parts) {
      if (part.column == IndexPart::kExpression) continue;
      key.columns.push_back(part.column);
      key.nullable = key.nullable || table_.columns[part.column].nullable;
      key.prefix = key.prefix || part.length != 0 ||
                   (mariadb_ && table_.columns[part.column].type == DeclaredType::geometry);
    }
    SLUICE_TRY(add_period(made, key));
    table_.detail->indexes.push_back(std::move(made.index));
    if (kind == IndexSchema::Kind::primary) {
      if (made.expression) return in_.error_at(made.at, "a primary key takes no expression");
      if (!table_.primary_key.empty()) return in_.error_at(made.at, "a second primary key");
      table_.primary_key = std::move(key.columns);
    } else if (kind == IndexSchema::Kind::unique && !made.expression) {
      table_.unique_keys.push_back(std::move(key));
    }
    return {};
  }

  // A period is its end and its start, in this order.
  Status add_period(const Sorted& made, UniqueKey& key) const {
    if (made.index.period.empty()) return {};
    for (const PeriodSchema& p : table_.detail->periods) {
      if (!same_name(p.name, made.index.period)) continue;
      for (const std::uint16_t c : {p.end, p.start}) {
        key.columns.push_back(c);
        key.nullable = key.nullable || table_.columns[c].nullable;
      }
      return {};
    }
    return in_.error_at(made.at, "there is no period `" + made.index.period + "`");
  }

  // How much of the column is in the key; 0: all.
  std::uint32_t length_of(const KeyDefinition& key, const KeyPart& part,
                          const ColumnSchema& column) const {
    if (mariadb_ && column.type == DeclaredType::geometry) {
      constexpr std::uint32_t kPoint = 25;  // whatever is said
      if (column.mysql_type == "point") return kPoint;
      if (key.hashed) return 0;
    }
    // What is taken of a number, a time or labels is all there is; other lengths are refused.
    if (!takes_prefix(column.type)) return 0;
    // So is a number of all the characters there are.
    const bool all = !is_blob(column.type) && part.prefix == column.length;
    return all ? 0 : static_cast<std::uint32_t>(part.prefix);
  }

  // For the order of the keys such a length is none.
  bool is_all(std::uint32_t length, const ColumnSchema& column) const {
    if (column.type == DeclaredType::geometry) return mariadb_ && length == kHashedGeometry;
    constexpr std::uint64_t kTiny = 255;
    const bool tiny =
        column.type == DeclaredType::tinytext || column.type == DeclaredType::tinyblob;
    return tiny && length * bytes_per_char(column) == kTiny;
  }

  bool is_hashed(const KeyDefinition& key) const {
    if (!mariadb_ || key.kind != KeyKind::unique) return false;
    IndexSchema index;
    for (const KeyPart& part : key.parts)
      if (const int c = find(part.column); c >= 0)
        index.parts.push_back({static_cast<std::uint16_t>(c),
                               length_of(key, part, table_.columns[static_cast<std::size_t>(c)]),
                               false});
    return ddl::is_hashed(table_.columns, index);
  }

  const Cursor& in_;
  const Draft& draft_;
  TableSchema& table_;
  bool mariadb_;
  std::vector<std::string> names_;
  std::vector<Sorted> sorted_;
};

}  // namespace

bool is_hashed(const std::vector<ColumnSchema>& columns, const IndexSchema& index) {
  std::uint64_t bytes = 0;
  for (const IndexPart& part : index.parts) {
    if (part.column == IndexPart::kExpression) continue;
    const ColumnSchema& column = columns[part.column];
    if (is_blob(column.type) && part.length == 0) return true;
    if (part.length == IndexPart::kPrefix) continue;
    bytes += (part.length != 0 ? part.length : column.length) * bytes_per_char(column);
  }
  return bytes > kMaxKeyBytes;
}

bool takes_prefix(DeclaredType type) noexcept {
  switch (type) {
    case DeclaredType::char_:
    case DeclaredType::varchar:
    case DeclaredType::tinytext:
    case DeclaredType::text:
    case DeclaredType::mediumtext:
    case DeclaredType::longtext:
    case DeclaredType::binary:
    case DeclaredType::varbinary:
    case DeclaredType::tinyblob:
    case DeclaredType::blob:
    case DeclaredType::mediumblob:
    case DeclaredType::longblob:
    case DeclaredType::geometry: return true;
    default: return false;
  }
}

std::uint32_t told_length(const Cursor& in, const IndexSchema& index, const IndexPart& part,
                          const ColumnSchema& column) noexcept {
  const bool hashed = in.context().flavor == Flavor::mariadb && part.length == 0 &&
                      index.kind == IndexSchema::Kind::unique &&
                      column.type == DeclaredType::geometry;
  return hashed ? kHashedGeometry : part.length;
}

Status resolve_keys(const Cursor& in, const Draft& draft, TableSchema& table) {
  return KeyResolver(in, draft, table).resolve();
}

}  // namespace sluice::schema::ddl
