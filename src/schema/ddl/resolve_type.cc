// What SHOW CREATE TABLE prints of a type (mysql-server: sql/field.cc Field_*::sql_type and
// sql/create_field.cc Create_field::init; MariaDB: sql/field.cc and sql/sql_type.cc).
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sluice/base/charset.h"
#include "sluice/base/text_buffer.h"
#include "sluice/schema/catalog.h"

#include "schema/ddl/label_text.h"
#include "schema/ddl/resolve.h"
#include "schema/type_match.h"

namespace sluice::schema::ddl {
namespace {

constexpr std::uint64_t kMaxWidth = 255, kMaxChar = 255, kMaxVarcharBytes = 65535;
constexpr std::uint64_t kMaxFraction = 6, kMaxBits = 64, kMaxBlob = 0xFFFFFFFF;
constexpr std::uint64_t kFloatDigits = 24, kDoubleDigits = 53;
constexpr std::uint64_t kMysqlVectorDefault = 2048;

struct Family {
  std::string_view text, bytes;
  std::uint64_t most;  // bytes
};
constexpr std::array kFamilies = {
    Family{"tinytext", "tinyblob", 0xFF},
    Family{"text", "blob", 0xFFFF},
    Family{"mediumtext", "mediumblob", 0xFFFFFF},
    Family{"longtext", "longblob", kMaxBlob},
};

// Only for types whose values may be text.
bool takes_charset(const TypeDefinition& type) {
  switch (type.form) {
    case TypeForm::characters:
    case TypeForm::labels: return true;
    case TypeForm::text:
    case TypeForm::sized_text: return type.name.ends_with("text");
    default: return false;
  }
}

class TypePrinter {
 public:
  TypePrinter(const Cursor& in, const TypeDefinition& type, std::string_view charset)
      : in_(in),
        type_(type),
        charset_(charset),
        mariadb_(in.context().flavor == Flavor::mariadb),
        version_(server_of(in.context()).version) {}

  Result<std::string> print() const {
    switch (type_.form) {
      case TypeForm::integer: return integer();
      case TypeForm::real: return real();
      case TypeForm::decimal: return decimal();
      case TypeForm::bit: return sized("bit", number(0) == 0 ? 1 : number(0), kMaxBits);
      case TypeForm::fraction: return fraction();
      case TypeForm::year: return year();
      case TypeForm::characters: return characters();
      case TypeForm::bytes: return bytes();
      case TypeForm::text: return text();
      case TypeForm::sized_text: return std::string(family_name(type_.name));
      case TypeForm::vector: return vector();
      case TypeForm::labels:
      case TypeForm::plain: break;
    }
    const bool short_name = !mariadb_ && version_ >= 80000 && type_.name == "geometrycollection";
    return short_name ? "geomcollection" : type_.name;
  }

 private:
  bool has(std::size_t i) const { return i < type_.numbers.size(); }
  std::uint64_t number(std::size_t i) const { return has(i) ? type_.numbers[i] : 0; }
  // MySQL prints no display width since 8.0.19, with exceptions.
  bool prints_width() const { return mariadb_ || version_ < 80019; }
  bool binary() const { return charset_ == "binary"; }
  Error error(std::string_view what) const { return in_.error_at(type_.at, what); }

  static std::string with(std::string_view name, std::uint64_t n) {
    return std::string(name) + "(" + std::to_string(n) + ")";
  }
  static std::string with(std::string_view name, std::uint64_t n, std::uint64_t m) {
    return std::string(name) + "(" + std::to_string(n) + "," + std::to_string(m) + ")";
  }
  Result<std::string> sized(std::string_view name, std::uint64_t n, std::uint64_t most) const {
    if (n > most) return error(std::string(name) + " takes at most " + std::to_string(most));
    return with(name, n);
  }
  std::string with_sign(std::string text) const {
    if (type_.is_unsigned) text += " unsigned";
    if (type_.zerofill) text += " zerofill";
    return text;
  }

