// Column types as both servers print them (mysql-server: sql/field.cc Field_*::sql_type; MariaDB:
// the same file).
#include <array>
#include <charconv>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sluice/schema/catalog.h"

namespace sluice::schema {
namespace {

enum class Arguments : std::uint8_t {
  none,      // a number there is passed over: display width, FLOAT(7,3)
  length,    // CHAR(n), BIT(n), VECTOR(n): 1 when it is missing
  decimal,   // (precision, scale): (10, 0) when they are missing
  fraction,  // TIME(n): 0 when it is missing
  labels,
};

struct TypeName {
  std::string_view name;
  DeclaredType type;
  Arguments arguments;
};

constexpr std::array kTypes = {
    TypeName{"tinyint", DeclaredType::tinyint, Arguments::none},
    TypeName{"smallint", DeclaredType::smallint, Arguments::none},
    TypeName{"mediumint", DeclaredType::mediumint, Arguments::none},
    TypeName{"int", DeclaredType::int_, Arguments::none},
    TypeName{"bigint", DeclaredType::bigint, Arguments::none},
    TypeName{"decimal", DeclaredType::decimal, Arguments::decimal},
    TypeName{"float", DeclaredType::float_, Arguments::none},
    TypeName{"double", DeclaredType::double_, Arguments::none},
    TypeName{"bit", DeclaredType::bit, Arguments::length},
    TypeName{"date", DeclaredType::date, Arguments::none},
    TypeName{"time", DeclaredType::time, Arguments::fraction},
    TypeName{"datetime", DeclaredType::datetime, Arguments::fraction},
    TypeName{"timestamp", DeclaredType::timestamp, Arguments::fraction},
    TypeName{"year", DeclaredType::year, Arguments::none},
    TypeName{"char", DeclaredType::char_, Arguments::length},
    TypeName{"varchar", DeclaredType::varchar, Arguments::length},
    TypeName{"tinytext", DeclaredType::tinytext, Arguments::none},
    TypeName{"text", DeclaredType::text, Arguments::none},
    TypeName{"mediumtext", DeclaredType::mediumtext, Arguments::none},
    TypeName{"longtext", DeclaredType::longtext, Arguments::none},
    TypeName{"binary", DeclaredType::binary, Arguments::length},
    TypeName{"varbinary", DeclaredType::varbinary, Arguments::length},
    TypeName{"tinyblob", DeclaredType::tinyblob, Arguments::none},
    TypeName{"blob", DeclaredType::blob, Arguments::none},
    TypeName{"mediumblob", DeclaredType::mediumblob, Arguments::none},
    TypeName{"longblob", DeclaredType::longblob, Arguments::none},
    TypeName{"enum", DeclaredType::enum_, Arguments::labels},
    TypeName{"set", DeclaredType::set, Arguments::labels},
    TypeName{"json", DeclaredType::json, Arguments::none},
    TypeName{"vector", DeclaredType::vector, Arguments::length},
    TypeName{"inet4", DeclaredType::inet4, Arguments::none},
    TypeName{"inet6", DeclaredType::inet6, Arguments::none},
    TypeName{"uuid", DeclaredType::uuid, Arguments::none},
    TypeName{"geometry", DeclaredType::geometry, Arguments::none},
    TypeName{"point", DeclaredType::geometry, Arguments::none},
    TypeName{"linestring", DeclaredType::geometry, Arguments::none},
    TypeName{"polygon", DeclaredType::geometry, Arguments::none},
    TypeName{"multipoint", DeclaredType::geometry, Arguments::none},
    TypeName{"multilinestring", DeclaredType::geometry, Arguments::none},
    TypeName{"multipolygon", DeclaredType::geometry, Arguments::none},
    TypeName{"geometrycollection", DeclaredType::geometry, Arguments::none},
    TypeName{"geomcollection", DeclaredType::geometry, Arguments::none},
};

char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string lowered(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = lower(c);
  return out;
}

// Reads the text from left to right; every failure latches.
class Scanner {
 public:
  explicit Scanner(std::string_view text) noexcept : text_(text) {}

  bool at_end() const noexcept { return at_ == text_.size(); }
  std::size_t at() const noexcept { return at_; }

