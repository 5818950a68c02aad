#pragma once
// ALTER TABLE, CREATE INDEX and DROP INDEX as they are written.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sluice/base/result.h"

#include "schema/ddl/cursor.h"
#include "schema/ddl/definition.h"

namespace sluice::schema::ddl {

// What is done to one column.
struct ColumnAction {
  enum class Kind : std::uint8_t {
    add,
    change,  // CHANGE and MODIFY: `definition` takes the place of `name`
    rename,  // to definition.name
    show,    // SET VISIBLE
    hide,
    leave,  // a default: nothing we know of
    drop,
  };
  Kind kind = Kind::leave;
  std::string name;  // of the column there is; "" for add
  ColumnDefinition definition;
  bool first = false;
  std::string after;         // "": stays, or comes last
  bool conditional = false;  // MariaDB's IF [NOT] EXISTS
  std::size_t at = 0;
};

// What is done to a key there is.
struct KeyAction {
  enum class Kind : std::uint8_t {
    drop,             // DROP KEY
    drop_primary,     // DROP PRIMARY KEY
    drop_constraint,  // a key that is unique, or what is no key
    rename,
  };
  Kind kind = Kind::drop;
  std::string name, new_name;
  bool conditional = false;  // MariaDB's IF EXISTS
  std::size_t at = 0;
};

// Whether the server makes a table's keys anew, whatever else it does: it sorts them, finds out
// which foreign keys need one, and takes what it said of a key for how that is defined.
enum class Anew : std::uint8_t {
  never,      // a mere RENAME, TRUNCATE PARTITION ...
  by_effect,  // when one of the actions that hang on IF [NOT] EXISTS does something
  not_known,  // it hangs on something that we do not know
  by_keys,    // keys are dropped and added: unless all of them are what they were
  always,
};

struct AlterTable {
  std::pair<std::string, std::string> table;  // database ("": not said), table
  std::vector<ColumnAction> columns;
  std::vector<KeyAction> keys;
  Anew anew = Anew::by_keys;
  TableDefinition added;  // keys, periods, character set and system versioning
  bool convert = false;   // to convert_charset, of all columns
  std::string convert_charset, convert_collation;
  std::optional<std::pair<std::string, std::string>> rename;
  std::vector<std::string> dropped_periods;
  bool drop_versioning = false;
  bool ignore = false;      // MariaDB's IGNORE: values that do not fit are made to
  bool moves_rows = false;  // without ROWS events: DROP PARTITION, IMPORT TABLESPACE ...
  // MariaDB's CONVERT PARTITION p TO TABLE and CONVERT TABLE x TO PARTITION, EXCHANGE PARTITION.
  std::optional<std::pair<std::string, std::string>> split_off, taken_in, exchanged;
};

// From behind the table's name to the end of the statement.  Errors: fatal/schema_statement.
Status read_alterations(Cursor& in, AlterTable& out);

}  // namespace sluice::schema::ddl