  Result<std::string> integer() const {
    std::uint64_t width = number(0);
    if (width > kMaxWidth) return error("a display width is at most 255");
    const bool flag = width == 1 && type_.name == "tinyint" && !type_.is_unsigned;
    if (width == 0) width = default_width(type_.name, type_.is_unsigned);
    if (!prints_width() && !type_.zerofill && !flag) return with_sign(type_.name);
    return with_sign(with(type_.name, width));
  }

  Result<std::string> real() const {
    std::string name = type_.name;
    if (type_.numbers.size() == 2) {
      if (number(0) > kMaxWidth || number(1) > number(0)) return error("digits out of range");
      if (number(0) == 0) return with_sign(name);
      return with_sign(with(name, number(0), number(1)));
    }
    if (has(0) && type_.name == "double") return error("DOUBLE takes two numbers");
    if (number(0) > kDoubleDigits) return error("FLOAT takes at most 53");
    if (number(0) > kFloatDigits) name = "double";
    return with_sign(name);
  }

  Result<std::string> decimal() const {
    constexpr std::uint64_t kDefaultPrecision = 10, kMaxPrecision = 65;
    const std::uint64_t precision =
        number(0) == 0 && number(1) == 0 ? kDefaultPrecision : number(0);
    if (precision > kMaxPrecision || number(1) > precision) return error("digits out of range");
    return with_sign(with("decimal", precision, number(1)));
  }

  Result<std::string> fraction() const {
    // A TIMESTAMP's number was a display width before 5.6.
    if (!has(0) || (!mariadb_ && version_ < 50604)) return type_.name;
    if (number(0) > kMaxFraction) return error(type_.name + " takes at most 6");
    return number(0) == 0 ? type_.name : with(type_.name, number(0));
  }

  Result<std::string> year() const {
    const bool two = number(0) == 2 && (mariadb_ || version_ < 50705);
    return prints_width() ? with("year", two ? 2 : 4) : std::string("year");
  }

  // Text types are types of bytes with CHARACTER SET binary.
  std::string_view family_name(std::string_view name) const {
    for (const Family& f : kFamilies)
      if (f.text == name && binary()) return f.bytes;
    return name;
  }
  std::string smallest(std::uint64_t bytes, bool text) const {
    for (const Family& f : kFamilies)
      if (bytes <= f.most) return std::string(text && !binary() ? f.text : f.bytes);
    return {};
  }
  std::uint64_t bytes_per_char() const {
    const Charset* charset = Charset::by_name(charset_);
    return charset == nullptr ? 1 : charset->max_bytes_per_char();
  }

  Result<std::string> characters() const {
    const bool varying = type_.name == "varchar";
    if (varying && !has(0)) return error("VARCHAR takes a length");
    const std::uint64_t length = has(0) ? number(0) : 1;
    if (length > kMaxBlob) return error("the length is out of range");
    if (!varying) return sized(binary() ? "binary" : "char", length, kMaxChar);
    // Without strict mode the server takes the type that has room (mysql-server: sql/sql_table.cc
    // prepare_blob_field).
    if (length * bytes_per_char() > kMaxVarcharBytes) return fitting(length, true);
    return with(binary() ? "varbinary" : "varchar", length);
  }

  Result<std::string> bytes() const {
    const bool varying = type_.name == "varbinary";
    if (varying && !has(0)) return error("VARBINARY takes a length");
    const std::uint64_t length = has(0) ? number(0) : 1;
    if (!varying) return sized("binary", length, kMaxChar);
    if (length > kMaxVarcharBytes) return fitting(length, false);
    return with("varbinary", length);
  }

  Result<std::string> text() const {
    const bool chars = type_.name == "text";
    if (!has(0) || (number(0) == 0 && mariadb_)) return std::string(family_name(type_.name));
    return fitting(number(0), chars);
  }

