// Tables as SHOW CREATE TABLE describes them now.
#include "mysql/table_definitions.h"

#include <algorithm>
#include <array>
#include <optional>

#include "sluice/base/log.h"
#include "sluice/schema/create_table.h"

#include "mysql/client.h"
#include "mysql/show_create.h"

namespace sluice::mysql {
namespace {

// Statements sent at once; their answers are held together.
constexpr std::size_t kAtOnce = 100;

std::string statement_for(const TableName& name) {
  return "SHOW CREATE TABLE " + quote_name(name.first) + "." + quote_name(name.second);
}

std::string full_name(const TableName& name) {
  return name.first + "." + name.second;
}

Error missing(Connection& connection, const TableName& name) {
  return fatal(Errc::schema_missing, connection.impl().peer.endpoint + ": table " +
                                         full_name(name) + " is not there (any more)");
}

Result<TableSchema> read_answer(Connection& connection, const TableName& name,
                                Result<ResultRows> answer) {
  if (!answer) {
    if (answer.error().code == Errc::schema_missing) return missing(connection, name);
    return std::move(answer).error().at(statement_for(name));
  }
  if (answer->empty() || answer->front().size() < 2) return missing(connection, name);
  schema::DdlContext context;
  context.flavor = connection.server().flavor;
  context.version = connection.server().version_number;
  context.database = name.first;
  context.describes = true;
  auto read = schema::read_create_table(answer->front()[1].value_or(""), context);
  if (read) {
    read->database = name.first;
    read->name = name.second;
    return read;
  }
  log::get("schema").warn(
      "what SHOW CREATE TABLE says cannot be read, information_schema is asked instead: the next "
      "ALTER of this table may need it again table={} reason=\"{}\"",
      full_name(name), read.error().what);
  return read_from_information_schema(connection, name.first, name.second);
}

}  // namespace

Result<std::map<std::string, std::string>> list_databases(Connection& connection) {
  SLUICE_TRY_ASSIGN(const ResultRows rows,
                    connection.query("SELECT SCHEMA_NAME, DEFAULT_CHARACTER_SET_NAME FROM "
                                     "information_schema.SCHEMATA WHERE SCHEMA_NAME NOT IN "
                                     "('mysql', 'information_schema', 'performance_schema', "
                                     "'sys')"));
  std::map<std::string, std::string> out;
  for (const ResultRow& row : rows) out[row[0].value_or("")] = row[1].value_or("");
  return out;
}

Result<std::vector<TableName>> list_tables(Connection& connection,
                                           const std::vector<std::string>& databases) {
  std::vector<std::string> statements;
  statements.reserve(databases.size());
  for (const std::string& database : databases)
    statements.push_back("SHOW FULL TABLES FROM " + quote_name(database));
  SLUICE_TRY_ASSIGN(const auto answers, connection.query_each(statements));
  std::vector<TableName> out;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    if (!answers[i]) {
      if (answers[i].error().code == Errc::schema_missing ||
          answers[i].error().code == Errc::mysql_denied)
        continue;  // dropped meanwhile, or none of our business
      return Error(answers[i].error());
    }
    for (const ResultRow& row : *answers[i]) {
      const std::string kind = row[1].value_or("");
      if (kind.find("VIEW") == std::string::npos)
        out.emplace_back(databases[i], row[0].value_or(""));
    }
  }
  return out;
}

Result<std::vector<Result<TableSchema>>> read_definitions(Connection& connection,
                                                          const std::vector<TableName>& tables) {
  std::vector<Result<TableSchema>> out;
  out.reserve(tables.size());
  while (out.size() < tables.size()) {
    const std::size_t end = std::min(out.size() + kAtOnce, tables.size());
    std::vector<std::string> statements;
    for (std::size_t i = out.size(); i < end; ++i) statements.push_back(statement_for(tables[i]));
    SLUICE_TRY_ASSIGN(auto answers, connection.query_each(statements));
    for (auto& answer : answers) {
      auto table = read_answer(connection, tables[out.size()], std::move(answer));
      if (!table && table.error().code == Errc::mysql_lost) return std::move(table).error();
      out.push_back(std::move(table));
    }
  }
  return out;
}

}  // namespace sluice::mysql