  void skip_spaces() noexcept {
    while (!at_end() && text_[at_] == ' ') ++at_;
  }
  bool take(char c) noexcept {
    if (at_end() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  // Letters, digits and underscores, in lower case; empty when there is none.
  std::string word() {
    const std::size_t from = at_;
    while (!at_end()) {
      const char c = lower(text_[at_]);
      if ((c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_') break;
      ++at_;
    }
    return lowered(text_.substr(from, at_ - from));
  }
  std::optional<std::uint32_t> number() noexcept {
    std::uint32_t value = 0;
    const char* const from = text_.data() + at_;
    const char* const end = text_.data() + text_.size();
    const auto [next, err] = std::from_chars(from, end, value);
    if (err != std::errc{} || next == from) return std::nullopt;
    at_ += static_cast<std::size_t>(next - from);
    return value;
  }
  // A string in single quotes as the servers print it: '' and \0 \n \r \\ (sql/sql_show.cc
  // append_unescaped).
  std::optional<std::string> quoted() {
    if (!take('\'')) return std::nullopt;
    std::string out;
    while (!at_end()) {
      char c = text_[at_++];
      if (c == '\'') {
        if (!take('\'')) return out;
      } else if (c == '\\' && !at_end()) {
        c = text_[at_++];
        if (c == '0') c = '\0';
        if (c == 'n') c = '\n';
        if (c == 'r') c = '\r';
      }
      out.push_back(c);
    }
    return std::nullopt;
  }
  // The inside of a comment that begins here; nullopt when none does.
  std::optional<std::string> comment() {
    if (text_.substr(at_, 2) != "/*") return std::nullopt;
    const std::size_t end = text_.find("*/", at_ + 2);
    if (end == std::string_view::npos) return std::nullopt;
    std::string inside = lowered(text_.substr(at_ + 2, end - at_ - 2));
    at_ = end + 2;
    return inside;
  }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
};

bool read_numbers(Scanner& in, std::vector<std::uint32_t>& numbers) {
  do {
    in.skip_spaces();
    const auto n = in.number();
    if (!n) return false;
    numbers.push_back(*n);
    in.skip_spaces();
  } while (in.take(','));
  return in.take(')') && numbers.size() <= 2;
}

bool read_labels(Scanner& in, std::vector<std::string>& labels) {
  do {
    in.skip_spaces();
    auto label = in.quoted();
    if (!label) return false;
    labels.push_back(std::move(*label));
    in.skip_spaces();
  } while (in.take(','));
  return in.take(')');
}

// False when the numbers do not fit the type.
bool apply_numbers(const TypeName& type, const std::vector<std::uint32_t>& numbers,
                   ColumnSchema& column) {
  constexpr std::uint32_t kMaxPrecision = 65;
  constexpr std::uint32_t kMaxFraction = 6;
  const auto number = [&numbers](std::size_t i, std::uint32_t missing) {
    return i < numbers.size() ? numbers[i] : missing;
  };
  switch (type.arguments) {
    case Arguments::none:
    case Arguments::labels: return true;
    case Arguments::length: column.length = number(0, 1); return numbers.size() <= 1;
    case Arguments::fraction:
      if (numbers.size() > 1 || number(0, 0) > kMaxFraction) return false;
      column.scale = static_cast<std::uint8_t>(number(0, 0));
      return true;
    case Arguments::decimal:
      if (number(0, 10) > kMaxPrecision || number(1, 0) > number(0, 10)) return false;
      column.precision = static_cast<std::uint8_t>(number(0, 10));
      column.scale = static_cast<std::uint8_t>(number(1, 0));
      return true;
  }
  return false;
}

// What may stand behind the type.  False at a word that is none of a type's.
bool read_attributes(Scanner& in, ColumnSchema& column) {
  for (in.skip_spaces(); !in.at_end(); in.skip_spaces()) {
    if (const auto inside = in.comment()) {
      if (inside->find("compressed") != std::string::npos) column.compressed = true;
      continue;
    }
    const std::string word = in.word();
    if (word == "unsigned") {
      column.is_unsigned = true;
      column.mysql_type += " unsigned";
    } else if (word == "zerofill") {
      column.is_unsigned = true;  // implied, and printed by both servers
      column.mysql_type += " zerofill";
    } else if (word == "compressed") {
      column.compressed = true;
    } else if (word == "character") {
      in.skip_spaces();
      if (in.word() != "set") return false;
      in.skip_spaces();
      column.charset = in.word();
      if (column.charset.empty()) return false;
    } else if (word == "collate") {
      in.skip_spaces();
      if (in.word().empty()) return false;
    } else {
      return false;
    }
  }
  return true;
}

}  // namespace

Status parse_column_type(std::string_view text, ColumnSchema& column) {
  const auto unknown = [text] {
    return fatal(Errc::schema_mismatch,
                 "column type \"" + std::string(text.substr(0, 100)) + "\" is not known");
  };
  Scanner in(text);
  const std::string name = in.word();
  const TypeName* type = nullptr;
  for (const TypeName& t : kTypes)
    if (t.name == name) type = &t;
  if (type == nullptr) return unknown();

  column.type = type->type;
  column.is_unsigned = column.compressed = false;
  column.length = 0;
  column.precision = column.scale = 0;
  column.labels.clear();
  std::vector<std::uint32_t> numbers;
  if (in.take('(')) {
    const bool good = type->arguments == Arguments::labels ? read_labels(in, column.labels)
                                                           : read_numbers(in, numbers);
    if (!good) return unknown();
  } else if (type->arguments == Arguments::labels) {
    return unknown();
  }
  if (!apply_numbers(*type, numbers, column)) return unknown();
  column.mysql_type = text.substr(0, in.at());
  if (!read_attributes(in, column)) return unknown();
  return {};
}

}  // namespace sluice::schema
