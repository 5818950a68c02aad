// Any text as a statement: it is told apart without a crash, and the names it gives are pieces of
// the text. Input: one byte that chooses the SQL mode, then the text.
#include <cstdint>
#include <string_view>

#include "sluice/binlog/control_events.h"

#include "fuzz/require.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using sluice::fuzz::require;
  if (size == 0) return 0;
  const std::uint64_t mode = (data[0] & 1U) * 0x4U | (data[0] & 2U) * 0x80000U;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto statement = sluice::binlog::classify_statement(text, mode);
  require(statement.tables_known || statement.tables.empty());
  std::size_t letters = statement.name.size();
  for (const auto& [database, table] : statement.tables) letters += database.size() + table.size();
  require(letters <= text.size());
  return 0;
}
