#pragma once
// From a table's definition to what the server makes of it.
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/base/result.h"
#include "sluice/model/table_schema.h"

#include "schema/ddl/cursor.h"
#include "schema/ddl/definition.h"

namespace sluice::schema::ddl {

// Errors of all: fatal/schema_statement; `in` tells their place.

// A table in the making: its columns are those it will have, its keys as they are written.
struct Draft {
  std::vector<ColumnSchema> columns;  // without those MariaDB hides
  std::vector<KeyDefinition> keys;
  std::vector<PeriodDefinition> periods;
  std::string charset;  // "": not known
  bool system_versioned = false;
  bool sorts_keys = true;  // false: they keep the order they are in
};

// What a table is made of that is there.
Draft draft_of(const Cursor& in, const TableSchema& table, std::size_t at);

// Keys with the names and in the order the server gives them, columns of keys and periods NOT NULL,
// MariaDB's hidden columns.  The table has no name yet.
Result<TableSchema> finish(const Cursor& in, Draft draft);

// The table as the server makes it in a database of this character set.  Not for LIKE and SELECT.
Result<TableSchema> resolve(const Cursor& in, const TableDefinition& definition,
                            std::string_view database_charset);

// Columns at the end of a table that only the binlog shows: of MariaDB's system versioning.
inline constexpr std::size_t kHidden = 2;
bool hides_columns(const TableDetail& detail);
KeyKind kind_of(const IndexSchema& index) noexcept;

// A column in a table of this character set; keys may make it NOT NULL.
Result<ColumnSchema> resolve_column(const Cursor& in, const ColumnDefinition& definition,
                                    std::string_view table_charset);

// Of CREATE TABLE ... SELECT.
Error only_the_server_knows(const Cursor& in, std::size_t select_at);

// The character set that is meant: by its own name or by a collation's; `inherited` when neither is
// said.  `at`: where to point in an error.
Result<std::string> resolve_charset(const Cursor& in, std::string_view charset,
                                    std::string_view collation, std::string_view inherited,
                                    std::size_t at);

// Type, mysql_type, sizes, sign, character set and labels of a column; `inherited`: the table's
// character set.
Status resolve_type(const Cursor& in, const TypeDefinition& type, std::string_view inherited,
                    ColumnSchema& column);

// True when MariaDB makes such a unique key by a hash of its value.
bool is_hashed(const std::vector<ColumnSchema>& columns, const IndexSchema& index);

// Whether a key may take the beginning of such a column; of other types it takes all, however many
// bytes are said.
bool takes_prefix(DeclaredType type) noexcept;

// How much of its column a part of a key takes when the key is made anew; 0: all.  `column`: of the
// part.  MariaDB says of a geometry that is in a unique key by its hash that eight bytes of it are,
// and takes that for the length of a prefix later.
std::uint32_t told_length(const Cursor& in, const IndexSchema& index, const IndexPart& part,
                          const ColumnSchema& column) noexcept;

// Primary and unique keys and all indexes of the draft, in a table that has its columns and
// periods; columns of the primary key are made NOT NULL.
Status resolve_keys(const Cursor& in, const Draft& draft, TableSchema& table);

}  // namespace sluice::schema::ddl
