#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "sluice/binlog/control_events.h"
#include "sluice/binlog/event.h"
#include "sluice/schema/definitions.h"
#include "sluice/schema/place.h"

namespace sluice::schema {

// A statement of the binlog as Definitions reads it.
struct DdlStatement {
  Place place;       // where its QUERY event ends
  std::string text;  // UTF-8; bytes that are no text of the client's character set are U+FFFD
  DdlContext context;
};

// Nullopt when it does nothing at this place: MariaDB's START ALTER and ROLLBACK ALTER.
// context.charset is "": the event does not tell it.
std::optional<DdlStatement> ddl_statement(const binlog::QueryEvent& query,
                                          const binlog::FormatDescription& format, Place place);

// Which tables the statements between two places have touched, and where last.  A value.
class TouchedTables {
 public:
  struct Touch {
    Place last;            // of the statements that may have changed columns or keys
    bool altered = false;  // the first of them changed a table that was there, not just dropped it
  };
  using Name = std::pair<std::string, std::string>;  // database, table

  explicit TouchedTables(std::uint8_t lower_case_table_names = 0);
  // In the order of the binlog.
  void add(const DdlStatement& statement);
  // Nullopt: none so far.
  std::optional<Place> last(std::string_view database, std::string_view table) const;
  // The last statement about the database's character set.
  std::optional<Place> last(std::string_view database) const;
  // In small letters where the server compares in them.  An empty table: all of the database; both
  // empty: all.
  const std::map<Name, Touch>& tables() const noexcept { return tables_; }

 private:
  Name key_of(std::string_view database, std::string_view table) const;
  void note(const std::string& database, const std::string& table, const Touch& touch);

  bool folds_ = false;  // the server compares names in small letters
  // All tables count as lost, so that each statement says whom it is about.
  Definitions scratch_;
  std::map<Name, Touch> tables_;
  std::map<std::string, Place> databases_;
};

}  // namespace sluice::schema
