// Any text as statements that change tables: what is known of each table holds together, what is
// not known is told, and the same statements do the same.  Input: one byte that chooses server, SQL
// mode and how names compare, then statements with NUL between them.
#include <cstdint>
#include <string_view>
#include <vector>

#include "sluice/binlog/sql_lexer.h"
#include "sluice/schema/definitions.h"

namespace {

using sluice::schema::Definitions;
using sluice::schema::TableEffect;

void require(bool claim) {
  if (!claim) __builtin_trap();
}

void require_whole(const sluice::TableSchema& table) {
  const auto inside = [&table](const std::vector<std::uint16_t>& key) {
    for (const std::uint16_t c : key) require(c < table.columns.size());
  };
  inside(table.primary_key);
  for (const sluice::UniqueKey& key : table.unique_keys) inside(key.columns);
  for (const sluice::ColumnSchema& column : table.columns)
    require(column.type != sluice::DeclaredType::unknown && !column.name.empty());
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
  for (const auto& [name, table] : tables.tables()) require_whole(table);
  return 0;
}
