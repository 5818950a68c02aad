#pragma once
// A table as its statement has it, before defaults and the server's own rules are applied.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::schema::ddl {

// Stands for CHARACTER SET DEFAULT.
inline constexpr std::string_view kDefaultCharset = "default";

// What a type's name takes and how it is printed.
enum class TypeForm : std::uint8_t {
  integer,     // display width, sign
  real,        // float, double: (digits, fraction), sign
  decimal,     // (precision, scale), sign
  bit,         // (bits)
  plain,       // nothing: date, json, inet6, point
  fraction,    // (digits): time, datetime, timestamp
  year,        // (digits), sign
  characters,  // char, varchar: (characters)
  bytes,       // binary, varbinary: (bytes)
  text,        // text and blob, which become the smallest that (length) fits in
  sized_text,  // tinytext ... longblob
  labels,      // enum, set
  vector,      // (dimensions)
};

// A label of ENUM or SET: text, or the bytes of a literal like x'E4' in the column's own character
// set.
struct Label {
  std::string value;
  bool bytes = false;
};

struct TypeDefinition {
  std::string name;  // in the servers' own spelling: "int" for INTEGER
  TypeForm form = TypeForm::plain;
  std::vector<std::uint64_t> numbers;
  std::vector<Label> labels;
  bool is_unsigned = false, zerofill = false;
  bool compressed = false;  // MariaDB
  std::string charset;      // "" unless it is said; NATIONAL and JSON say it
  std::string collation;
  std::size_t at = 0;  // offset into the statement
};

struct ColumnDefinition {
  std::string name;
  TypeDefinition type;
  std::optional<bool> nullable;  // as said
  bool has_default = false;      // other than NULL
  bool generated = false;
  bool stored = false;                      // of a generated one
  bool row_start = false, row_end = false;  // MariaDB: of system versioning
  bool invisible = false;
  std::size_t at = 0;
};

struct KeyPart {
  std::string column;  // "": an expression
  std::uint64_t prefix = 0;
  bool descending = false;
  std::size_t at = 0;
};

enum class KeyKind : std::uint8_t { primary, unique, index, foreign };

struct KeyDefinition {
  KeyKind kind = KeyKind::index;
  std::string name;  // "": the server chooses
  std::vector<KeyPart> parts;
  std::string without_overlaps;                    // MariaDB: the period that is part of the key
  bool on_column = false;                          // said beside its column
  bool hashed = false;                             // SHOW CREATE TABLE says so
  bool if_not_exists = false, or_replace = false;  // MariaDB
  std::size_t at = 0;
};

// MariaDB's PERIOD FOR name (start, end).
struct PeriodDefinition {
  std::string name, start, end;
  bool if_not_exists = false;
  std::size_t at = 0;
};

struct TableDefinition {
  std::string database;  // "": not said
  std::string name;
  bool or_replace = false, temporary = false, if_not_exists = false;
  std::optional<std::pair<std::string, std::string>> like;  // database, table: all there is
  std::size_t like_at = 0;
  std::optional<std::size_t> select_at;  // of CREATE TABLE ... SELECT: there is more than is here
  std::vector<ColumnDefinition> columns;
  std::vector<KeyDefinition> keys;  // in the order of the statement
  std::vector<PeriodDefinition> periods;
  std::string charset, collation;  // of the table; "" unless said, kDefaultCharset: the database's
  bool system_versioned = false;   // MariaDB
  bool printed = false;            // laid out as SHOW CREATE TABLE and the binlog's own texts are
};

}  // namespace sluice::schema::ddl
