// Types by all the names they have (mysql-server: sql/sql_yacc.yy type; MariaDB: the same file,
// field_type).
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "schema/ddl/reader.h"

namespace sluice::schema::ddl {
namespace {

struct TypeWord {
  std::string_view word, name;
  TypeForm form;
};

constexpr std::array kWords = {
    TypeWord{"tinyint", "tinyint", TypeForm::integer},
    TypeWord{"int1", "tinyint", TypeForm::integer},
    TypeWord{"smallint", "smallint", TypeForm::integer},
    TypeWord{"int2", "smallint", TypeForm::integer},
    TypeWord{"mediumint", "mediumint", TypeForm::integer},
    TypeWord{"middleint", "mediumint", TypeForm::integer},
    TypeWord{"int3", "mediumint", TypeForm::integer},
    TypeWord{"int", "int", TypeForm::integer},
    TypeWord{"integer", "int", TypeForm::integer},
    TypeWord{"int4", "int", TypeForm::integer},
    TypeWord{"bigint", "bigint", TypeForm::integer},
    TypeWord{"int8", "bigint", TypeForm::integer},
    TypeWord{"float", "float", TypeForm::real},
    TypeWord{"float4", "float", TypeForm::real},
    TypeWord{"double", "double", TypeForm::real},
    TypeWord{"float8", "double", TypeForm::real},
    TypeWord{"decimal", "decimal", TypeForm::decimal},
    TypeWord{"dec", "decimal", TypeForm::decimal},
    TypeWord{"numeric", "decimal", TypeForm::decimal},
    TypeWord{"fixed", "decimal", TypeForm::decimal},
    TypeWord{"bit", "bit", TypeForm::bit},
    TypeWord{"date", "date", TypeForm::plain},
    TypeWord{"time", "time", TypeForm::fraction},
    TypeWord{"datetime", "datetime", TypeForm::fraction},
    TypeWord{"timestamp", "timestamp", TypeForm::fraction},
    TypeWord{"year", "year", TypeForm::year},
    TypeWord{"varchar", "varchar", TypeForm::characters},
    TypeWord{"varcharacter", "varchar", TypeForm::characters},
    TypeWord{"binary", "binary", TypeForm::bytes},
    TypeWord{"varbinary", "varbinary", TypeForm::bytes},
    TypeWord{"tinytext", "tinytext", TypeForm::sized_text},
    TypeWord{"text", "text", TypeForm::text},
    TypeWord{"mediumtext", "mediumtext", TypeForm::sized_text},
    TypeWord{"longtext", "longtext", TypeForm::sized_text},
    TypeWord{"tinyblob", "tinyblob", TypeForm::sized_text},
    TypeWord{"blob", "blob", TypeForm::text},
    TypeWord{"mediumblob", "mediumblob", TypeForm::sized_text},
    TypeWord{"longblob", "longblob", TypeForm::sized_text},
    TypeWord{"enum", "enum", TypeForm::labels},
    TypeWord{"set", "set", TypeForm::labels},
    TypeWord{"vector", "vector", TypeForm::vector},
    TypeWord{"inet4", "inet4", TypeForm::plain},
    TypeWord{"inet6", "inet6", TypeForm::plain},
    TypeWord{"uuid", "uuid", TypeForm::plain},
    TypeWord{"geometry", "geometry", TypeForm::plain},
    TypeWord{"point", "point", TypeForm::plain},
    TypeWord{"linestring", "linestring", TypeForm::plain},
    TypeWord{"polygon", "polygon", TypeForm::plain},
    TypeWord{"multipoint", "multipoint", TypeForm::plain},
    TypeWord{"multilinestring", "multilinestring", TypeForm::plain},
    TypeWord{"multipolygon", "multipolygon", TypeForm::plain},
    TypeWord{"geometrycollection", "geometrycollection", TypeForm::plain},
    TypeWord{"geomcollection", "geometrycollection", TypeForm::plain},
};

constexpr std::size_t kMaxLabels = 65535;

void set(TypeDefinition& type, std::string_view name, TypeForm form) {
  type.name = name;
  type.form = form;
}

// (n) or (n, m)
Status read_numbers(Cursor& in, TypeDefinition& type) {
  std::size_t most = 0;
  switch (type.form) {
    case TypeForm::integer:
    case TypeForm::bit:
    case TypeForm::fraction:
    case TypeForm::year:
    case TypeForm::characters:
    case TypeForm::bytes:
    case TypeForm::text:
    case TypeForm::vector: most = 1; break;
    case TypeForm::real:
    case TypeForm::decimal: most = 2; break;
    case TypeForm::plain:
    case TypeForm::sized_text:
    case TypeForm::labels: return {};
  }
  if (!in.eat('(')) return {};
  // TIME() and the like are one without a number.
  if (in.is(')') && type.form == TypeForm::fraction) {
    in.step();
    return {};
  }
  do {
    if (type.numbers.size() == most) return in.error("\")\" expected");
    SLUICE_TRY_ASSIGN(const std::uint64_t number, in.want_number("a number"));
    type.numbers.push_back(number);
  } while (in.eat(','));
  return in.want(')');
}

int hex_digit(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// The bytes that digits of `bits` bits each stand for, filled up from the left; nullopt when one of
// them is none.
std::optional<std::string> bytes_of(std::string_view digits, unsigned bits) {
  std::string out((digits.size() * bits + 7) / 8, '\0');
  std::size_t at = digits.size() * bits;  // bits left, from the right
  for (const char c : digits) {
    const int value = hex_digit(c);
    if (value < 0 || value >= 1 << bits) return std::nullopt;
    at -= bits;
    char& byte = out[out.size() - 1 - at / 8];
    byte = static_cast<char>(static_cast<unsigned char>(byte) | value << at % 8);
  }
  return out;
}

// 'text', x'41', 0x41, b'01000001' or 0b01000001
Status read_label(Cursor& in, TypeDefinition& type) {
  if (in.is_string()) {
    SLUICE_TRY_ASSIGN(std::string value, in.want_string("a label"));
    type.labels.push_back({std::move(value), false});
    return {};
  }
  const auto wrong = [&in] { return in.error("a label is expected: 'text' or x'...'"); };
  std::optional<std::string> bytes;
  const std::string_view word = in.now().text;
  if ((in.is("X") || in.is("B")) && in.ahead().kind == binlog::SqlToken::Kind::string) {
    const unsigned bits = in.is("X") ? 4 : 1;
    const std::string_view digits = in.ahead().text;
    if (digits.size() >= 2) bytes = bytes_of(digits.substr(1, digits.size() - 2), bits);
    if (!bytes) return wrong();
    in.step();
  } else if (word.starts_with("0x") || word.starts_with("0b")) {
    bytes = bytes_of(word.substr(2), word[1] == 'x' ? 4 : 1);
  }
  if (!bytes) return wrong();
  in.step();
  type.labels.push_back({std::move(*bytes), true});
  return {};
}

Status read_labels(Cursor& in, TypeDefinition& type) {
  SLUICE_TRY(in.want('('));
  do {
    if (type.labels.size() == kMaxLabels) return in.error("more than 65535 labels");
    SLUICE_TRY(read_label(in, type));
  } while (in.eat(','));
  return in.want(')');
}

// CHAR, and VARCHAR where VARYING follows; NATIONAL CHAR and NCHAR, too.
void read_char(Cursor& in, TypeDefinition& type) {
  const bool varying = in.eat("VARYING");
  set(type, varying ? "varchar" : "char", TypeForm::characters);
}

Status read_national(Cursor& in, TypeDefinition& type) {
  type.charset = "utf8mb3";
  if (in.eat("NVARCHAR")) {
    set(type, "varchar", TypeForm::characters);
    return {};
  }
  const bool short_form = in.eat("NCHAR");
  if (!short_form) in.step();  // NATIONAL
  if (in.eat("VARCHAR") || in.eat("VARCHARACTER")) {
    set(type, "varchar", TypeForm::characters);
    return {};
  }
  if (!short_form && !in.eat("CHAR") && !in.eat("CHARACTER"))
    return in.error("CHAR or VARCHAR expected");
  read_char(in, type);
  return {};
}

// LONG, LONG VARCHAR, LONG CHAR VARYING, LONG VARBINARY
Status read_long(Cursor& in, TypeDefinition& type) {
  const bool bytes = in.eat("VARBINARY");
  set(type, bytes ? "mediumblob" : "mediumtext", TypeForm::sized_text);
  if (bytes || in.eat("VARCHAR") || in.eat("VARCHARACTER") || in.is("CHARSET")) return {};
  if (in.is("CHARACTER") && in.ahead().is("SET")) return {};
  if (in.is("CHAR") && in.ahead().is("SET")) return {};
  if (in.eat("CHAR") || in.eat("CHARACTER")) return in.want("VARYING");
  return {};
}

// The types that Oracle's words stand for in MariaDB's sql_mode=ORACLE.  False for any other word.
bool read_oracle(Cursor& in, TypeDefinition& type) {
  if (in.eat("VARCHAR2")) {
    set(type, "varchar", TypeForm::characters);
  } else if (in.eat("CLOB")) {
    set(type, "longtext", TypeForm::sized_text);
  } else if (in.eat("RAW")) {
    set(type, "varbinary", TypeForm::bytes);
  } else if (in.eat("NUMBER")) {
    if (in.is('('))
      set(type, "decimal", TypeForm::decimal);
    else
      set(type, "double", TypeForm::plain);
  } else if (in.eat("DATE")) {
    set(type, "datetime", TypeForm::plain);
  } else if (in.is("BLOB") && !in.ahead().symbol('(')) {
    in.step();
    set(type, "longblob", TypeForm::sized_text);
  } else {
    return false;
  }
  return true;
}

// Words that are more than a name for a type.  False for any other.
Result<bool> read_special(Cursor& in, TypeDefinition& type, std::uint64_t sql_mode) {
  const bool mariadb = in.context().flavor == Flavor::mariadb;
  if (in.is_any({"NATIONAL", "NCHAR", "NVARCHAR"})) {
    SLUICE_TRY(read_national(in, type));
  } else if (mariadb && (sql_mode & binlog::sql_mode::kOracle) != 0 && read_oracle(in, type)) {
    return true;
  } else if ((sql_mode & binlog::sql_mode::kMaxdb) != 0 && in.eat("TIMESTAMP")) {
    set(type, "datetime", TypeForm::fraction);
  } else if (in.eat("BOOL") || in.eat("BOOLEAN")) {
    set(type, "tinyint", TypeForm::plain);
    type.name = "tinyint(1)";
  } else if (in.eat("CHAR") || in.eat("CHARACTER")) {
    read_char(in, type);
  } else if (in.eat("LONG")) {
    SLUICE_TRY(read_long(in, type));
  } else if (in.eat("REAL")) {
    const bool single = (sql_mode & binlog::sql_mode::kRealAsFloat) != 0;
    set(type, single ? "float" : "double", TypeForm::real);
  } else if (in.eat("JSON")) {
    // MariaDB's is text with a check.
    set(type, mariadb ? "longtext" : "json", mariadb ? TypeForm::sized_text : TypeForm::plain);
    if (mariadb) type.charset = "utf8mb4";
  } else if (in.eat("SERIAL")) {
    set(type, "bigint", TypeForm::integer);
    type.is_unsigned = true;
  } else {
    return false;
  }
  return true;
}

}  // namespace

Status read_type(Cursor& in, TypeDefinition& type) {
  type.at = in.offset();
  std::uint64_t sql_mode = in.context().sql_mode;
  // MariaDB's mariadb_schema.date and the like, whatever the mode.
  if (in.ahead().symbol('.')) {
    const bool mariadb = same_name(in.now().name(), "mariadb_schema");
    const bool oracle = same_name(in.now().name(), "oracle_schema");
    const bool maxdb = same_name(in.now().name(), "maxdb_schema");
    if (mariadb || oracle || maxdb) {
      sql_mode &= ~(binlog::sql_mode::kOracle | binlog::sql_mode::kMaxdb);
      if (oracle) sql_mode |= binlog::sql_mode::kOracle;
      if (maxdb) sql_mode |= binlog::sql_mode::kMaxdb;
      in.step();
      in.step();
    }
  }
  SLUICE_TRY_ASSIGN(const bool special, read_special(in, type, sql_mode));
  if (!special) {
    const TypeWord* found = nullptr;
    if (in.now().kind == binlog::SqlToken::Kind::word)
      for (const TypeWord& w : kWords)
        if (same_name(w.word, in.now().text)) found = &w;
    if (found == nullptr) return in.error("a type is expected");
    set(type, found->name, found->form);
    in.step();
    if (found->word == "double") in.eat("PRECISION");
  }
  if (type.form == TypeForm::labels) return read_labels(in, type);
  return read_numbers(in, type);
}

}  // namespace sluice::schema::ddl
