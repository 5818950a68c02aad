#include "schema/ddl/script.h"

#include <algorithm>
#include <array>
#include <optional>
#include <tuple>

#include "sluice/base/charset.h"
#include "sluice/base/text_buffer.h"

#include "schema/ddl/reader.h"
#include "schema/ddl/resolve.h"

namespace sluice::schema::ddl {
namespace {

using binlog::SqlToken;

// Statements that leave columns and keys alone, by their first word.
constexpr std::array kHarmless = {
    "INSERT",   "REPLACE", "UPDATE",   "DELETE",     "SELECT",  "VALUES",   "WITH",     "TABLE",
    "TRUNCATE", "LOAD",    "CALL",     "DO",         "HANDLER", "LOCK",     "UNLOCK",   "BEGIN",
    "START",    "COMMIT",  "ROLLBACK", "SAVEPOINT",  "RELEASE", "XA",       "GRANT",    "REVOKE",
    "FLUSH",    "RESET",   "PURGE",    "CHANGE",     "STOP",    "KILL",     "SHOW",     "DESC",
    "DESCRIBE", "EXPLAIN", "HELP",     "ANALYZE",    "CHECK",   "CHECKSUM", "REPAIR",   "OPTIMIZE",
    "CACHE",    "PREPARE", "EXECUTE",  "DEALLOCATE", "INSTALL", "BINLOG",   "SIGNAL",   "UNINSTALL",
    "CLONE",    "IMPORT",  "RESTART",  "SHUTDOWN",   "BACKUP",  "GET",      "RESIGNAL",
};

// Behind CREATE or DROP, with what may stand before it: things that are no tables.
constexpr std::array kOtherThings = {
    "VIEW",    "ALGORITHM",    "DEFINER",  "SQL",     "PROCEDURE", "FUNCTION", "AGGREGATE",
    "TRIGGER", "EVENT",        "USER",     "ROLE",    "SERVER",    "PACKAGE",  "TABLESPACE",
    "LOGFILE", "UNDO",         "RESOURCE", "SPATIAL", "FULLTEXT",  "VECTOR",   "PREPARE",
    "CATALOG", "MATERIALIZED", "JSON",     "LIBRARY", "MASKING",   "EXTERNAL",
};

template <std::size_t N>
bool is_one(const Cursor& in, const std::array<const char*, N>& words) {
  return std::any_of(words.begin(), words.end(), [&in](const char* word) { return in.is(word); });
}

bool is_ascii(std::string_view text) noexcept {
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return (static_cast<unsigned char>(c) & 0x80U) != 0; });
}

// IF [NOT] EXISTS; true when it is there.
bool eat_if(Cursor& in) {
  if (!in.eat("IF")) return false;
  in.eat("NOT");
  return in.eat("EXISTS");
}

// ENABLE KEYS and DISABLE KEYS, which dumps put around rows, and the next AUTO_INCREMENT.
bool alters_nothing(Cursor& in) {
  if (in.eat("ENABLE", "KEYS") || in.eat("DISABLE", "KEYS")) return in.at_end();
  if (!in.eat("AUTO_INCREMENT")) return false;
  in.eat('=');
  in.step();
  return in.at_end();
}

}  // namespace

Script::Name Script::full(Name name) const {
  if (name.first.empty()) name.first = session_.context().database;
  return name;
}

std::string Script::charset_of(const std::string& database) const {
  const auto known = databases_.find(database);
  return known != databases_.end() ? known->second : session_.initial().charset;
}

Status Script::run(std::string_view text) {
  const auto unreadable = [](std::string_view what) {
    return fatal(Errc::schema_statement, "1:1: the text is " + std::string(what) + ", not UTF-8");
  };
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF")) return unreadable("UTF-16");
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  StatementSplitter splitter(text, session_.context().flavor);
  while (true) {
    SLUICE_TRY_ASSIGN(const auto next,
                      splitter.next(session_.context().sql_mode, session_.client()));
    if (!next) return {};
    SLUICE_TRY(statement(*next));
  }
}

