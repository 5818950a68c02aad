// Keys and constraints in the list of columns (mysql-server: sql/sql_yacc.yy table_constraint_def;
// MariaDB: the same file, key_def and constraint_def).
#include <string>
#include <string_view>
#include <utility>

#include "schema/ddl/reader.h"

namespace sluice::schema::ddl {
namespace {

using binlog::SqlToken;

constexpr std::size_t kMaxKeyParts = 64;  // twice as many as MariaDB has
constexpr std::size_t kMaxPeriods = 2;

// USING BTREE, TYPE BTREE
bool at_index_type(const Cursor& in) {
  if (in.is("USING")) return true;
  return in.is("TYPE") &&
         (in.ahead().is("BTREE") || in.ahead().is("HASH") || in.ahead().is("RTREE"));
}

// [name] [USING type] before the columns
Status read_key_name(Cursor& in, KeyDefinition& key) {
  key.if_not_exists = eat_if_exists(in) || key.if_not_exists;
  if (!in.is('(') && !at_index_type(in)) {
    SLUICE_TRY_ASSIGN(key.name, in.want_name("a key's name"));
  }
  return skip_index_type(in);
}

Status read_key_part(Cursor& in, KeyDefinition& key) {
  KeyPart part;
  part.at = in.offset();
  if (in.is('(')) {
    SLUICE_TRY(in.skip_parentheses());
  } else {
    SLUICE_TRY_ASSIGN(part.column, in.want_name("a column"));
    if (in.eat("WITHOUT", "OVERLAPS")) {
      key.without_overlaps = part.column;
      return {};
    }
    if (in.eat('(')) {
      SLUICE_TRY_ASSIGN(part.prefix, in.want_number("a length"));
      SLUICE_TRY(in.want(')'));
    }
  }
  part.descending = in.eat("DESC");
  if (!part.descending) in.eat("ASC");
  key.parts.push_back(std::move(part));
  return {};
}

// What stands behind CONSTRAINT.
struct Constraint {
  std::string name;
  bool if_not_exists = false;
};

// The rest of a key of this kind: [name] [USING type] (parts) options
Status read_key(Cursor& in, KeyKind kind, const Constraint& constraint, TableDefinition& table) {
  KeyDefinition key;
  key.kind = kind;
  key.at = in.offset();
  key.if_not_exists = constraint.if_not_exists;
  SLUICE_TRY(read_key_name(in, key));
  if (key.name.empty()) key.name = constraint.name;
  SLUICE_TRY(read_key_parts(in, key));
  key.hashed = in.context().describes && in.is("USING") && in.ahead().is("HASH");
  SLUICE_TRY(skip_key_options(in));
  table.keys.push_back(std::move(key));
  return {};
}

Status read_foreign_key(Cursor& in, const Constraint& constraint, TableDefinition& table) {
  KeyDefinition key;
  key.kind = KeyKind::foreign;
  key.at = in.offset();
  SLUICE_TRY(in.want("KEY"));
  SLUICE_TRY(read_key_name(in, key));
  // The key that the server makes for it takes the constraint's name first.
  if (!constraint.name.empty()) key.name = constraint.name;
  SLUICE_TRY(read_key_parts(in, key));
  SLUICE_TRY(read_references(in));
  table.keys.push_back(std::move(key));
  return {};
}

Status read_check(Cursor& in) {
  eat_if_exists(in);
  SLUICE_TRY(in.skip_parentheses());
  if (in.eat("NOT")) return in.want("ENFORCED");
  in.eat("ENFORCED");
  return {};
}

// FOR name (start, end)
Status read_period(Cursor& in, TableDefinition& table) {
  if (table.periods.size() == kMaxPeriods) return in.error("a third period");
  PeriodDefinition period;
  period.if_not_exists = eat_if_exists(in);
  SLUICE_TRY(in.want("FOR"));
  period.if_not_exists = eat_if_exists(in) || period.if_not_exists;
  period.at = in.offset();
  SLUICE_TRY_ASSIGN(period.name, in.want_name("a period"));
  SLUICE_TRY(in.want('('));
  SLUICE_TRY_ASSIGN(period.start, in.want_name("a column"));
  SLUICE_TRY(in.want(','));
  SLUICE_TRY_ASSIGN(period.end, in.want_name("a column"));
  table.periods.push_back(std::move(period));
  return in.want(')');
}

// Behind CONSTRAINT.
Status read_constraint(Cursor& in, TableDefinition& table) {
  Constraint constraint;
  constraint.if_not_exists = eat_if_exists(in);
  if (!in.is_any({"PRIMARY", "UNIQUE", "FOREIGN", "CHECK"})) {
    SLUICE_TRY_ASSIGN(constraint.name, in.want_name("a constraint"));
  }
  if (in.eat("PRIMARY", "KEY")) return read_key(in, KeyKind::primary, {}, table);
  if (in.eat("UNIQUE")) {
    if (!in.eat("KEY")) in.eat("INDEX");
    return read_key(in, KeyKind::unique, constraint, table);
  }
  if (in.eat("FOREIGN")) return read_foreign_key(in, constraint, table);
  SLUICE_TRY(in.want("CHECK"));
  return read_check(in);
}

}  // namespace

Status skip_index_type(Cursor& in) {
  if (!at_index_type(in)) return {};
  in.step();
  SLUICE_TRY(in.want_name("an index type"));
  return {};
}

Status skip_key_options(Cursor& in) {
  while (!at_clause_end(in)) {
    if (at_index_type(in)) {
      SLUICE_TRY(skip_index_type(in));
    } else if (in.is("WAIT") || in.is("NOWAIT")) {
      skip_wait(in);
    } else if (in.eat("WITH")) {
      SLUICE_TRY(in.want("PARSER"));
      SLUICE_TRY(in.want_name("a parser"));
    } else if (in.eat("NOT")) {
      SLUICE_TRY(in.want("IGNORED"));
    } else if (in.is_any({"KEY_BLOCK_SIZE", "COMMENT", "ENGINE_ATTRIBUTE",
                          "SECONDARY_ENGINE_ATTRIBUTE", "ALGORITHM", "LOCK"}) ||
               (in.is_name() && in.ahead().symbol('='))) {
      in.step();
      in.eat('=');
      if (!in.is_name() && !in.is_string()) return in.error("a value is expected");
      in.step();
    } else if (!in.eat("VISIBLE") && !in.eat("INVISIBLE") && !in.eat("IGNORED")) {
      return in.error("no option of a key is known that begins so");
    }
  }
  return {};
}

Status read_key_parts(Cursor& in, KeyDefinition& key) {
  SLUICE_TRY(in.want('('));
  do {
    if (key.parts.size() == kMaxKeyParts) return in.error("more than 64 columns in a key");
    SLUICE_TRY(read_key_part(in, key));
  } while (in.eat(','));
  return in.want(')');
}

Status read_references(Cursor& in) {
  SLUICE_TRY(in.want("REFERENCES"));
  SLUICE_TRY(read_table_name(in));
  if (in.is('(')) SLUICE_TRY(in.skip_parentheses());
  if (in.eat("MATCH")) {
    if (!in.is_any({"FULL", "PARTIAL", "SIMPLE"})) return in.error("FULL expected");
    in.step();
  }
  while (in.is("ON") && (in.ahead().is("DELETE") || in.ahead().is("UPDATE"))) {
    in.step();
    in.step();
    const bool two_words = in.eat("SET") || in.eat("NO");
    if (!two_words && !in.is_any({"RESTRICT", "CASCADE"})) return in.error("CASCADE expected");
    if (two_words && !in.is_any({"NULL", "DEFAULT", "ACTION"})) return in.error("NULL expected");
    in.step();
  }
  return {};
}

Result<bool> read_table_item(Cursor& in, TableDefinition& table) {
  const auto done = [](Status status) -> Result<bool> {
    if (!status) return std::move(status).error();
    return true;
  };
  // A quoted word is a column's name.
  if (in.now().kind != SqlToken::Kind::word) return false;
  if (in.eat("CONSTRAINT")) return done(read_constraint(in, table));
  if (in.is_any({"PRIMARY", "UNIQUE", "FOREIGN", "CHECK"})) return done(read_constraint(in, table));
  if (in.eat("KEY") || in.eat("INDEX")) return done(read_key(in, KeyKind::index, {}, table));
  if (in.eat("FULLTEXT") || in.eat("SPATIAL") || in.eat("VECTOR", "KEY") ||
      in.eat("VECTOR", "INDEX")) {
    if (!in.eat("KEY")) in.eat("INDEX");
    return done(read_key(in, KeyKind::index, {}, table));
  }
  if (in.is("PERIOD") && (in.ahead().is("FOR") || in.ahead().is("IF"))) {
    in.step();
    return done(read_period(in, table));
  }
  return false;
}

}  // namespace sluice::schema::ddl
