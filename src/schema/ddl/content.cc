#include "schema/ddl/content.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "sluice/binlog/sql_lexer.h"

#include "schema/type_match.h"

namespace sluice::schema::ddl {
namespace {

// Bytes of an integer; 0: it is none.
unsigned integer_bytes(DeclaredType type) noexcept {
  switch (type) {
    case DeclaredType::tinyint: return 1;
    case DeclaredType::smallint: return 2;
    case DeclaredType::mediumint: return 3;
    case DeclaredType::int_: return 4;
    case DeclaredType::bigint: return 8;
    default: return 0;
  }
}

// TEXT types take at least this many bytes.
std::uint64_t large_room(unsigned rank) noexcept {
  constexpr std::array<std::uint64_t, 5> kRoom{0, 0xFF, 0xFFFF, 0xFFFFFF, 0xFFFFFFFF};
  return kRoom[rank];
}

bool holds_all_of_unicode(std::string_view charset) noexcept {
  return charset == "utf8mb4" || charset == "utf16" || charset == "utf16le" || charset == "utf32";
}

// Whether each value of `from` has the same text as `to`.
class Conversion {
 public:
  Conversion(const ColumnSchema& from, const ColumnSchema& to, bool strict)
      : from_(from), to_(to), strict_(strict) {}

  bool keeps_text() const {
    if (from_.generated || to_.generated) return false;  // by an expression that may be another
    if (from_.nullable && !to_.nullable && !strict_) return false;
    if (const unsigned wide = integer_bytes(from_.type)) return integer(wide);
    switch (from_.type) {
      case DeclaredType::decimal: return decimal();
      case DeclaredType::bit:
        return to_.type == DeclaredType::bit && (strict_ || to_.length >= from_.length);
      case DeclaredType::time:
      case DeclaredType::datetime:
      case DeclaredType::timestamp: return to_.type == from_.type && to_.scale == from_.scale;
      case DeclaredType::enum_: return to_.type == DeclaredType::enum_ && labels() && charset();
      case DeclaredType::set:
        return to_.type == DeclaredType::set && labels() && same_order() && charset();
      case DeclaredType::json:
      case DeclaredType::geometry: break;
      default:
        if (is_text(from_.type)) return is_text(to_.type) && text() && charset();
        if (is_binary(from_.type)) return is_binary(to_.type) && bytes();
    }
    return to_.type == from_.type && to_.mysql_type == from_.mysql_type;
  }

 private:
  bool integer(unsigned wide) const {
    if (const unsigned now = integer_bytes(to_.type)) {
      if (strict_) return true;
      if (from_.is_unsigned == to_.is_unsigned) return now >= wide;
      return from_.is_unsigned && now > wide;
    }
    return to_.type == DeclaredType::decimal && to_.scale == 0 && strict_;
  }

  bool decimal() const {
    if (to_.type != DeclaredType::decimal || to_.scale != from_.scale) return false;
    return strict_ || (to_.precision >= from_.precision && (from_.is_unsigned || !to_.is_unsigned));
  }

  bool has_label(const std::string& label) const {
    return std::find(to_.labels.begin(), to_.labels.end(), label) != to_.labels.end();
  }
  bool labels() const {
    return strict_ || std::all_of(from_.labels.begin(), from_.labels.end(),
                                  [this](const std::string& label) { return has_label(label); });
  }
  // A SET is written in the order of its labels.
  bool same_order() const {
    auto at = to_.labels.begin();
    for (const std::string& label : from_.labels) {
      const auto found = std::find(to_.labels.begin(), to_.labels.end(), label);
      if (found == to_.labels.end()) continue;
      if (found < at) return false;
      at = found;
    }
    return true;
  }

  // What a character set does not have becomes a question mark.
  bool charset() const {
    return from_.charset == to_.charset || strict_ || holds_all_of_unicode(to_.charset);
  }

  // CHAR loses blanks at its end.
  bool text() const {
    if (from_.type != DeclaredType::char_ && to_.type == DeclaredType::char_) return false;
    return strict_ || is_roomy();
  }
  bool is_roomy() const {
    constexpr std::uint64_t kBytesPerCharacter = 4;
    const unsigned before = large_type_rank(from_.type), now = large_type_rank(to_.type);
    if (before != 0) return now >= before && from_.charset == to_.charset;
    if (now != 0) return large_room(now) >= kBytesPerCharacter * from_.length;
    return to_.length >= from_.length;
  }

