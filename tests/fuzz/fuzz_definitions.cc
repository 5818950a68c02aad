// Any text as statements that change tables: what is known of each table holds together, what is
// not known is told, and the same statements do the same.  Input: one byte that chooses server, SQL
// mode and how names compare, then statements with NUL between them.
#include <cstdint>
#include <string_view>
#include <vector>

#include "sluice/binlog/sql_lexer.h"
#include "sluice/schema/definitions.h"

#include "fuzz/require.h"
#include "fuzz/whole_table.h"

namespace {

using sluice::fuzz::require;
using sluice::fuzz::require_whole;
using sluice::schema::Definitions;
using sluice::schema::TableEffect;

void require_inside(const sluice::TableSchema& table) {
  require_whole(table);
  require(table.detail.has_value());
  for (const sluice::IndexSchema& index : table.detail->indexes)
    for (const sluice::IndexPart& part : index.parts)
      require(part.column == sluice::IndexPart::kExpression || part.column < table.columns.size());
  for (const sluice::PeriodSchema& period : table.detail->periods)
    require(period.start < table.columns.size() && period.end < table.columns.size());
}

void require_told(const TableEffect& effect, const Definitions& tables) {
  const bool lost = effect.kind == TableEffect::Kind::not_known;
  require(lost != effect.why.empty());
  require(effect.table.empty() || !lost || tables.find(effect.database, effect.table) == nullptr ||
          !tables.is_lost(effect.database, effect.table));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  sluice::schema::DdlContext context;
  context.flavor = (data[0] & 1U) == 0 ? sluice::Flavor::mysql : sluice::Flavor::mariadb;
  if ((data[0] & 2U) != 0) context.sql_mode |= sluice::binlog::sql_mode::kAnsiQuotes;
  if ((data[0] & 4U) != 0) context.sql_mode |= sluice::binlog::sql_mode::kNoBackslashEscapes;
  context.failed = (data[0] & 32U) != 0;
  context.database = "d";
  const auto folding = static_cast<std::uint8_t>((data[0] >> 3U) % 3U);
  Definitions tables(folding), again(folding);
  std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  while (!text.empty()) {
    const std::string_view statement = text.substr(0, text.find('\0'));
    text.remove_prefix(statement.size() + (statement.size() < text.size() ? 1 : 0));
    const auto effects = tables.apply(statement, context);
    require(effects == again.apply(statement, context));
    for (const TableEffect& effect : effects) require_told(effect, tables);
  }
  require(tables.tables() == again.tables() && tables.lost() == again.lost());
  for (const auto& [name, table] : tables.tables()) require_inside(table);
  return 0;
}
