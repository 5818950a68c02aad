#pragma once
// Cutting a script into statements, as the servers' command line clients do.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sluice/base/charset.h"
#include "sluice/base/result.h"

#include "schema/ddl/cursor.h"

namespace sluice::schema::ddl {

struct ScriptStatement {
  std::string_view text;  // without its delimiter; a view into the script
  Place place;            // where `text` begins
};

class StatementSplitter {
 public:
  // `script` must outlive it.
  StatementSplitter(std::string_view script, Flavor flavor) noexcept
      : script_(script), flavor_(flavor) {}

  // The next statement that is more than blanks and comments; nullopt at the end.  How quotes are
  // read hangs on the session.  Errors: fatal/schema_statement for a string, name or comment
  // without an end.
  Result<std::optional<ScriptStatement>> next(std::uint64_t sql_mode, const Charset& client);

 private:
  std::string_view left() const noexcept { return script_.substr(at_); }
  bool at_delimiter() const noexcept { return left().starts_with(delimiter_); }
  bool conditional() const noexcept;
  Status step(std::uint64_t sql_mode, bool (*lead)(unsigned char));
  bool take_delimiter_command();
  bool take_use_command();
  std::optional<ScriptStatement> cut(std::size_t begin, std::size_t end) noexcept;
  Error endless(std::string_view what);
  Place place_of(std::size_t at) noexcept;

  std::string_view script_;
  Flavor flavor_;
  std::string delimiter_ = ";";
  std::size_t at_ = 0;
  std::size_t marked_ = 0;  // whose place is mark_
  Place mark_;
  bool blank_ = true;  // nothing of the statement has come yet
};

}  // namespace sluice::schema::ddl
