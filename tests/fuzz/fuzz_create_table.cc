// Any text as a CREATE TABLE statement and as a schema file: what is read holds together, what is
// not is an error with its place.  Input: one byte that chooses server and SQL mode, then the text.
#include <cstdint>
#include <string_view>
#include <vector>

#include "sluice/binlog/sql_lexer.h"
#include "sluice/schema/create_table.h"
#include "sluice/schema/schema_file.h"

#include "fuzz/require.h"
#include "fuzz/whole_table.h"

namespace {

using sluice::fuzz::require;
using sluice::fuzz::require_whole;

void require_place(const sluice::Error& error) {
  require(error.code == sluice::Errc::schema_statement);
  require(!error.what.empty() && error.what[0] >= '1' && error.what[0] <= '9');
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  sluice::schema::DdlContext context;
  context.flavor = (data[0] & 1U) == 0 ? sluice::Flavor::mysql : sluice::Flavor::mariadb;
  if ((data[0] & 2U) != 0) context.sql_mode |= sluice::binlog::sql_mode::kAnsiQuotes;
  if ((data[0] & 4U) != 0) context.sql_mode |= sluice::binlog::sql_mode::kNoBackslashEscapes;
  if ((data[0] & 8U) != 0) context.sql_mode |= sluice::binlog::sql_mode::kOracle;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (const auto table = sluice::schema::read_create_table(text, context); table.ok())
    require_whole(*table);
  else
    require_place(table.error());
  if (const auto file = sluice::schema::SchemaFile::parse(text, context); !file.ok())
    require_place(file.error());
  return 0;
}
