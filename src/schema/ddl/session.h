#pragma once
// What SET changes for the statements that follow.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "sluice/base/charset.h"
#include "sluice/base/result.h"
#include "sluice/schema/create_table.h"

#include "schema/ddl/cursor.h"

namespace sluice::schema::ddl {

// Bits of binlog::sql_mode for a value of sql_mode: names with commas between them, or a number.
// Names that are none of ours are passed over.
std::uint64_t sql_mode_bits(std::string_view value);

// A session that runs a script: the variables that decide how its statements are read.
class Session {
 public:
  explicit Session(const DdlContext& context) : initial_(context), context_(context) {}

  const DdlContext& context() const noexcept { return context_; }
  const DdlContext& initial() const noexcept { return initial_; }
  // The character set the script's text is in.
  const Charset& client() const noexcept { return *client_; }
  void use(std::string database, std::string charset);

  // A SET statement from SET to its end.  Errors: fatal/schema_statement when one of our variables
  // gets a value that only a server can work out.
  Status set(Cursor& in);

 private:
  enum class Scope : std::uint8_t { session, user, other };
  struct Variable {
    Scope scope = Scope::session;
    std::string name;  // in small letters
  };

  Result<Variable> read_variable(Cursor& in);
  Status assign(Cursor& in);
  // Nullopt: only a server knows.
  Result<std::optional<std::string>> read_value(Cursor& in);
  std::optional<std::string> value_of(const Variable& variable) const;
  Status put(const Cursor& in, const Variable& variable, const std::optional<std::string>& value,
             std::size_t at);
  Status set_client(const Cursor& in, std::string_view charset, std::size_t at);
  Status set_names(Cursor& in);

  DdlContext initial_, context_;
  const Charset* client_ = &Charset::utf8mb4();
  std::map<std::string, std::optional<std::string>> user_;
};

}  // namespace sluice::schema::ddl
