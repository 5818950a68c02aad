#pragma once
// What a script of SQL does to tables.
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "sluice/base/result.h"
#include "sluice/model/table_schema.h"
#include "sluice/schema/create_table.h"

#include "schema/ddl/cursor.h"
#include "schema/ddl/session.h"
#include "schema/ddl/splitter.h"

namespace sluice::schema::ddl {

class Script {
 public:
  using Name = std::pair<std::string, std::string>;  // database ("": none), table
  using Tables = std::map<Name, TableSchema>;

  explicit Script(const DdlContext& context) : session_(context) {}
  // Errors: fatal/schema_statement with the place in `text`.
  Status run(std::string_view text);
  Tables take() && { return std::move(tables_); }

 private:
  Status statement(const ScriptStatement& statement);
  Status dispatch(Cursor& in);
  Status create(Cursor& in);
  Status create_sequence(Cursor& in, bool replace);
  Status database_options(Cursor& in, const std::string& database);
  Status drop(Cursor& in);
  Status drop_tables(Cursor& in);
  Status alter(Cursor& in);
  Status rename(Cursor& in);
  Status refuse_index(Cursor& in, std::string_view what);

  Status add(const Cursor& in, TableSchema table, bool replace, bool keep);
  Name full(Name name) const;
  std::string charset_of(const std::string& database) const;

  Session session_;
  Tables tables_;
  std::map<std::string, std::string> databases_;  // character set of each that is told
};

}  // namespace sluice::schema::ddl