  // BINARY is filled up with zeros.
  bool bytes() const {
    if (to_.type == DeclaredType::binary)
      return from_.type == DeclaredType::binary && from_.length == to_.length;
    if (to_.type == DeclaredType::geometry) return false;
    if (strict_) return true;
    const unsigned before = large_type_rank(from_.type), now = large_type_rank(to_.type);
    if (before != 0) return now >= before;
    if (now != 0) return large_room(now) >= from_.length;
    return to_.length >= from_.length;
  }

  const ColumnSchema& from_;
  const ColumnSchema& to_;
  const bool strict_;
};

const ColumnAction* action_on(const AlterTable& change, const ColumnSchema& column) {
  using Kind = ColumnAction::Kind;
  const auto found =
      std::find_if(change.columns.begin(), change.columns.end(), [&](const ColumnAction& a) {
        const bool counts = a.kind == Kind::change || a.kind == Kind::rename;
        return counts && same_name(a.name, column.name);
      });
  return found == change.columns.end() ? nullptr : &*found;
}

std::string converted(const ColumnSchema& from, const ColumnSchema& to) {
  const auto type = [](const ColumnSchema& c) {
    return c.mysql_type + (c.charset.empty() ? "" : " " + c.charset);
  };
  const std::string was = type(from), is = type(to);
  return was == is ? "defined anew as " + is : "converted from " + was + " to " + is;
}

// Nullopt: it is no new column, or one that is NULL in the rows there are.
std::optional<ContentChange> added(const ColumnAction& action, const TableSchema& before,
                                   const TableSchema& after) {
  if (action.kind != ColumnAction::Kind::add) return std::nullopt;
  const ColumnDefinition& definition = action.definition;
  const auto named = [&](const ColumnSchema& c) { return same_name(c.name, definition.name); };
  const auto column = std::find_if(after.columns.begin(), after.columns.end(), named);
  if (column == after.columns.end()) return std::nullopt;
  // IF NOT EXISTS
  if (std::any_of(before.columns.begin(), before.columns.end(), named)) return std::nullopt;
  if (column->nullable && !column->generated && !definition.has_default) return std::nullopt;
  return ContentChange{column->name, "added with a value"};
}

}  // namespace

std::vector<ContentChange> content_changes(const Cursor& in, const AlterTable& change,
                                           const TableSchema& before, const TableSchema& after) {
  constexpr std::uint64_t kStrict =
      binlog::sql_mode::kStrictTransTables | binlog::sql_mode::kStrictAllTables;
  const bool strict = !change.ignore && (in.context().sql_mode & kStrict) != 0;
  std::vector<ContentChange> out;
  for (const ColumnSchema& column : before.columns) {
    if (column.hidden) continue;
    const ColumnAction* const action = action_on(change, column);
    const std::string& name = action == nullptr ? column.name : action->definition.name;
    const int at = after.find(name);
    if (at < 0) {
      out.push_back({column.name, "dropped"});
      continue;
    }
    const ColumnSchema& now = after.columns[static_cast<std::size_t>(at)];
    if (name != column.name) out.push_back({column.name, "renamed to " + name});
    const bool touched = action != nullptr && action->kind == ColumnAction::Kind::change;
    ColumnSchema same = now;
    same.name = column.name;
    same.invisible = column.invisible;
    if (same == column && !(touched && column.generated)) continue;
    if (!Conversion(column, now, strict).keeps_text())
      out.push_back({name, converted(column, now)});
  }
  for (const ColumnAction& action : change.columns)
    if (auto new_one = added(action, before, after)) out.push_back(std::move(*new_one));
  return out;
}

bool identifies_otherwise(const TableSchema& before, const TableSchema& after,
                          const std::vector<ContentChange>& content) {
  const std::vector<std::string> names = after.row_key_names();
  if (before.row_key_names() != names) return true;
  return std::any_of(names.begin(), names.end(), [&content](const std::string& name) {
    return std::any_of(content.begin(), content.end(),
                       [&name](const ContentChange& c) { return c.column == name; });
  });
}

}  // namespace sluice::schema::ddl
