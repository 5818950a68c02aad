#pragma once
// What a statement that was read does to the tables there are.
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/base/result.h"
#include "sluice/schema/definitions.h"

#include "schema/ddl/cursor.h"
#include "schema/ddl/statement.h"

namespace sluice::schema::ddl {

class Applier {
 public:
  enum class Rules : std::uint8_t {
    binlog,  // it has run: what it creates was not there
    script,  // it may be run: what is created over something else, and what is renamed to a name
             // that is taken, is an error; tables it does not create are none of its own
  };
  Applier(Definitions& tables, Cursor& in, Rules rules = Rules::binlog)
      : tables_(&tables), in_(&in), rules_(rules) {}

  std::vector<TableEffect> run() &&;
  // Makes all tables unknown when it is a table statement, whatever it says.
  std::vector<TableEffect> refuse(std::string_view why) &&;

  void operator()(const PassedOver& statement);
  void operator()(const CreateTable& statement);
  void operator()(const CreateSequence& statement);
  void operator()(const AlterTable& statement);
  void operator()(const DropTables& statement);
  void operator()(const RenameTables& statement);
  void operator()(const Optimize& statement);
  void operator()(const Truncate& statement);
  void operator()(const DatabaseOptions& statement);
  void operator()(const DropDatabase& statement);

 private:
  // What was not done, or only in part.
  template <class Any>
  void failed(const Any& /*statement*/) {}
  void failed(const CreateTable& statement);
  void failed(const DropTables& statement);

  Name full(Name name) const;
  TableEffect& add(TableEffect::Kind kind, const Name& name);
  void lose(const Name& name, const Error& why);
  // True when CREATE ... IF NOT EXISTS finds the table.
  bool is_there(const Name& name) const;
  void refuse_in(const Name& name, std::string_view what);
  void create(const Name& name, Result<TableSchema> table, bool replace);
  Result<TableSchema> made(const TableDefinition& definition, const Name& name) const;
  void rename(const Name& from, const Name& to);
  void alter(const AlterTable& change, const Name& name);
  std::string_view default_charset(const Name& name) const;
  void move_rows(const AlterTable& change, const Name& name);

  Definitions* tables_;
  Cursor* in_;
  Rules rules_;
  Cursor start_{*in_};
  std::vector<TableEffect> effects_;
  // What identified rows of tables that the statement gave other names.
  std::map<Name, std::vector<std::string>> left_;
};

}  // namespace sluice::schema::ddl
