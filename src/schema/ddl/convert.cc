// ALTER TABLE ... CONVERT TO CHARACTER SET (mysql-server: sql/sql_table.cc
// get_sql_field_charset, prepare_create_field; MariaDB: sql/field.cc
// Column_definition::prepare_stage1_convert_default).
#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sluice/base/charset.h"

#include "schema/ddl/alter.h"
#include "schema/ddl/label_text.h"
#include "schema/ddl/resolve.h"
#include "schema/type_match.h"

namespace sluice::schema::ddl {
namespace {

struct TextType {
  DeclaredType type;
  std::string_view name;
  std::uint64_t bytes;
};
constexpr std::size_t kBlobs = 4;  // the blobs are the second half
constexpr std::array kTexts = {
    TextType{DeclaredType::tinytext, "tinytext", 0xFF},
    TextType{DeclaredType::text, "text", 0xFFFF},
    TextType{DeclaredType::mediumtext, "mediumtext", 0xFFFFFF},
    TextType{DeclaredType::longtext, "longtext", 0xFFFFFFFF},
    TextType{DeclaredType::tinyblob, "tinyblob", 0xFF},
    TextType{DeclaredType::blob, "blob", 0xFFFF},
    TextType{DeclaredType::mediumblob, "mediumblob", 0xFFFFFF},
    TextType{DeclaredType::longblob, "longblob", 0xFFFFFFFF},
};

unsigned bytes_per_char(std::string_view charset) {
  const Charset* found = Charset::by_name(charset);
  return found == nullptr ? 1 : found->max_bytes_per_char();
}

const TextType* text_type(DeclaredType type) {
  const auto* found = std::find_if(kTexts.begin(), kTexts.end(),
                                   [type](const TextType& t) { return t.type == type; });
  return found == kTexts.end() ? nullptr : found;
}

bool is_blob(const TextType& type) {
  return &type >= &kTexts[kBlobs];
}

// The smallest type, from `least` on, that holds so many characters.
const TextType& with_room(const TextType& least, std::uint64_t characters,
                          std::string_view charset) {
  const std::uint64_t bytes = characters * (is_blob(least) ? 1 : bytes_per_char(charset));
  const auto* const end = is_blob(least) ? kTexts.end() : kTexts.begin() + kBlobs;
  const auto* fits =
      std::find_if(&least, end, [bytes](const TextType& t) { return bytes <= t.bytes; });
  return fits == end ? *(end - 1) : *fits;
}

// The smallest type, from that of the column on, that holds as many characters.
std::string_view grown(const ColumnSchema& column, std::string_view charset) {
  const TextType* now = text_type(column.type);
  if (now == nullptr) return {};
  return with_room(*now, now->bytes / bytes_per_char(column.charset), charset).name;
}

std::uint64_t characters(std::string_view text) {
  return static_cast<std::uint64_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  }));
}

// The number behind the type's name, or `missing`.
std::uint64_t first_number(const ColumnSchema& column, std::uint64_t missing) {
  const std::size_t at = column.mysql_type.find('(');
  if (at == std::string::npos) return missing;
  std::uint64_t number = 0;
  std::from_chars(column.mysql_type.data() + at + 1,
                  column.mysql_type.data() + column.mysql_type.size(), number);
  return number;
}

