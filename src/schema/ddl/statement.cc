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
    "INSERT",   "REPLACE", "UPDATE",   "DELETE",     "SELECT",  "VALUES",   "WITH",     "TABLE",
    "LOAD",     "CALL",    "DO",       "HANDLER",    "LOCK",    "UNLOCK",   "BEGIN",    "START",
    "COMMIT",   "GRANT",   "ROLLBACK", "SAVEPOINT",  "RELEASE", "XA",       "REVOKE",   "FLUSH",
    "RESET",    "PURGE",   "CHANGE",   "STOP",       "KILL",    "SHOW",     "DESC",     "DESCRIBE",
    "EXPLAIN",  "HELP",    "ANALYZE",  "CHECK",      "REPAIR",  "CHECKSUM", "OPTIMIZE", "CACHE",
    "PREPARE",  "EXECUTE", "BINLOG",   "DEALLOCATE", "INSTALL", "SIGNAL",   "CLONE",    "UNINSTALL",
    "RESIGNAL", "IMPORT",  "RESTART",  "SHUTDOWN",   "BACKUP",  "GET",
};

// Behind CREATE, ALTER or DROP, with what may stand before it: things that are no tables.
constexpr std::array kOtherThings = {
    "VIEW",    "ALGORITHM",    "DEFINER",  "SQL",     "PROCEDURE", "FUNCTION",  "AGGREGATE",
    "TRIGGER", "EVENT",        "USER",     "ROLE",    "SERVER",    "PACKAGE",   "TABLESPACE",
    "LOGFILE", "UNDO",         "RESOURCE", "SPATIAL", "FULLTEXT",  "VECTOR",    "PREPARE",
    "CATALOG", "MATERIALIZED", "JSON",     "LIBRARY", "MASKING",   "EXTERNAL",  "SEQUENCE",
    "INDEX",   "ONLINE",       "OFFLINE",  "UNIQUE",  "INSTANCE",  "TEMPORARY",
};

template <std::size_t N>
bool is_one(const Cursor& in, const std::array<const char*, N>& words) {
  return std::any_of(words.begin(), words.end(), [&in](const char* word) { return in.is(word); });
}

// IF [NOT] EXISTS; true when it is there.
bool eat_if(Cursor& in) {
  if (!in.eat("IF")) return false;
  in.eat("NOT");
  return in.eat("EXISTS");
}

Status read_subject(Cursor& in, Subject& subject) {
  SLUICE_TRY_ASSIGN(subject.name, read_table_name(in));
  return {};
}

Result<Statement> read_create_database(Cursor& in, bool replace) {
  DatabaseOptions out;
  out.create = true;
  out.or_replace = replace;
  out.if_not_exists = eat_if(in);
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

Result<Statement> read_create_sequence(Cursor& in, bool replace, Subject& subject) {
  CreateSequence out;
  out.or_replace = replace;
  out.if_not_exists = eat_if(in);
  SLUICE_TRY(read_subject(in, subject));
  out.name = subject.name;
  if (in.is("AS"))
    return in.error("a sequence with a type is not read: write it as SHOW CREATE TABLE prints it");
  return Statement(std::move(out));
}

// Something that may be a table's: the subject is read as far as it can be.
Error unknown_thing(Cursor& in, std::string_view what) {
  return in.error("nothing is known that is " + std::string(what) + " so");
}

// What `CREATE something` is: a table statement of which we know nothing, or no table at all.
Result<Statement> read_other(Cursor& in, std::string_view what) {
  if (is_one(in, kOtherThings)) return Statement(PassedOver{});
  return unknown_thing(in, what);
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
  if (in.eat("SEQUENCE")) return read_create_sequence(in, replace, subject);
  while (in.is_any({"ONLINE", "OFFLINE"})) in.step();
  if (in.eat("UNIQUE")) {
    while (!in.at_end() && !in.is("ON")) in.step();
    SLUICE_TRY(in.want("ON"));
    subject.altered = true;
    SLUICE_TRY(read_subject(in, subject));
    return in.error("CREATE UNIQUE INDEX is not read");
  }
  return read_other(in, "created");
}

Result<Statement> read_drop(Cursor& in, Subject& subject) {
  in.step();
  if (in.eat("TEMPORARY")) return Statement(PassedOver{});
  if (in.eat("TABLE") || in.eat("TABLES") || in.eat("SEQUENCE")) {
    DropTables out;
    eat_if(in);
    do {
      SLUICE_TRY_ASSIGN(Name name, read_table_name(in));
      out.tables.push_back(std::move(name));
    } while (in.eat(','));
    return Statement(std::move(out));
  }
  if (in.eat("DATABASE") || in.eat("SCHEMA")) {
    DropDatabase out;
    eat_if(in);
    SLUICE_TRY_ASSIGN(out.database, in.want_name("a database"));
    return Statement(std::move(out));
  }
  while (in.is_any({"ONLINE", "OFFLINE"})) in.step();
  if (in.is("INDEX")) {
    while (!in.at_end() && !in.is("ON")) in.step();
    SLUICE_TRY(in.want("ON"));
    subject.altered = true;
    SLUICE_TRY(read_subject(in, subject));
    return in.error("DROP INDEX is not read");
  }
  return read_other(in, "dropped");
}

Result<Statement> read_alter(Cursor& in, Subject& subject) {
  in.step();
  if (in.eat("DATABASE") || in.eat("SCHEMA")) return read_alter_database(in);
  while (in.is_any({"ONLINE", "OFFLINE", "IGNORE"})) in.step();
  if (!in.eat("TABLE")) return Statement(PassedOver{});
  eat_if(in);
  subject.altered = true;
  SLUICE_TRY(read_subject(in, subject));
  return in.error("ALTER TABLE is not read");
}

// RENAME TABLE a [WAIT n] TO b, c TO d
Result<Statement> read_rename(Cursor& in) {
  in.step();
  if (!in.eat("TABLE") && !in.eat("TABLES")) return Statement(PassedOver{});  // RENAME USER
  RenameTables out;
  eat_if(in);
  do {
    SLUICE_TRY_ASSIGN(Name from, read_table_name(in));
    if (in.eat("WAIT"))
      in.step();
    else
      in.eat("NOWAIT");
    SLUICE_TRY(in.want("TO"));
    SLUICE_TRY_ASSIGN(Name to, read_table_name(in));
    out.tables.emplace_back(std::move(from), std::move(to));
  } while (in.eat(','));
  return Statement(std::move(out));
}

Result<Statement> read_truncate(Cursor& in, Subject& subject) {
  in.step();
  in.eat("TABLE");
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
  if (in.is("TRUNCATE")) return read_truncate(in, subject);
  return Statement(PassedOver{});
}

}  // namespace sluice::schema::ddl