Status Script::statement(const ScriptStatement& statement) {
  // How it is read is decided before it changes anything.
  const DdlContext context = session_.context();
  Cursor raw(statement.text, context, statement.place);
  if (raw.at_end() || raw.is('(') || is_one(raw, kHarmless)) return {};
  if (is_ascii(statement.text)) return dispatch(raw);
  TextBuffer utf8;
  if (!session_.client().to_utf8(statement.text, utf8))
    return raw.error("the statement has bytes that are none of character set " +
                     std::string(session_.client().name()) + " (SET NAMES says another)");
  Cursor in(utf8.view(), context, statement.place);
  return dispatch(in);
}

Status Script::dispatch(Cursor& in) {
  if (in.is("CREATE")) return create(in);
  if (in.is("DROP")) return drop(in);
  if (in.is("ALTER")) return alter(in);
  if (in.is("RENAME")) return rename(in);
  if (in.is("SET")) return session_.set(in);
  if (!in.eat("USE")) return in.error("no statement of SQL begins so");
  SLUICE_TRY_ASSIGN(std::string database, in.want_name("a database"));
  std::string charset = charset_of(database);
  session_.use(std::move(database), std::move(charset));
  return {};
}

// CREATE and ALTER DATABASE: its character set.
Status Script::database_options(Cursor& in, const std::string& database) {
  std::string charset, collation;
  bool told = false;
  while (!in.at_end()) {
    in.eat("DEFAULT");
    SLUICE_TRY_ASSIGN(const bool read, read_charset(in, charset, collation));
    told = told || read;
    if (!read) in.step();
  }
  if (!told) return {};
  SLUICE_TRY_ASSIGN(charset,
                    resolve_charset(in, charset, collation, charset_of(database), in.offset()));
  databases_[database] = charset;
  if (database == session_.context().database) session_.use(database, std::move(charset));
  return {};
}

Status Script::create(Cursor& in) {
  const Cursor whole = in;
  in.step();
  const bool replace = in.eat("OR", "REPLACE");
  if (in.is("TEMPORARY")) return {};  // no other session sees it
  if (in.is("TABLE")) {
    in = whole;
    SLUICE_TRY_ASSIGN(const TableDefinition definition, read_table(in));
    TableSchema table;
    const std::string database = full({definition.database, definition.name}).first;
    if (definition.like) {
      const auto like = tables_.find(full(*definition.like));
      if (like == tables_.end())
        return in.error_at(definition.like_at, "there is no such table before this statement");
      table = like->second;
      table.database = database;
      table.name = definition.name;
    } else {
      SLUICE_TRY_ASSIGN(table, resolve(in, definition, charset_of(database)));
    }
    return add(whole, std::move(table), replace, definition.if_not_exists);
  }
  if (in.eat("DATABASE") || in.eat("SCHEMA")) {
    eat_if(in);
    SLUICE_TRY_ASSIGN(const std::string database, in.want_name("a database"));
    if (replace) databases_.erase(database);
    return database_options(in, database);
  }
  if (in.eat("SEQUENCE")) return create_sequence(in, replace);
  if (in.is_any({"ONLINE", "OFFLINE"})) in.step();
  if (in.eat("UNIQUE")) return refuse_index(in, "CREATE UNIQUE INDEX");
  if (in.is("INDEX") || is_one(in, kOtherThings)) return {};
  return in.error("nothing is known that is created so");
}

// MariaDB's sequences are tables with these columns (MariaDB: sql/sql_sequence.cc
// sequence_structure).
Status Script::create_sequence(Cursor& in, bool replace) {
  constexpr std::string_view kColumns =
      "(next_not_cached_value bigint(21) NOT NULL, minimum_value bigint(21) NOT NULL, "
      "maximum_value bigint(21) NOT NULL, start_value bigint(21) NOT NULL, "
      "increment bigint(21) NOT NULL, cache_size bigint(21) unsigned NOT NULL, "
      "cycle_option tinyint(1) unsigned NOT NULL, cycle_count bigint(21) NOT NULL)";
  const bool keep = eat_if(in);
  SLUICE_TRY_ASSIGN(Name name, read_table_name(in));
  name = full(std::move(name));
  if (in.is("AS"))
    return in.error("a sequence with a type is not read: write it as SHOW CREATE TABLE prints it");
  SLUICE_TRY_ASSIGN(TableSchema table,
                    read_create_table("CREATE TABLE s " + std::string(kColumns), in.context()));
  std::tie(table.database, table.name) = name;
  return add(in, std::move(table), replace, keep);
}

