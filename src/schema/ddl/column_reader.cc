// What follows a column's name (mysql-server: sql/sql_yacc.yy column_attribute; MariaDB: the same
// file, attribute).
#include <string>
#include <string_view>
#include <utility>

#include "schema/ddl/reader.h"

namespace sluice::schema::ddl {
namespace {

using binlog::SqlToken;

// A string literal begins here, with an introducer perhaps: 'a', _utf8mb4'a', N'a', x'41', b'1',
// DATE'2020-01-01'.
bool begins_literal(const Cursor& in) {
  if (in.is_string()) return true;
  const std::string_view word = in.now().text;
  if (in.now().kind != SqlToken::Kind::word || !in.is_string(in.ahead())) return false;
  return word[0] == '_' || in.is_any({"N", "X", "B", "DATE", "TIME", "TIMESTAMP"});
}

Status skip_literal(Cursor& in) {
  if (!in.is_string()) in.step();
  do {  // pieces that follow each other are one string
    SLUICE_TRY(in.want_string("a string"));
  } while (in.is_string());
  return {};
}

// CASE ... END, which may stand in itself.
Status skip_case(Cursor& in) {
  const std::size_t from = in.offset();
  std::size_t depth = 0;
  do {
    if (in.now().kind == SqlToken::Kind::end) return in.error_at(from, "CASE without END");
    if (in.is("CASE")) ++depth;
    if (in.is("END")) --depth;
    in.step();
  } while (depth != 0);
  return {};
}

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

// 15, 1.5, .5, 1.5e-3: cut into words and symbols by the lexer.
void skip_number(Cursor& in) {
  const auto exponent_open = [](std::string_view word) {
    return (word.back() == 'e' || word.back() == 'E') && !word.starts_with("0x");
  };
  bool open = false;
  while (in.is('.') || (in.now().kind == SqlToken::Kind::word && is_digit(in.now().text[0]))) {
    open = !in.is('.') && exponent_open(in.now().text);
    in.step();
    if (open && in.adjacent() && (in.is('-') || in.is('+'))) in.step();
    if (!in.adjacent()) return;
  }
}

// ON UPDATE CURRENT_TIMESTAMP(3)
Status skip_on_update(Cursor& in) {
  in.step();
  SLUICE_TRY(in.want("UPDATE"));
  if (!in.is_any({"CURRENT_TIMESTAMP", "NOW", "LOCALTIME", "LOCALTIMESTAMP"}))
    return in.error("CURRENT_TIMESTAMP expected");
  in.step();
  return in.is('(') ? in.skip_parentheses() : Status();
}

bool is_signed_form(TypeForm form) noexcept {
  return form == TypeForm::integer || form == TypeForm::real || form == TypeForm::decimal ||
         form == TypeForm::year;
}

// Reads one attribute after another; keys go to the table.
class ColumnReader {
 public:
  ColumnReader(Cursor& in, ColumnDefinition& column, TableDefinition& table)
      : in_(in), column_(column), table_(table) {}

  Status read() {
    const bool serial = in_.is("SERIAL");
    SLUICE_TRY(read_type(in_, column_.type));
    if (serial) make_serial();
    while (!at_clause_end(in_)) SLUICE_TRY(attribute());
    return {};
  }

 private:
  void add_key(KeyKind kind) {
    KeyDefinition key;
    key.kind = kind;
    key.on_column = true;
    key.at = column_.at;
    key.parts.push_back({column_.name, 0, false, column_.at});
    table_.keys.push_back(std::move(key));
  }
  void make_serial() {
    column_.nullable = false;
    add_unique();
  }
  // Said twice it is one key.
  void add_unique() {
    if (!unique_) add_key(KeyKind::unique);
    unique_ = true;
  }

