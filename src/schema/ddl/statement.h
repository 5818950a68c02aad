#pragma once
// A statement as it is written: what it says of tables and databases, before it is known whether
// they are there.
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "sluice/base/result.h"

#include "schema/ddl/alteration.h"
#include "schema/ddl/cursor.h"
#include "schema/ddl/definition.h"

namespace sluice::schema::ddl {

using Name = std::pair<std::string, std::string>;  // database ("": not said), table

// Leaves columns and keys of tables alone.
struct PassedOver {};
struct CreateTable {
  TableDefinition table;
};
// MariaDB's; a table with columns of its own.
struct CreateSequence {
  Name name;
  bool alter = false;  // ALTER SEQUENCE; only with a type it changes columns
  bool or_replace = false;
  bool if_not_exists = false;
  std::string type;  // "" unless said: "int unsigned"
};
struct DropTables {
  std::vector<Name> tables;
};
struct RenameTables {
  std::vector<std::pair<Name, Name>> tables;  // one after the other
};
// InnoDB makes the tables anew.
struct Optimize {
  std::vector<Name> tables;
};
struct Truncate {
  Name table;
};
// CREATE and ALTER DATABASE.
struct DatabaseOptions {
  std::string database;  // "": the session's
  bool create = false, or_replace = false, if_not_exists = false;
  std::string charset, collation;  // "" unless said
};
struct DropDatabase {
  std::string database;
};

using Statement = std::variant<PassedOver, CreateTable, CreateSequence, AlterTable, DropTables,
                               RenameTables, Optimize, Truncate, DatabaseOptions, DropDatabase>;

// The table a statement is about, as soon as its name is read: whom an error concerns.
struct Subject {
  Name name;
  bool altered = false;  // it was there before
};

// The whole statement.  Errors: fatal/schema_statement.
Result<Statement> read_statement(Cursor& in, Subject& subject);

// True when the statement that begins here cannot change columns or keys, by its first word.
bool begins_harmless(const Cursor& in);

}  // namespace sluice::schema::ddl
