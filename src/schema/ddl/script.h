#pragma once
// What a script of SQL does to tables.
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "sluice/base/result.h"
#include "sluice/model/table_schema.h"
#include "sluice/schema/create_table.h"
#include "sluice/schema/definitions.h"

#include "schema/ddl/cursor.h"
#include "schema/ddl/session.h"
#include "schema/ddl/splitter.h"

namespace sluice::schema::ddl {

class Script {
 public:
  explicit Script(const DdlContext& context) : session_(context) {
    tables_.put_database("", context.charset);
  }
  // Errors: fatal/schema_statement with the place in `text`.
  Status run(std::string_view text);
  const std::map<Definitions::Name, TableSchema>& tables() const noexcept {
    return tables_.tables();
  }

 private:
  Status statement(const ScriptStatement& statement);
  Status dispatch(Cursor& in);
  void use(std::string database);

  Session session_;
  Definitions tables_;  // a database without a name stands for those the script does not create
};

}  // namespace sluice::schema::ddl
