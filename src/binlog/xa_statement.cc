#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "sluice/binlog/control_events.h"
#include "sluice/binlog/sql_lexer.h"

#include "binlog/errors.h"
#include "binlog/xid.h"

namespace sluice::binlog {
namespace {

using Verb = XaStatement::Verb;

Error unreadable(std::string_view statement) {
  return malformed("QUERY",
                   "an XA statement that cannot be read: " + std::string(statement.substr(0, 200)));
}

std::optional<Verb> verb_of(const SqlToken& token) {
  static constexpr std::array<std::pair<std::string_view, Verb>, 6> kVerbs{{
      {"START", Verb::start},
      {"BEGIN", Verb::start},
      {"END", Verb::end},
      {"PREPARE", Verb::prepare},
      {"COMMIT", Verb::commit},
      {"ROLLBACK", Verb::rollback},
  }};
  for (const auto& [word, verb] : kVerbs)
    if (token.is(word)) return verb;
  return std::nullopt;
}

// The digits of X'6162', in small letters.
std::optional<std::string> hex_digits(const SqlToken& x, const SqlToken& digits) {
  if (!x.is("X") || digits.kind != SqlToken::Kind::string || !digits.closed) return std::nullopt;
  std::string out(digits.text.substr(1, digits.text.size() - 2));
  if (out.size() % 2 != 0 || out.size() / 2 > kMaxXidPart) return std::nullopt;
  for (char& c : out) {
    if (c >= 'A' && c <= 'F') c = static_cast<char>(c + ('a' - 'A'));
    if ((c < '0' || c > '9') && (c < 'a' || c > 'f')) return std::nullopt;
  }
  return out;
}

}  // namespace

Result<XaStatement> XaStatement::read(std::string_view statement) {
  SqlLexer lexer(statement, 0);
  if (!lexer.next().is("XA")) return unreadable(statement);
  const auto verb = verb_of(lexer.next());
  if (!verb) return unreadable(statement);
  std::array<std::string, 2> parts;  // gtrid, bqual
  for (std::string& part : parts) {
    const SqlToken x = lexer.next();
    const auto digits = hex_digits(x, lexer.next());
    if (!digits || !lexer.next().symbol(',')) return unreadable(statement);
    part = *digits;
  }
  const SqlToken number = lexer.next();
  std::uint64_t format = 0;
  const auto [end, err] =
      std::from_chars(number.text.data(), number.text.data() + number.text.size(), format);
  if (number.text.empty() || err != std::errc{} || end != number.text.data() + number.text.size())
    return unreadable(statement);
  // The event that ends the first half has 32 bits of it.
  return XaStatement{*verb, xid_text(parts[0], parts[1], static_cast<std::uint32_t>(format))};
}

}  // namespace sluice::binlog
