#include "schema/ddl/session.h"

#include <array>
#include <charconv>
#include <utility>

#include "sluice/binlog/sql_lexer.h"

namespace sluice::schema::ddl {
namespace {

using binlog::SqlToken;

constexpr std::string_view kSqlMode = "sql_mode", kClient = "character_set_client",
                           kTimestamp = "explicit_defaults_for_timestamp";

struct ModeName {
  std::string_view name;
  std::uint64_t bits;
};
// With what they stand for (mysql-server 5.7, MariaDB: sql/sys_vars.cc expand_sql_mode).
constexpr std::array kModes = {
    ModeName{"real_as_float", binlog::sql_mode::kRealAsFloat},
    ModeName{"ansi_quotes", binlog::sql_mode::kAnsiQuotes},
    ModeName{"no_backslash_escapes", binlog::sql_mode::kNoBackslashEscapes},
    ModeName{"ansi", binlog::sql_mode::kRealAsFloat | binlog::sql_mode::kAnsiQuotes},
    ModeName{"oracle", binlog::sql_mode::kOracle | binlog::sql_mode::kAnsiQuotes},
    ModeName{"maxdb", binlog::sql_mode::kMaxdb | binlog::sql_mode::kAnsiQuotes},
    ModeName{"mssql", binlog::sql_mode::kAnsiQuotes},
    ModeName{"db2", binlog::sql_mode::kAnsiQuotes},
    ModeName{"postgresql", binlog::sql_mode::kAnsiQuotes},
};

bool is_ours(std::string_view variable) noexcept {
  return variable == kSqlMode || variable == kClient || variable == kTimestamp;
}

}  // namespace

std::uint64_t sql_mode_bits(std::string_view value) {
  std::uint64_t bits = 0;
  const char* const end = value.data() + value.size();
  if (const auto [rest, err] = std::from_chars(value.data(), end, bits);
      !value.empty() && err == std::errc{} && rest == end)
    return bits;
  bits = 0;
  while (!value.empty()) {
    const std::size_t comma = value.find(',');
    for (const ModeName& mode : kModes)
      if (same_name(mode.name, value.substr(0, comma))) bits |= mode.bits;
    value = comma == std::string_view::npos ? std::string_view() : value.substr(comma + 1);
  }
  return bits;
}

void Session::use(std::string database, std::string charset) {
  context_.database = std::move(database);
  context_.charset = std::move(charset);
}

Status Session::set_client(const Cursor& in, std::string_view charset, std::size_t at) {
  const Charset* found = Charset::by_name(lowered(charset));
  if (found == nullptr)
    return in.error_at(at, "character set " + std::string(charset) + " is not known");
  if (found->kind() == CharsetKind::wide)
    return in.error_at(at, "a client cannot have character set " + std::string(charset));
  SLUICE_TRY(found->prepare());
  // Bytes as they are.
  client_ = found->kind() == CharsetKind::binary ? &Charset::utf8mb4() : found;
  return {};
}

Status Session::set_names(Cursor& in) {
  in.eat('=');
  const std::size_t at = in.offset();
  if (in.eat("DEFAULT")) {
    client_ = &Charset::utf8mb4();
  } else {
    std::string charset;
    if (in.is_string()) {
      SLUICE_TRY_ASSIGN(charset, in.want_string("a character set"));
    } else {
      SLUICE_TRY_ASSIGN(charset, in.want_name("a character set"));
    }
    SLUICE_TRY(set_client(in, charset, at));
  }
  if (!in.eat("COLLATE")) return {};
  if (!in.is_name() && !in.is_string()) return in.error("a collation expected");
  in.step();
  return {};
}

// name, @name, @@name, @@session.name; GLOBAL and the like before it.
Result<Session::Variable> Session::read_variable(Cursor& in) {
  Variable out;
  if (in.is_any({"GLOBAL", "PERSIST", "PERSIST_ONLY"})) {
    in.step();
    out.scope = Scope::other;
  } else if (!in.eat("SESSION")) {
    in.eat("LOCAL");
  }
  if (in.eat('@')) {
    if (!in.eat('@')) {
      out.scope = Scope::user;
      if (in.is_string()) {
        SLUICE_TRY_ASSIGN(out.name, in.want_string("a variable"));
      }
    } else if (in.ahead().symbol('.')) {
      if (!in.is("SESSION") && !in.is("LOCAL")) out.scope = Scope::other;
      in.step();
      in.step();
    }
  }
  if (out.name.empty()) {
    SLUICE_TRY_ASSIGN(out.name, in.want_name("a variable"));
  }
  if (out.scope == Scope::user)
    while (in.eat('.')) SLUICE_TRY(in.want_name("a variable"));
  // name.part of a key cache or a replication channel is none of ours
  if (out.scope == Scope::session && in.eat('.')) {
    SLUICE_TRY(in.want_name("a variable"));
    out.scope = Scope::other;
  }
  out.name = lowered(out.name);
  return out;
}

std::optional<std::string> Session::value_of(const Variable& variable) const {
  if (variable.scope == Scope::user) {
    const auto it = user_.find(variable.name);
    // Never set: a part of a dump that puts back what its head has saved.
    return it == user_.end() ? std::optional<std::string>("DEFAULT") : it->second;
  }
  if (variable.scope == Scope::other) return std::nullopt;
  if (variable.name == kSqlMode) return std::to_string(context_.sql_mode);
  if (variable.name == kClient) return std::string(client_->name());
  if (variable.name == kTimestamp && context_.explicit_defaults_for_timestamp)
    return std::string(*context_.explicit_defaults_for_timestamp ? "1" : "0");
  return std::nullopt;
}

Result<std::optional<std::string>> Session::read_value(Cursor& in) {
  std::optional<std::string> value;
  if (in.is_string()) {
    SLUICE_TRY_ASSIGN(value, in.want_string("a value"));
  } else if (in.is('@')) {
    SLUICE_TRY_ASSIGN(const Variable variable, read_variable(in));
    value = value_of(variable);
  } else if (in.now().kind == SqlToken::Kind::word) {
    value = std::string(in.now().text);
    in.step();
  }
  // Anything more is an expression.
  while (!in.at_end() && !in.is(',')) {
    value.reset();
    if (in.is('('))
      SLUICE_TRY(in.skip_parentheses());
    else
      in.step();
  }
  return value;
}

Status Session::put(const Cursor& in, const Variable& variable,
                    const std::optional<std::string>& value, std::size_t at) {
  if (variable.scope == Scope::user) {
    user_[variable.name] = value;
    return {};
  }
  if (variable.scope == Scope::other || !is_ours(variable.name)) return {};
  if (!value)
    return in.error_at(at,
                       "only a server knows this value, and it decides how what follows is read");
  const bool initial = same_name(*value, "DEFAULT");
  if (variable.name == kSqlMode)
    context_.sql_mode = initial ? initial_.sql_mode : sql_mode_bits(*value);
  if (variable.name == kTimestamp) {
    context_.explicit_defaults_for_timestamp = initial_.explicit_defaults_for_timestamp;
    if (!initial)
      context_.explicit_defaults_for_timestamp =
          *value == "1" || same_name(*value, "ON") || same_name(*value, "TRUE");
  }
  if (variable.name == kClient) {
    if (initial)
      client_ = &Charset::utf8mb4();
    else
      return set_client(in, *value, at);
  }
  return {};
}

Status Session::assign(Cursor& in) {
  SLUICE_TRY_ASSIGN(const Variable variable, read_variable(in));
  in.eat(':');
  SLUICE_TRY(in.want('='));
  const std::size_t at = in.offset();
  SLUICE_TRY_ASSIGN(const auto value, read_value(in));
  return put(in, variable, value, at);
}

Status Session::set(Cursor& in) {
  SLUICE_TRY(in.want("SET"));
  if (in.is("STATEMENT") && !in.ahead().symbol('='))
    return in.error("SET STATEMENT is not read here: write the statement behind FOR alone");
  if (in.is_any({"PASSWORD", "ROLE", "DEFAULT", "TRANSACTION", "RESOURCE"})) return {};
  do {
    const bool scoped = in.is_any({"GLOBAL", "SESSION", "LOCAL"});
    if (scoped && in.ahead().is("TRANSACTION")) return {};
    if (in.eat("NAMES") || in.eat("CHARACTER", "SET") || in.eat("CHAR", "SET") || in.eat("CHARSET"))
      SLUICE_TRY(set_names(in));
    else
      SLUICE_TRY(assign(in));
  } while (in.eat(','));
  return {};
}

}  // namespace sluice::schema::ddl