  Result<std::string> fitting(std::uint64_t length, bool chars) const {
    if (length > kMaxBlob) return error("the length is out of range");
    const std::string name = smallest(length * (chars ? bytes_per_char() : 1), chars);
    // LONGTEXT holds 4 GiB of bytes, whatever the number of characters.
    return name.empty() ? std::string(chars && !binary() ? "longtext" : "longblob") : name;
  }

  Result<std::string> vector() const {
    if (!has(0) && mariadb_) return error("VECTOR takes a number of dimensions");
    return with("vector", has(0) ? number(0) : kMysqlVectorDefault);
  }

  const Cursor& in_;
  const TypeDefinition& type_;
  std::string_view charset_;
  bool mariadb_;
  std::uint32_t version_;
};

// Labels in UTF-8, without the blanks at their ends (mysql-server: sql/sql_table.cc
// prepare_set_and_enum_fields).
Result<std::vector<std::string>> labels_of(const Cursor& in, const TypeDefinition& type,
                                           std::string_view charset_name) {
  const Charset* charset = Charset::by_name(charset_name);
  std::vector<std::string> out;
  out.reserve(type.labels.size());
  TextBuffer buffer;
  for (const Label& label : type.labels) {
    std::string value = label.value;
    if (label.bytes && charset != nullptr) {
      buffer.clear();
      if (!charset->to_utf8(value, buffer))
        return in.error_at(type.at, "a label's bytes are none of " + std::string(charset_name));
      value = buffer.view();
    } else if (charset != nullptr) {
      value = as_stored(*charset, value);
    }
    if (charset_name != "binary")
      while (value.ends_with(' ')) value.pop_back();
    out.push_back(std::move(value));
  }
  return out;
}

}  // namespace

Result<std::string> resolve_charset(const Cursor& in, std::string_view charset,
                                    std::string_view collation, std::string_view inherited,
                                    std::size_t at) {
  std::string named;
  if (!charset.empty() && charset != kDefaultCharset) {
    const Charset* found = Charset::by_name(lowered(charset));
    if (found == nullptr)
      return in.error_at(at, "character set " + std::string(charset) + " is not known");
    named = found->name();
  }
  if (collation.empty()) return named.empty() ? std::string(inherited) : named;
  const std::string lower = lowered(collation);
  // MariaDB's collations without a character set: that of the context.
  if (in.context().flavor == Flavor::mariadb && lower.starts_with("uca1400_"))
    return named.empty() ? std::string(inherited) : named;
  const Charset* found = Charset::by_name(lower.substr(0, lower.find('_')));
  if (found == nullptr)
    return in.error_at(at, "collation " + std::string(collation) + " is not known");
  if (!named.empty() && named != found->name())
    return in.error_at(
        at, "collation " + std::string(collation) + " is none of character set " + named);
  return std::string(found->name());
}

Status resolve_type(const Cursor& in, const TypeDefinition& type, std::string_view inherited,
                    ColumnSchema& column) {
  std::string charset;
  if (takes_charset(type)) {
    SLUICE_TRY_ASSIGN(charset,
                      resolve_charset(in, type.charset, type.collation, inherited, type.at));
    if (charset.empty()) return in.error_at(type.at, "the character set it inherits is not known");
  }
  if (const Charset* known = Charset::by_name(charset)) SLUICE_TRY(known->prepare());
  std::string text;
  if (type.form == TypeForm::labels) {
    SLUICE_TRY_ASSIGN(const auto labels, labels_of(in, type, charset));
    text = with_labels(type.name, labels);
  } else {
    SLUICE_TRY_ASSIGN(text, TypePrinter(in, type, charset).print());
  }
  if (type.compressed) text += " COMPRESSED";
  if (auto read = parse_column_type(text, column); !read)
    return in.error_at(type.at, read.error().what);
  // MySQL's information_schema says of such an ENUM that it has none.
  if (charset == "binary" && in.context().flavor == Flavor::mysql) charset.clear();
  if (is_text(column.type)) column.charset = std::move(charset);
  return {};
}

}  // namespace sluice::schema::ddl