Status Script::add(const Cursor& in, TableSchema table, bool replace, bool keep) {
  const Name name{table.database, table.name};
  const auto [known, added] = tables_.try_emplace(name, table);
  if (added || keep) return {};
  if (!replace && known->second != table)
    return in.error("table `" + table.name + "` was created before, and differently");
  known->second = std::move(table);
  return {};
}

Status Script::drop_tables(Cursor& in) {
  eat_if(in);
  do {
    SLUICE_TRY_ASSIGN(Name name, read_table_name(in));
    tables_.erase(full(std::move(name)));
  } while (in.eat(','));
  return {};
}

Status Script::drop(Cursor& in) {
  in.step();
  if (in.eat("TEMPORARY")) return {};
  if (in.eat("TABLE") || in.eat("TABLES") || in.eat("SEQUENCE")) return drop_tables(in);
  if (in.eat("DATABASE") || in.eat("SCHEMA")) {
    eat_if(in);
    SLUICE_TRY_ASSIGN(const std::string database, in.want_name("a database"));
    std::erase_if(tables_, [&database](const auto& t) { return t.first.first == database; });
    databases_.erase(database);
    return {};
  }
  if (in.is_any({"ONLINE", "OFFLINE"})) in.step();
  if (in.is("INDEX")) return refuse_index(in, "DROP INDEX");
  if (is_one(in, kOtherThings)) return {};
  return in.error("nothing is known that is dropped so");
}

// ... INDEX name ON table: may change a unique key.
Status Script::refuse_index(Cursor& in, std::string_view what) {
  const std::size_t from = in.offset();
  while (!in.at_end() && !in.is("ON")) in.step();
  SLUICE_TRY(in.want("ON"));
  SLUICE_TRY_ASSIGN(Name name, read_table_name(in));
  if (!tables_.contains(full(std::move(name)))) return {};
  return in.error_at(from, std::string(what) +
                               " is not read here: write the table as SHOW CREATE TABLE prints it");
}

Status Script::alter(Cursor& in) {
  in.step();
  if (in.eat("DATABASE") || in.eat("SCHEMA")) {
    std::string database = session_.context().database;
    if (!in.is_any({"DEFAULT", "CHARACTER", "CHARSET", "COLLATE", "ENCRYPTION", "READ", "COMMENT",
                    "UPGRADE"})) {
      SLUICE_TRY_ASSIGN(database, in.want_name("a database"));
    }
    return database_options(in, database);
  }
  while (in.is_any({"ONLINE", "OFFLINE", "IGNORE"})) in.step();
  if (!in.eat("TABLE")) return {};  // users, views, events ...
  const std::size_t from = in.offset();
  eat_if(in);
  SLUICE_TRY_ASSIGN(Name name, read_table_name(in));
  if (!tables_.contains(full(std::move(name))) || alters_nothing(in)) return {};
  return in.error_at(
      from, "ALTER TABLE is not read here: write the table as SHOW CREATE TABLE prints it");
}

// RENAME TABLE a [WAIT n] TO b, c TO d
Status Script::rename(Cursor& in) {
  in.step();
  if (!in.eat("TABLE") && !in.eat("TABLES")) return {};  // RENAME USER
  eat_if(in);
  do {
    SLUICE_TRY_ASSIGN(Name from, read_table_name(in));
    if (in.eat("WAIT"))
      in.step();
    else
      in.eat("NOWAIT");
    SLUICE_TRY(in.want("TO"));
    SLUICE_TRY_ASSIGN(Name to, read_table_name(in));
    to = full(std::move(to));
    auto table = tables_.extract(full(std::move(from)));
    if (!table) continue;
    std::tie(table.mapped().database, table.mapped().name) = to;
    table.key() = std::move(to);
    if (!tables_.insert(std::move(table)).inserted)
      return in.error("there is a table of the new name");
  } while (in.eat(','));
  return {};
}

}  // namespace sluice::schema::ddl
