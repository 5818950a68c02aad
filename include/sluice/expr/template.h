#pragma once
// Templates of Redis keys and values: `user:{id}`, `{schema}:{table}:{key}`,
// `{email|lower|sha1}`.  docs/mapping.md describes the language.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/base/result.h"

namespace sluice::expr {

// What is done with a column's text, in turn.
struct Filter {
  enum class Kind : std::uint8_t {
    lower,   // A-Z as small letters
    upper,   // a-z as capitals
    trim,    // without blanks at both ends
    pad,     // zeros in front up to `number` characters, behind a minus sign
    first,   // the first `number` characters
    date,    // a date or a date with time, as `format` says
    sha1,    // 40 hexadecimal digits
    sha256,  // 64 of them
    json,    // as a JSON string, with its quotes
    split,   // its parts, one by one: at each `format`, or, with json, those of a JSON array
  };
  Kind kind = Kind::lower;
  std::uint32_t number = 0;
  std::string format;  // date: %Y %m %d %H %M %S %y %%
};
std::string_view filter_name(Filter::Kind kind) noexcept;

struct TemplatePart {
  enum class Kind : std::uint8_t {
    text,    // `text` itself
    column,  // the value of the column called `text`
    schema,  // {schema}
    table,   // {table}
    key,     // {key}: the values of the key columns, with colons between them
  };
  Kind kind = Kind::text;
  std::string text;
  std::vector<Filter> filters;
  std::uint32_t at = 0;  // in the template, from 1, in characters
};

// A template that has been read and knows no table yet.  A value.
class Template {
 public:
  Template() = default;
  // An empty text is no template.  `{{` and `}}` stand for one brace; a column whose name is
  // schema, table or key, or has other characters than letters, digits, _ and $, stands between
  // backquotes.  Errors: fatal/config_invalid, "character N: what is wrong".
  static Result<Template> parse(std::string_view text);

  bool empty() const noexcept { return parts_.empty(); }
  // As it was given.
  const std::string& text() const noexcept { return text_; }
  // Texts stand alone: never two of them side by side, none of them empty.
  const std::vector<TemplatePart>& parts() const noexcept { return parts_; }
  friend bool operator==(const Template& a, const Template& b) noexcept {
    return a.text_ == b.text_;
  }

 private:
  std::string text_;
  std::vector<TemplatePart> parts_;
};

}  // namespace sluice::expr
