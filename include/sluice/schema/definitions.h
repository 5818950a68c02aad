#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sluice/base/result.h"
#include "sluice/model/table_schema.h"
#include "sluice/schema/create_table.h"

namespace sluice::schema {

// What a statement did to values of rows that are there, without ROWS events.
struct ContentChange {
  std::string column;  // "": all of the table
  std::string what;    // "dropped", "converted from int to datetime"
  friend bool operator==(const ContentChange&, const ContentChange&) = default;
};

// What one statement did to one table.
struct TableEffect {
  enum class Kind : std::uint8_t {
    created,  // did not exist before, or was replaced
    altered,  // columns, keys or character set
    renamed,  // to new_database.new_table
    dropped,
    emptied,    // TRUNCATE, ALTER TABLE .. TRUNCATE, DROP or EXCHANGE PARTITION, IMPORT TABLESPACE
                // ...: rows went or came without ROWS events
    not_known,  // the statement could not be read, or needs what we do not know: see `why`
  };
  Kind kind = Kind::altered;
  std::string database, table;  // `table` empty: all tables of the database; both: all tables
  std::string new_database, new_table;
  std::string why;  // not_known: "line:column" of the statement, what stands there
  std::vector<ContentChange> content;
  // Rows of this name (renamed: of the new one) go by other columns than before, or by other text
  // of them.  not_known: perhaps.
  bool other_key = false;
  friend bool operator==(const TableEffect&, const TableEffect&) = default;
};

// Tables as they are at one place of the binlog, changed by the DDL statements that follow.  A
// value.  Belongs to one thread.  It must see the statements of all tables, also of those nobody
// maps: they are renamed to others.
class Definitions {
 public:
  using Name = std::pair<std::string, std::string>;  // database, table

  // How the server compares names of databases and tables: 0 as they are, 1 stored in small
  // letters, 2 stored as given, compared in small letters.
  explicit Definitions(std::uint8_t lower_case_table_names = 0)
      : lower_case_(lower_case_table_names) {}

  // Does what the statement does on a server with this context.  `statement` is UTF-8, one
  // statement, as a QUERY event has it.  A table statement that cannot be read makes its table
  // unknown and says so in the effects: nothing is guessed.  A table that was never known stays so
  // without a word, but one that it is renamed to is unknown then.  Statements that leave columns
  // and keys of tables alone have no effects.
  std::vector<TableEffect> apply(std::string_view statement, const DdlContext& context);

  // Null when it is not known: never seen, or made unknown by a statement.  Valid until the next
  // change.
  const TableSchema* find(std::string_view database, std::string_view table) const;
  // True when a statement made it unknown (find() is null then).
  bool is_lost(std::string_view database, std::string_view table) const;
  // What is_lost() hangs on, TableEffect::why; null when it is not lost.
  const std::string* why_lost(std::string_view database, std::string_view table) const;
  // Takes over what a server said of it.
  void put(TableSchema table);
  // Knows it no more and does not call it lost; `table` empty: nor any other of the database, nor
  // the database.
  void erase(std::string_view database, std::string_view table);
  // Makes it unknown; `table` empty: all of the database; both: all there are.
  void lose(std::string_view database, std::string_view table, std::string why);
  // False when `from` is neither known nor lost.
  bool rename(const Name& from, const Name& to);
  // Character set of a database, for tables created without one; "" when it is not known.
  std::string_view charset_of(std::string_view database) const;
  // `database` empty: of those that nobody tells of.
  void put_database(std::string_view database, std::string charset);
  // The same; the context's when it is the context's database that is not known, or what was put
  // for all of these.
  std::string_view charset_in(std::string_view database, const DdlContext& context) const;

  // The name as the server stores it.
  Name stored(std::string_view database, std::string_view table) const;
  // By stored name; in small letters when the server compares in them.
  const std::map<Name, TableSchema>& tables() const noexcept { return tables_; }
  // Why each of them is not known; an empty name stands for all.
  const std::map<Name, std::string>& lost() const noexcept { return lost_; }
  std::uint8_t lower_case_table_names() const noexcept { return lower_case_; }
  // Character sets by name; "" when it is not known.
  const std::map<std::string, std::string>& databases() const noexcept { return databases_; }

 private:
  Name key_of(std::string_view database, std::string_view table) const;

  std::uint8_t lower_case_ = 0;
  std::map<Name, TableSchema> tables_;
  std::map<Name, std::string> lost_;  // why
  std::map<std::string, std::string> databases_;
};

}  // namespace sluice::schema
