#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/base/text_buffer.h"
#include "sluice/expr/template.h"

#include "mapping/columns.h"
#include "mapping/image.h"

namespace sluice::mapping {

// A template made for the columns of one table.  Immutable.
//
// In keys and other names (members, fields) different values give different texts: where a template
// has several values ({schema} and {table} are values, too), a backslash stands before each `\`,
// `:` and each character with which a text between two values begins.  A value that stands alone,
// and those of Use::content, are written as they are.
class TextTemplate {
 public:
  enum class Use : std::uint8_t { key, name, content };
  // Errors: fatal/config_invalid, "character N: ...": a column that is not there, a filter that
  // does not fit its type, two values of a name with nothing between them, several splits, a key
  // that begins as Sluice's own do.
  static Result<TextTemplate> make(const expr::Template& text, const Columns& columns, Use use);

  struct Outcome {
    enum class Kind : std::uint8_t {
      ok,
      null,      // a column is NULL: there is no text
      missing,   // the row does not carry a column
      null_key,  // a column of {key} is NULL, which none is
      own_key,   // the key is one of Sluice's own
    };
    Kind kind = Kind::ok;
    std::uint16_t column = 0;  // unless ok
  };
  // Appends the text of `row` to `out`; unless ok, `out` may hold a part of it.  `part`: stands for
  // the value of the column that is split.  `work` is memory.
  Outcome append(Image row, std::string_view part, TextBuffer& out, TextBuffer& work) const;

  // The column whose parts the text is made for, one by one, and how it is cut; null: none.
  struct Split {
    std::uint16_t column = 0;
    std::string separator;  // or "json"
  };
  const Split* split() const noexcept { return split_ ? &*split_ : nullptr; }
  // Columns whose values the text tells, in no order.
  const std::vector<std::uint16_t>& told() const noexcept { return told_; }
  // All that it is made of.
  const std::vector<std::uint16_t>& used() const noexcept { return used_; }
  // A pattern of SCAN that all texts fit.
  std::string glob() const;
  // What all texts begin with.
  std::string_view prefix() const noexcept;

 private:
  struct Piece {
    bool is_value = false;
    std::string text;
    std::uint16_t column = 0;
    std::vector<expr::Filter> filters;  // without split
    bool is_part = false;
    bool of_key = false;  // stands in {key}
  };
  Status add_value(const expr::TemplatePart& part, std::uint16_t column, const Columns& columns);
  Status set_split(const expr::TemplatePart& part, std::uint16_t column);
  void add_text(std::string_view text);
  void add_escaped(std::string_view text, TextBuffer& out) const;
  Status begin_escaping(const expr::Template& text, const Columns& columns);

  std::vector<Piece> pieces_;
  bool escapes_ = false;
  bool guarded_ = false;  // a value could make it one of Sluice's own keys
  std::array<bool, 256> special_{};
  std::optional<Split> split_;
  std::vector<std::uint16_t> told_, used_;
};

}  // namespace sluice::mapping
