#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sluice {

// What a column was declared as.  The binlog's type byte is coarser: BLOB and TEXT, CHAR and UUID
// look alike there.
enum class DeclaredType : std::uint8_t {
  unknown,  // not known: only the binlog's type byte is (offline decoding)
  tinyint,
  smallint,
  mediumint,
  int_,
  bigint,
  decimal,
  float_,
  double_,
  bit,
  date,
  time,
  datetime,
  timestamp,
  year,
  char_,
  varchar,
  tinytext,
  text,
  mediumtext,
  longtext,
  binary,
  varbinary,
  tinyblob,
  blob,
  mediumblob,
  longblob,
  enum_,
  set,
  json,
  geometry,
  vector,
  inet4,
  inet6,
  uuid,  // MariaDB
};

// java.sql.Types code by declared type (FORMAT: sqlType).
int sql_type_of(DeclaredType type, bool is_unsigned) noexcept;
// True for columns whose value is bytes, not text: BINARY, VARBINARY, the BLOBs, GEOMETRY.
bool is_binary(DeclaredType type) noexcept;

struct ColumnSchema {
  std::string name;        // UTF-8
  std::string mysql_type;  // as SHOW CREATE TABLE writes it: "bigint(20) unsigned", "enum('a','b')"
  DeclaredType type = DeclaredType::unknown;
  bool is_unsigned = false;
  bool nullable = true;
  bool generated = false;
  bool is_virtual = false;  // generated, and not stored
  bool invisible = false;
  bool compressed = false;  // MariaDB COMPRESSED
  bool hidden = false;      // the server's own, of a functional index: never shown
  std::uint32_t length =
      0;  // characters of CHAR/VARCHAR, bytes of BINARY/VARBINARY, bits of BIT, dims of VECTOR
  std::uint8_t precision = 0;       // DECIMAL
  std::uint8_t scale = 0;           // DECIMAL; fractional digits of temporal types
  std::string charset;              // MySQL's name; "" for columns that are not text
  std::vector<std::string> labels;  // ENUM and SET, UTF-8
  friend bool operator==(const ColumnSchema&, const ColumnSchema&) = default;
};

struct UniqueKey {
  std::string name;
  std::vector<std::uint16_t> columns;  // indexes into TableSchema::columns, in key order
  bool nullable = false;               // one of its columns may be NULL
  bool prefix = false;                 // one of its columns is indexed by a prefix only
  friend bool operator==(const UniqueKey&, const UniqueKey&) = default;
};

struct IndexPart {
  static constexpr std::uint16_t kExpression = 0xFFFF;  // its value is in no column
  static constexpr std::uint32_t kPrefix = 0xFFFFFFFF;  // of a length that is not known
  std::uint16_t column = kExpression;                   // index into TableSchema::columns
  std::uint32_t length = 0;  // of a prefix, in characters or bytes; 0: all of it
  bool descending = false;
  friend bool operator==(const IndexPart&, const IndexPart&) = default;
};

struct IndexSchema {
  enum class Kind : std::uint8_t { primary, unique, other };
  Kind kind = Kind::other;
  std::string name;
  std::vector<IndexPart> parts;
  bool implied = false;  // made for a foreign key; goes when another begins with its columns
  std::string period;    // MariaDB's WITHOUT OVERLAPS; "" for none
  friend bool operator==(const IndexSchema&, const IndexSchema&) = default;
};

// MariaDB's PERIOD FOR name (start, end).
struct PeriodSchema {
  std::string name;
  std::uint16_t start = 0, end = 0;  // indexes into TableSchema::columns
  friend bool operator==(const PeriodSchema&, const PeriodSchema&) = default;
};

// What reading rows does not need, but following the DDL statements that change the table does.
struct TableDetail {
  std::string charset;               // of columns that do not say theirs; "": not known
  std::vector<IndexSchema> indexes;  // all, the primary key first, then the unique ones in order
  std::vector<PeriodSchema> periods;
  bool system_versioned = false;  // MariaDB; without a period SYSTEM_TIME the last two columns are
                                  // those that nothing but the binlog shows
  friend bool operator==(const TableDetail&, const TableDetail&) = default;
};

// A table as the server described it.
struct TableSchema {
  std::string database;
  std::string name;
  std::vector<ColumnSchema> columns;       // in table order, invisible ones included
  std::vector<std::uint16_t> primary_key;  // in key order; empty: none
  std::vector<UniqueKey> unique_keys;  // without the primary key; in the order of SHOW CREATE TABLE
  std::optional<TableDetail> detail;   // nullopt: not told

  // The columns that identify a row by default: the primary key, else the first unique key that is
  // neither nullable nor a prefix; empty when there is none.
  const std::vector<std::uint16_t>& row_key() const noexcept;
  std::vector<std::string> row_key_names() const;
  // Index of the column of this name (exact), or -1.
  int find(std::string_view column) const noexcept;
  friend bool operator==(const TableSchema&, const TableSchema&) = default;
};

}  // namespace sluice
