#pragma once
// The lines of the history file: checksum, blank, a JSON object.
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "sluice/base/result.h"
#include "sluice/model/table_schema.h"
#include "sluice/schema/ddl_statement.h"
#include "sluice/schema/definitions.h"
#include "sluice/schema/place.h"

namespace sluice::schema::history {

inline constexpr std::uint64_t kVersion = 1;

struct Head {
  std::uint64_t version = kVersion;
};
struct Snapshot {
  Place place;
  Definitions tables;
  std::string scope;
};
struct TableRead {
  Place place;
  TableSchema table;
};
struct Break {
  Place place;
  std::string why;
};
using Record = std::variant<Head, Snapshot, DdlStatement, TableRead, Break>;

// Null for the head.
const Place* place_of(const Record& record) noexcept;

// With its line feed.  `written_at`: wall clock, seconds.
std::string encode(const Record& record, std::int64_t written_at);

struct Line {
  Record record;
  std::int64_t written_at = 0;
};
// Without its line feed.  Errors: fatal/schema_history with what is wrong.
Result<Line> decode(std::string_view line);

}  // namespace sluice::schema::history