// How many characters MySQL says a column shows at most; nullopt where we cannot know.
std::optional<std::uint64_t> room_of(const ColumnSchema& column) {
  constexpr std::uint64_t kTimestamp = 26, kDouble = 22, kMost = 0xFFFFFFFF;
  const std::uint64_t per_char = bytes_per_char(column.charset);
  if (const TextType* text = text_type(column.type)) return text->bytes / per_char;
  std::uint64_t longest = 0, all = column.labels.empty() ? 0 : column.labels.size() - 1;
  for (const std::string& label : column.labels) {
    longest = std::max(longest, characters(label));
    all += characters(label);
  }
  switch (column.type) {
    case DeclaredType::char_:
    case DeclaredType::varchar: return column.length / per_char;
    case DeclaredType::binary:
    case DeclaredType::varbinary: return column.length;
    case DeclaredType::enum_: return longest / per_char;
    case DeclaredType::set: return all / per_char;
    case DeclaredType::decimal:
      return column.precision + (column.scale != 0 ? 1U : 0U) + (column.is_unsigned ? 0U : 1U);
    case DeclaredType::float_:
    case DeclaredType::double_: return first_number(column, kDouble);
    case DeclaredType::bit: return column.length;
    case DeclaredType::vector: return column.length * sizeof(float);
    case DeclaredType::json:
    case DeclaredType::geometry: return kMost;
    case DeclaredType::date:
    case DeclaredType::time:
    case DeclaredType::datetime:
    case DeclaredType::timestamp:
    case DeclaredType::year: return kTimestamp;
    default:
      // A display width of an integer is kept, but only told with ZEROFILL.
      if (column.mysql_type.find("zerofill") == std::string::npos) return std::nullopt;
      return first_number(column, 0);
  }
}

Result<std::vector<Label>> converted_labels(const Cursor& in, const ColumnSchema& column,
                                            std::string_view charset) {
  const Charset* from = Charset::by_name(column.charset);
  const Charset* to = Charset::by_name(charset);
  if (from == nullptr || to == nullptr) return in.error("the character set is not known");
  SLUICE_TRY(from->prepare());
  SLUICE_TRY(to->prepare());
  std::vector<Label> out;
  out.reserve(column.labels.size());
  for (const std::string& label : column.labels) {
    SLUICE_TRY_ASSIGN(std::string text, converted(in, label, *from, *to));
    out.push_back({std::move(text), false});
  }
  return out;
}

}  // namespace

Result<ColumnSchema> fit_text(const Cursor& in, const ColumnSchema& before, ColumnSchema column) {
  const TextType* declared = text_type(column.type);
  const bool fits_all =
      column.type == DeclaredType::longtext || column.type == DeclaredType::longblob;
  if (declared == nullptr || fits_all) return column;
  const auto room = room_of(before);
  if (!room)
    return in.error("what CONVERT TO makes of text that was " + before.mysql_type +
                    " is not worked out");
  TypeDefinition type;
  type.form = TypeForm::sized_text;
  type.name = with_room(kTexts[is_blob(*declared) ? kBlobs : 0], *room, column.charset).name;
  type.charset = column.charset;
  SLUICE_TRY(resolve_type(in, type, column.charset, column));
  return column;
}

Result<ColumnSchema> convert_column(const Cursor& in, const ColumnSchema& column,
                                    std::string_view charset) {
  if (!is_text(column.type) || column.charset.empty() || column.charset == "binary") return column;
  TypeDefinition type;
  type.charset = charset;
  type.compressed = column.compressed;
  type.at = in.offset();
  switch (column.type) {
    case DeclaredType::char_:
    case DeclaredType::varchar:
      type.form = TypeForm::characters;
      type.name = column.type == DeclaredType::char_ ? "char" : "varchar";
      type.numbers = {column.length};
      break;
    case DeclaredType::enum_:
    case DeclaredType::set: {
      type.form = TypeForm::labels;
      type.name = column.type == DeclaredType::enum_ ? "enum" : "set";
      SLUICE_TRY_ASSIGN(type.labels, converted_labels(in, column, charset));
      break;
    }
    default:
      type.form = TypeForm::sized_text;
      type.name = grown(column, charset);
      if (type.name.empty()) return column;
  }
  ColumnSchema out;
  SLUICE_TRY(resolve_type(in, type, charset, out));
  out.name = column.name;
  out.nullable = column.nullable;
  out.generated = column.generated;
  out.is_virtual = column.is_virtual;
  out.invisible = column.invisible;
  return out;
}

}  // namespace sluice::schema::ddl
