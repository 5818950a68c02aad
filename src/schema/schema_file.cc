#include "sluice/schema/schema_file.h"

#include "sluice/base/files.h"

#include "schema/ddl/script.h"

namespace sluice::schema {

Result<SchemaFile> SchemaFile::parse(std::string_view text, const DdlContext& context) {
  ddl::Script script(context);
  SLUICE_TRY(script.run(text));
  return SchemaFile(script.tables());
}

Result<SchemaFile> SchemaFile::open(const std::filesystem::path& path, const DdlContext& context) {
  SLUICE_TRY_ASSIGN(const std::string text, read_file(path));
  auto read = parse(text, context);
  if (!read) return std::move(read).error().at(path.string());
  return read;
}

Result<TableSchema> SchemaFile::read_table(std::string_view database, std::string_view table) {
  auto found = tables_.find({std::string(database), std::string(table)});
  if (found == tables_.end()) found = tables_.find({std::string(), std::string(table)});
  if (found == tables_.end())
    return fatal(Errc::schema_missing, "the schema file has no table " + std::string(database) +
                                           "." + std::string(table));
  TableSchema out = found->second;
  out.database = database;
  return out;
}

}  // namespace sluice::schema
