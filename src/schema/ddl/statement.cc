// Statements by their first words (mysql-server: sql/sql_yacc.yy; MariaDB: the same file).
#include "schema/ddl/statement.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "schema/ddl/reader.h"

namespace sluice::schema::ddl {
namespace {

// Statements that leave columns and keys alone, by their first word.
constexpr std::array kHarmless = {
    "INSERT",  "REPLACE", "UPDATE",     "DELETE",    "SELECT",  "VALUES",   "WITH",      "TABLE",
    "LOAD",    "CALL",    "DO",         "HANDLER",   "LOCK",    "UNLOCK",   "BEGIN",     "START",
    "COMMIT",  "GRANT",   "ROLLBACK",   "SAVEPOINT", "RELEASE", "XA",       "REVOKE",    "FLUSH",
    "RESET",   "PURGE",   "CHANGE",     "STOP",      "KILL",    "SHOW",     "DESC",      "DESCRIBE",
    "EXPLAIN", "HELP",    "ANALYZE",    "CHECK",     "REPAIR",  "CHECKSUM", "CACHE",     "PREPARE",
    "EXECUTE", "BINLOG",  "DEALLOCATE", "INSTALL",   "SIGNAL",  "CLONE",    "UNINSTALL", "RESIGNAL",
    "IMPORT",  "RESTART", "SHUTDOWN",   "BACKUP",    "GET",
};

// Behind CREATE, ALTER or DROP, with what may stand before it: things that are no tables.
constexpr std::array kOtherThings = {
    "VIEW",    "ALGORITHM", "DEFINER",  "SQL",       "PROCEDURE", "FUNCTION", "AGGREGATE",
    "TRIGGER", "EVENT",     "USER",     "ROLE",      "SERVER",    "PACKAGE",  "TABLESPACE",
    "LOGFILE", "UNDO",      "RESOURCE", "SPATIAL",   "PREPARE",   "CATALOG",  "MATERIALIZED",
    "JSON",    "LIBRARY",   "MASKING",  "TEMPORARY", "INSTANCE",  "EXTERNAL",
};

template <std::size_t N>
bool is_one(const Cursor& in, const std::array<const char*, N>& words) {
  return std::any_of(words.begin(), words.end(), [&in](const char* word) { return in.is(word); });
}

Status read_subject(Cursor& in, Subject& subject) {
  SLUICE_TRY_ASSIGN(subject.name, read_table_name(in));
  return {};
}

Result<Statement> read_create_database(Cursor& in, bool replace) {
  DatabaseOptions out;
  out.create = true;
  out.or_replace = replace;
  out.if_not_exists = eat_if_exists(in);
  SLUICE_TRY_ASSIGN(out.database, in.want_name("a database"));
  SLUICE_TRY(read_database_options(in, out.charset, out.collation));
  return Statement(std::move(out));
}

Result<Statement> read_alter_database(Cursor& in) {
  DatabaseOptions out;
  if (!in.is_any({"DEFAULT", "CHARACTER", "CHARSET", "COLLATE", "ENCRYPTION", "READ", "COMMENT",
                  "UPGRADE"}) ||
      in.now().kind == binlog::SqlToken::Kind::quoted) {
    SLUICE_TRY_ASSIGN(out.database, in.want_name("a database"));
  }
  SLUICE_TRY(read_database_options(in, out.charset, out.collation));
  return Statement(std::move(out));
}

// MariaDB 11.5: AS INT UNSIGNED
Result<Statement> read_sequence(Cursor& in, bool alter, bool replace, Subject& subject) {
  CreateSequence out;
  out.alter = alter;
  out.or_replace = replace;
  out.if_not_exists = eat_if_exists(in) && !alter;
  SLUICE_TRY(read_subject(in, subject));
  out.name = subject.name;
  while (!in.at_end() && !in.is("AS")) in.step();
  if (!in.eat("AS")) return Statement(std::move(out));
  TypeDefinition type;
  SLUICE_TRY(read_type(in, type));
  if (type.form != TypeForm::integer) return in.error("an integer type expected");
  out.type = type.name;
  while (in.is_any({"SIGNED", "UNSIGNED", "ZEROFILL"})) {
    if (in.is("UNSIGNED")) out.type += " unsigned";
    in.step();
  }
  return Statement(std::move(out));
}

// What CREATE, ALTER or DROP is about, if it is none of our things.  Of a word that is not known
// nobody can say that it is no table.
Result<Statement> read_other(Cursor& in, std::string_view what) {
  if (is_one(in, kOtherThings)) return Statement(PassedOver{});
  return in.error("nothing is known that is " + std::string(what) + " so");
}

// CREATE [UNIQUE | FULLTEXT | SPATIAL | VECTOR] INDEX [IF NOT EXISTS] name [USING type] ON table
// (parts) options
Result<Statement> read_create_index(Cursor& in, bool replace, Subject& subject) {
  KeyDefinition key;
  if (in.eat("UNIQUE"))
    key.kind = KeyKind::unique;
  else if (!in.is("INDEX"))
    in.step();
  SLUICE_TRY(in.want("INDEX"));
  key.or_replace = replace;
  key.if_not_exists = eat_if_exists(in);
  key.at = in.offset();
  SLUICE_TRY_ASSIGN(key.name, in.want_name("a key's name"));
  SLUICE_TRY(skip_index_type(in));
  SLUICE_TRY(in.want("ON"));
  subject.altered = true;
  SLUICE_TRY(read_subject(in, subject));
  AlterTable out;
  out.table = subject.name;
  SLUICE_TRY(read_key_parts(in, key));
  SLUICE_TRY(skip_key_options(in));
  if (!in.at_end()) return in.error("the statement's end is expected");
  if (key.if_not_exists) out.anew = Anew::by_effect;
  out.added.keys.push_back(std::move(key));
  return Statement(std::move(out));
}

// DROP INDEX [IF EXISTS] name ON table options
Result<Statement> read_drop_index(Cursor& in, Subject& subject) {
  in.step();
  KeyAction action;
  action.conditional = eat_if_exists(in);
  action.at = in.offset();
  SLUICE_TRY_ASSIGN(action.name, in.want_name("a key"));
  SLUICE_TRY(in.want("ON"));
  subject.altered = true;
  SLUICE_TRY(read_subject(in, subject));
  SLUICE_TRY(skip_key_options(in));
  if (!in.at_end()) return in.error("the statement's end is expected");
  AlterTable out;
  out.table = subject.name;
  if (action.conditional) out.anew = Anew::by_effect;
  out.keys.push_back(std::move(action));
  return Statement(std::move(out));
}

bool at_index(const Cursor& in) {
  return in.is("INDEX") || in.is("UNIQUE") ||
         (in.is_any({"FULLTEXT", "SPATIAL", "VECTOR"}) && in.ahead().is("INDEX"));
}

Result<Statement> read_create(Cursor& in, Subject& subject) {
  const Cursor whole = in;
  in.step();
  const bool replace = in.eat("OR", "REPLACE");
  if (in.is("TEMPORARY")) return Statement(PassedOver{});  // no other session sees it
  if (in.is("TABLE")) {
    in = whole;
    CreateTable out;
    SLUICE_TRY_ASSIGN(out.table, read_table(in, &subject.name));
    return Statement(std::move(out));
  }
  if (in.eat("DATABASE") || in.eat("SCHEMA")) return read_create_database(in, replace);
  if (in.eat("SEQUENCE")) return read_sequence(in, false, replace, subject);
  while (in.is_any({"ONLINE", "OFFLINE"})) in.step();
  if (at_index(in)) return read_create_index(in, replace, subject);
  return read_other(in, "created");
}

Result<Statement> read_drop(Cursor& in, Subject& subject) {
  in.step();
  if (in.eat("TEMPORARY")) return Statement(PassedOver{});
  if (in.eat("TABLE") || in.eat("TABLES") || in.eat("SEQUENCE")) {
    DropTables out;
    eat_if_exists(in);
    do {
      SLUICE_TRY_ASSIGN(Name name, read_table_name(in));
      out.tables.push_back(std::move(name));
    } while (in.eat(','));
    return Statement(std::move(out));
  }
  if (in.eat("DATABASE") || in.eat("SCHEMA")) {
    DropDatabase out;
    eat_if_exists(in);
    SLUICE_TRY_ASSIGN(out.database, in.want_name("a database"));
    return Statement(std::move(out));
  }
  while (in.is_any({"ONLINE", "OFFLINE"})) in.step();
  if (in.is("INDEX")) return read_drop_index(in, subject);
  return read_other(in, "dropped");
}

Result<Statement> read_alter(Cursor& in, Subject& subject) {
  in.step();
  if (in.eat("DATABASE") || in.eat("SCHEMA")) return read_alter_database(in);
  subject.altered = true;
  if (in.eat("SEQUENCE")) return read_sequence(in, true, false, subject);
  AlterTable out;
  for (; in.is_any({"ONLINE", "OFFLINE", "IGNORE"}); in.step())
    out.ignore = out.ignore || in.is("IGNORE");
  if (!in.eat("TABLE")) return read_other(in, "altered");
  eat_if_exists(in);
  SLUICE_TRY(read_subject(in, subject));
  out.table = subject.name;
  SLUICE_TRY(read_alterations(in, out));
  return Statement(std::move(out));
}

// RENAME TABLE a [WAIT n] TO b, c TO d
Result<Statement> read_rename(Cursor& in) {
  in.step();
  if (!in.eat("TABLE") && !in.eat("TABLES")) return Statement(PassedOver{});  // RENAME USER
  RenameTables out;
  eat_if_exists(in);
  do {
    SLUICE_TRY_ASSIGN(Name from, read_table_name(in));
    skip_wait(in);
    SLUICE_TRY(in.want("TO"));
    SLUICE_TRY_ASSIGN(Name to, read_table_name(in));
    out.tables.emplace_back(std::move(from), std::move(to));
  } while (in.eat(','));
  return Statement(std::move(out));
}

// OPTIMIZE [LOCAL | NO_WRITE_TO_BINLOG] TABLE a, b
Result<Statement> read_optimize(Cursor& in) {
  in.step();
  if (!in.eat("LOCAL")) in.eat("NO_WRITE_TO_BINLOG");
  if (!in.eat("TABLE")) SLUICE_TRY(in.want("TABLES"));
  Optimize out;
  do {
    SLUICE_TRY_ASSIGN(Name name, read_table_name(in));
    out.tables.push_back(std::move(name));
  } while (in.eat(','));
  return Statement(std::move(out));
}

Result<Statement> read_truncate(Cursor& in, Subject& subject) {
  in.step();
  in.eat("TABLE");
  subject.altered = true;
  SLUICE_TRY(read_subject(in, subject));
  return Statement(Truncate{subject.name});
}

}  // namespace

Status read_database_options(Cursor& in, std::string& charset, std::string& collation) {
  while (!in.at_end()) {
    in.eat("DEFAULT");
    SLUICE_TRY_ASSIGN(const bool read, read_charset(in, charset, collation));
    if (!read) in.step();
  }
  return {};
}

bool begins_harmless(const Cursor& in) {
  return in.at_end() || in.is('(') || is_one(in, kHarmless);
}

Result<Statement> read_statement(Cursor& in, Subject& subject) {
  // MariaDB logs what stands before the statement, too.
  if (in.is("SET") && in.ahead().is("STATEMENT")) {
    while (in.now().kind != binlog::SqlToken::Kind::end && !in.is("FOR")) in.step();
    in.eat("FOR");
  }
  if (begins_harmless(in)) return Statement(PassedOver{});
  if (in.is("CREATE")) return read_create(in, subject);
  if (in.is("DROP")) return read_drop(in, subject);
  if (in.is("ALTER")) return read_alter(in, subject);
  if (in.is("RENAME")) return read_rename(in);
  if (in.is("OPTIMIZE")) return read_optimize(in);
  if (in.is("TRUNCATE")) return read_truncate(in, subject);
  return Statement(PassedOver{});
}

}  // namespace sluice::schema::ddl