  Status attribute() {
    if (in_.is("NOT") || in_.is("NULL")) return null();
    SLUICE_TRY_ASSIGN(const bool typed, type_attribute());
    if (typed) return {};
    SLUICE_TRY_ASSIGN(const bool keyed, key());
    if (keyed) return {};
    SLUICE_TRY_ASSIGN(const bool valued, value());
    if (valued) return {};
    return other();
  }

  Status null() {
    if (in_.eat("NULL")) {
      column_.nullable = true;
      return {};
    }
    in_.step();
    if (in_.eat("NULL"))
      column_.nullable = false;
    else if (!in_.eat("SECONDARY") && !in_.eat("ENFORCED"))
      return in_.error("NULL expected");
    return {};
  }

  // What belongs to the type: sign, character set, compression.
  Result<bool> type_attribute() {
    TypeDefinition& type = column_.type;
    if (in_.is_any({"UNSIGNED", "SIGNED", "ZEROFILL"})) {
      if (!is_signed_form(type.form)) return in_.error("the type has no sign");
      type.zerofill = type.zerofill || in_.is("ZEROFILL");
      type.is_unsigned = type.is_unsigned || !in_.is("SIGNED");
      in_.step();
      return true;
    }
    if (in_.eat("ASCII")) {
      type.charset = "latin1";
    } else if (in_.eat("UNICODE")) {
      type.charset = "ucs2";
    } else if (in_.eat("BYTE")) {
      type.charset = "binary";
    } else if (in_.eat("BINARY")) {
      // The character set's collation _bin.
    } else if (in_.eat("COMPRESSED")) {
      type.compressed = true;
      if (in_.eat('=')) SLUICE_TRY(in_.want_name("a compression method"));
    } else {
      return read_charset(in_, type.charset, type.collation);
    }
    return true;
  }

  Result<bool> key() {
    if (in_.eat("UNIQUE")) {
      in_.eat("KEY");
      add_unique();
    } else if (in_.is("KEY") || (in_.is("PRIMARY") && in_.ahead().is("KEY"))) {
      in_.eat("PRIMARY");
      in_.step();
      add_key(KeyKind::primary);
      // Holds where MariaDB's IF NOT EXISTS leaves out the key, unless a NULL follows.
      column_.nullable = false;
    } else if (in_.is("REFERENCES")) {
      SLUICE_TRY(read_references(in_));
      add_key(KeyKind::foreign);
    } else if (in_.is("CONSTRAINT") || in_.is("CHECK")) {
      if (in_.eat("CONSTRAINT") && !in_.is("CHECK")) SLUICE_TRY(in_.want_name("a constraint"));
      SLUICE_TRY(in_.want("CHECK"));
      SLUICE_TRY(in_.skip_parentheses());
      in_.eat("ENFORCED");
    } else {
      return false;
    }
    return true;
  }

  // Where its values come from.
  Result<bool> value() {
    if (in_.eat("SERIAL", "DEFAULT")) {
      SLUICE_TRY(in_.want("VALUE"));
      make_serial();
    } else if (in_.eat("DEFAULT")) {
      column_.has_default = !in_.is("NULL");
      SLUICE_TRY(skip_default(in_));
    } else if (in_.is("ON")) {
      SLUICE_TRY(skip_on_update(in_));
    } else if (in_.eat("AUTO_INCREMENT")) {
      column_.nullable = false;  // a NULL behind it undoes that
    } else if (in_.is("GENERATED") || in_.is("AS")) {
      SLUICE_TRY(generated());
    } else if (in_.eat("STORED") || in_.eat("PERSISTENT")) {
      column_.stored = true;
    } else if (!in_.eat("VIRTUAL")) {
      return false;
    }
    return true;
  }

  Status generated() {
    if (in_.eat("GENERATED")) SLUICE_TRY(in_.want("ALWAYS"));
    SLUICE_TRY(in_.want("AS"));
    column_.generated = true;
    if (!in_.eat("ROW")) return in_.skip_parentheses();
    column_.stored = true;
    (in_.is("START") ? column_.row_start : column_.row_end) = true;
    if (!in_.eat("START")) SLUICE_TRY(in_.want("END"));
    return {};
  }

