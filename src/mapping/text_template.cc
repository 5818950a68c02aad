#include "mapping/text_template.h"

#include <algorithm>

#include "mapping/filters.h"

namespace sluice::mapping {
namespace {

using expr::Filter;
using expr::TemplatePart;

Error error_at(const TemplatePart& part, const std::string& what) {
  return fatal(Errc::config_invalid, "character " + std::to_string(part.at) + ": " + what);
}

// Of all keys that this program has for itself.
constexpr std::string_view kOwnPrefix = "sluice:";

bool is_value(const TemplatePart& part) {
  return part.kind != TemplatePart::Kind::text;
}

// Whether different values stay different.
bool keeps_apart(const std::vector<Filter>& filters, expr::Type type) {
  return std::all_of(filters.begin(), filters.end(), [type](const Filter& f) {
    switch (f.kind) {
      case Filter::Kind::pad: return type == expr::Type::integer;
      case Filter::Kind::sha1:
      case Filter::Kind::sha256:
      case Filter::Kind::json: return true;
      default: return false;
    }
  });
}

}  // namespace

// Which characters are escaped, and that no two values touch.
Status TextTemplate::begin_escaping(const expr::Template& text, const Columns& columns) {
  std::size_t values = 0;
  const TemplatePart* before = nullptr;
  for (std::size_t i = 0; i < text.parts().size(); ++i) {
    const TemplatePart& part = text.parts()[i];
    if (!is_value(part)) {
      const bool between = i > 0 && i + 1 < text.parts().size();
      if (between) special_[static_cast<unsigned char>(part.text.front())] = true;
    } else {
      values += part.kind == TemplatePart::Kind::key ? columns.key().size() : 1;
      if (before != nullptr && is_value(*before))
        return error_at(part,
                        "two values side by side cannot be told from others: put a character "
                        "between them, such as :");
    }
    before = &part;
  }
  escapes_ = values > 1;
  special_[static_cast<unsigned char>('\\')] = true;
  special_[static_cast<unsigned char>(':')] = true;
  return {};
}

void TextTemplate::add_escaped(std::string_view text, TextBuffer& out) const {
  char* to = out.room(2 * text.size());
  for (const char c : text) {
    if (special_[static_cast<unsigned char>(c)]) *to++ = '\\';
    *to++ = c;
  }
  out.commit_to(to);
}

void TextTemplate::add_text(std::string_view text) {
  if (pieces_.empty() || pieces_.back().is_value) pieces_.emplace_back();
  pieces_.back().text += text;
}

Status TextTemplate::set_split(const TemplatePart& part, std::uint16_t column) {
  if (split_) return error_at(part, "one value of a template can be split");
  split_ = {column, part.filters.front().format};
  return {};
}

Status TextTemplate::add_value(const TemplatePart& part, std::uint16_t column,
                               const Columns& columns) {
  Piece piece;
  piece.is_value = true;
  piece.column = column;
  piece.filters = part.filters;
  piece.of_key = part.kind == TemplatePart::Kind::key;
  const expr::Type type = columns[column].type;
  if (!part.filters.empty() && part.filters.front().kind == Filter::Kind::split) {
    SLUICE_TRY(set_split(part, column));
    piece.is_part = true;
    piece.filters.erase(piece.filters.begin());
  }
  for (const Filter& f : piece.filters)
    if (f.kind == Filter::Kind::date && type != expr::Type::date && type != expr::Type::datetime)
      return error_at(part, "date is for DATE, DATETIME and TIMESTAMP columns; " +
                                columns[column].name + " is " + std::string(expr::type_name(type)));
  used_.push_back(column);
  if (!piece.is_part && keeps_apart(piece.filters, type)) told_.push_back(column);
  pieces_.push_back(std::move(piece));
  return {};
}

Result<TextTemplate> TextTemplate::make(const expr::Template& text, const Columns& columns,
                                        Use use) {
  TextTemplate out;
  if (use != Use::content) SLUICE_TRY(out.begin_escaping(text, columns));
  const auto add_name = [&out](const std::string& name) {
    TextBuffer escaped;
    if (out.escapes_)
      out.add_escaped(name, escaped);
    else
      escaped.append(name);
    out.add_text(escaped.view());
  };
  for (const TemplatePart& part : text.parts()) {
    const bool constant =
        part.kind == TemplatePart::Kind::schema || part.kind == TemplatePart::Kind::table;
    if ((constant || part.kind == TemplatePart::Kind::key) && !part.filters.empty())
      return error_at(part, "filters are for columns");
    switch (part.kind) {
      case TemplatePart::Kind::text: out.add_text(part.text); break;
      case TemplatePart::Kind::schema: add_name(columns.database()); break;
      case TemplatePart::Kind::table: add_name(columns.table()); break;
      case TemplatePart::Kind::column: {
        auto column = columns.find(part.text);
        if (!column) return error_at(part, column.error().what);
        SLUICE_TRY(out.add_value(part, *column, columns));
        break;
      }
      case TemplatePart::Kind::key:
        if (columns.key().empty())
          return error_at(part, "{key}: " + columns.database() + "." + columns.table() +
                                    " has no primary key, nor a unique one without NULLs");
        for (const std::uint16_t column : columns.key()) {
          if (column != columns.key().front()) out.add_text(":");
          SLUICE_TRY(out.add_value(part, column, columns));
        }
        break;
    }
  }
  if (use == Use::key) {
    if (out.prefix().starts_with(kOwnPrefix))
      return error_at(text.parts().front(),
                      "keys that begin with " + std::string(kOwnPrefix) + " are Sluice's own");
    out.guarded_ = kOwnPrefix.starts_with(out.prefix());
  }
  return out;
}

TextTemplate::Outcome TextTemplate::append(Image row, std::string_view part, TextBuffer& out,
                                           TextBuffer& work) const {
  const std::size_t begin = out.size();
  for (const Piece& piece : pieces_) {
    if (!piece.is_value) {
      out.append(piece.text);
      continue;
    }
    const ChangeView::Field* field = row[piece.column];
    if (field == nullptr) return {Outcome::Kind::missing, piece.column};
    if (field->is_null)
      return {piece.of_key ? Outcome::Kind::null_key : Outcome::Kind::null, piece.column};
    const std::string_view text =
        filtered(piece.is_part ? part : field->value, piece.filters, work);
    if (escapes_)
      add_escaped(text, out);
    else
      out.append(text);
  }
  if (guarded_ && out.view().substr(begin).starts_with(kOwnPrefix))
    return {Outcome::Kind::own_key, used_.empty() ? std::uint16_t{0} : used_.front()};
  return {};
}

std::string TextTemplate::glob() const {
  std::string out;
  for (const Piece& piece : pieces_) {
    if (piece.is_value) {
      if (!out.ends_with('*') || out.ends_with("\\*")) out += '*';
      continue;
    }
    for (const char c : piece.text) {
      if (std::string_view("*?[]\\^").find(c) != std::string_view::npos) out += '\\';
      out += c;
    }
  }
  return out;
}

std::string_view TextTemplate::prefix() const noexcept {
  return pieces_.empty() || pieces_.front().is_value ? std::string_view() : pieces_.front().text;
}

}  // namespace sluice::mapping
