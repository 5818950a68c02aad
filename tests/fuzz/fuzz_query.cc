// Any bytes as a QUERY event: refused, or a statement and a database that lie inside of it.
// Input: one byte of options (bit 0 MariaDB, bit 1 the post-header of before 5.0), the event's
// body.
#include <cstdint>

#include "sluice/binlog/control_events.h"

#include "fuzz/format.h"
#include "fuzz/require.h"

namespace {

using namespace sluice;
using fuzz::require;

void inside(std::string_view part, Bytes whole) {
  if (part.empty()) return;
  const std::string_view all = as_chars(whole);
  require(part.data() >= all.data() && part.data() + part.size() <= all.data() + all.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ByteReader in(std::as_bytes(std::span(data, size)));
  const unsigned options = in.u8();
  const Bytes body = in.rest();
  const auto format =
      fuzz::format_of((options & 1) != 0, binlog::EventType::query, (options & 2) != 0 ? 11 : 13);
  const auto query = binlog::QueryEvent::decode(body, format);
  if (!query.ok()) return 0;
  inside(query->statement, body);
  inside(query->database, body);
  require(query->database.size() + query->statement.size() < body.size());
  const auto statement = binlog::classify_statement(query->statement, query->sql_mode);
  for (const auto& [database, table] : statement.tables)
    require(database.size() + table.size() <= query->statement.size());
  return 0;
}