  Status other() {
    if (in_.eat("COMMENT") || in_.eat("ENGINE_ATTRIBUTE") ||
        in_.eat("SECONDARY_ENGINE_ATTRIBUTE")) {
      in_.eat('=');
      SLUICE_TRY(in_.want_string("a string"));
      return {};
    }
    if (in_.eat("INVISIBLE")) {
      column_.invisible = true;
      return {};
    }
    if (in_.eat("VISIBLE")) return {};
    if (in_.is("WITH") || in_.is("WITHOUT")) {
      table_.system_versioned = table_.system_versioned || in_.is("WITH");
      in_.step();
      SLUICE_TRY(in_.want("SYSTEM"));
      return in_.want("VERSIONING");
    }
    const bool word_follows = in_.is("COLUMN_FORMAT") || in_.is("STORAGE") || in_.is("SRID");
    if (word_follows && !in_.ahead().symbol('=')) {
      in_.step();
      if (in_.now().kind != SqlToken::Kind::word) return in_.error("a word is expected");
      in_.step();
      return {};
    }
    // MariaDB: an option of the engine.
    if (in_.is_name() && in_.ahead().symbol('=')) {
      in_.step();
      in_.step();
      return skip_default(in_);
    }
    return in_.error("no attribute of a column is known that begins so");
  }

  Cursor& in_;
  ColumnDefinition& column_;
  TableDefinition& table_;
  bool unique_ = false;
};

}  // namespace

bool at_clause_end(const Cursor& in) {
  if (in.is(',') || in.is(')') || in.at_end()) return true;
  if (in.is("FIRST") || in.is("AFTER")) return true;
  return (in.is("PARTITION") && in.ahead().is("BY")) ||
         (in.is("REMOVE") && in.ahead().is("PARTITIONING"));
}

Status skip_default(Cursor& in) {
  while (in.is('-') || in.is('+') || in.is('~') || in.is('!') || in.is("BINARY")) in.step();
  if (in.is('(')) return in.skip_parentheses();
  if (begins_literal(in)) return skip_literal(in);
  if (in.is("CASE")) return skip_case(in);
  const bool number =
      in.is('.') || (in.now().kind == SqlToken::Kind::word && is_digit(in.now().text[0]));
  if (number) {
    skip_number(in);
    return {};
  }
  if (in.is_any({"NEXT", "PREVIOUS"}) && in.ahead().is("VALUE")) {
    in.step();
    in.step();
    SLUICE_TRY(in.want("FOR"));
    SLUICE_TRY(read_table_name(in));
    return {};
  }
  do {
    SLUICE_TRY(in.want_name("a default value"));
  } while (in.eat('.'));
  return in.is('(') ? in.skip_parentheses() : Status();
}

Status read_column(Cursor& in, ColumnDefinition column, TableDefinition& table) {
  SLUICE_TRY(ColumnReader(in, column, table).read());
  table.columns.push_back(std::move(column));
  return {};
}

Result<bool> read_charset(Cursor& in, std::string& charset, std::string& collation) {
  const bool collate = in.eat("COLLATE");
  if (!collate && !in.eat("CHARSET") && !in.eat("CHARACTER", "SET") && !in.eat("CHAR", "SET"))
    return false;
  in.eat('=');
  std::string& out = collate ? collation : charset;
  if (in.eat("DEFAULT")) {
    out = collate ? std::string_view() : kDefaultCharset;
  } else if (in.is_string()) {
    SLUICE_TRY_ASSIGN(out, in.want_string("a character set"));
  } else {
    SLUICE_TRY_ASSIGN(out, in.want_name(collate ? "a collation" : "a character set"));
  }
  return true;
}

}  // namespace sluice::schema::ddl
