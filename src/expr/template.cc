#include "sluice/expr/template.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace sluice::expr {
namespace {

constexpr std::array<std::string_view, 10> kFilterNames{
    "lower", "upper", "trim", "pad", "first", "date", "sha1", "sha256", "json", "split"};
constexpr std::uint32_t kMostCharacters = 1000;  // of pad and first

bool in_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '$' || static_cast<unsigned char>(c) >= 0x80;
}

std::string list_of_filters() {
  std::string out;
  for (const std::string_view name : kFilterNames) out.append(out.empty() ? "" : ", ").append(name);
  return out;
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<std::vector<TemplatePart>> parse() {
    while (at_ < text_.size()) {
      if (text_[at_] == '{' && !starts("{{")) {
        SLUICE_TRY(value());
        continue;
      }
      if (text_[at_] == '}' && !starts("}}"))
        return error("a } without {; write }} for the character itself");
      if (parts_.empty() || parts_.back().kind != TemplatePart::Kind::text) add({});
      parts_.back().text += text_[at_];
      at_ += starts("{{") || starts("}}") ? 2U : 1U;
    }
    return std::move(parts_);
  }

 private:
  bool starts(std::string_view what) const { return text_.substr(at_).starts_with(what); }
  void add(TemplatePart part) {
    part.at = character();
    parts_.push_back(std::move(part));
  }
  std::uint32_t character() const {
    const std::string_view before = text_.substr(0, at_);
    return 1 + static_cast<std::uint32_t>(std::count_if(before.begin(), before.end(), [](char c) {
             return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
           }));
  }
  Error error(const std::string& what) const {
    return fatal(Errc::config_invalid, "character " + std::to_string(character()) + ": " + what);
  }

  // {name|filter:argument|...}
  Status value() {
    TemplatePart part;
    add({});
    ++at_;
    SLUICE_TRY(name(part));
    while (at_ < text_.size() && text_[at_] == '|') {
      ++at_;
      SLUICE_TRY_ASSIGN(Filter filter, this->filter());
      if (filter.kind == Filter::Kind::split && !part.filters.empty())
        return error("split comes first of the filters");
      part.filters.push_back(std::move(filter));
    }
    if (at_ >= text_.size() || text_[at_] != '}')
      return error("} or | is expected here; write {{ for the character { itself");
    ++at_;
    part.at = parts_.back().at;
    parts_.back() = std::move(part);
    return {};
  }

  Status name(TemplatePart& part) {
    part.kind = TemplatePart::Kind::column;
    if (at_ < text_.size() && text_[at_] == '`') return quoted_name(part);
    const std::size_t begin = at_;
    while (at_ < text_.size() && in_name(text_[at_])) ++at_;
    part.text = text_.substr(begin, at_ - begin);
    if (part.text.empty())
      return error(
          "the name of a column is expected here; other characters than letters, digits, "
          "_ and $ stand between backquotes");
    if (part.text == "schema") part.kind = TemplatePart::Kind::schema;
    if (part.text == "table") part.kind = TemplatePart::Kind::table;
    if (part.text == "key") part.kind = TemplatePart::Kind::key;
    return {};
  }

  // Two backquotes are one.
  Status quoted_name(TemplatePart& part) {
    for (++at_;; ++at_) {
      const std::size_t end = text_.find('`', at_);
      if (end == std::string_view::npos) return error("the backquote of this name is not closed");
      part.text.append(text_.substr(at_, end - at_));
      at_ = end + 1;
      if (at_ >= text_.size() || text_[at_] != '`') break;
      part.text += '`';
    }
    if (part.text.empty()) return error("the name between the backquotes is empty");
    return {};
  }

  // name, or name:argument
  Result<Filter> filter() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && in_name(text_[at_])) ++at_;
    const std::string_view name = text_.substr(begin, at_ - begin);
    const auto* const known = std::find(kFilterNames.begin(), kFilterNames.end(), name);
    if (known == kFilterNames.end()) {
      at_ = begin;
      return error("there is no filter " + std::string(name) + "; there are " + list_of_filters());
    }
    Filter filter;
    filter.kind = static_cast<Filter::Kind>(known - kFilterNames.begin());
    const bool has_argument = at_ < text_.size() && text_[at_] == ':';
    std::string_view argument;
    if (has_argument) {
      const std::size_t end = std::min(text_.find_first_of("|}", at_), text_.size());
      argument = text_.substr(at_ + 1, end - at_ - 1);
      at_ = end;
    }
    SLUICE_TRY(take_argument(filter, argument, has_argument));
    return filter;
  }

  Status take_argument(Filter& filter, std::string_view argument, bool given) const {
    const std::string name(filter_name(filter.kind));
    if (filter.kind == Filter::Kind::pad || filter.kind == Filter::Kind::first) {
      const auto [end, failed] =
          std::from_chars(argument.data(), argument.data() + argument.size(), filter.number);
      if (failed != std::errc{} || end != argument.data() + argument.size() || filter.number == 0 ||
          filter.number > kMostCharacters)
        return error(name + " needs a number of characters, 1 to " +
                     std::to_string(kMostCharacters) + ": {id|" + name + ":8}");
      return {};
    }
    if (filter.kind == Filter::Kind::date) {
      filter.format = argument;
      return check_format(argument);
    }
    if (filter.kind == Filter::Kind::split) {
      filter.format = argument;
      if (argument.empty())
        return error("split needs a separator, or json: {tags|split:,}, {tags|split:json}");
      return {};
    }
    if (given) return error(name + " takes no argument");
    return {};
  }

  Status check_format(std::string_view format) const {
    if (format.empty()) return error("date needs a format: {at|date:%Y%m%d}");
    for (std::size_t i = 0; i < format.size(); ++i) {
      if (format[i] != '%') continue;
      ++i;
      if (i == format.size() || std::string_view("YmdHMSy%").find(format[i]) == std::string::npos)
        return error("date knows %Y %m %d %H %M %S %y %%");
    }
    return {};
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::vector<TemplatePart> parts_;
};

}  // namespace

std::string_view filter_name(Filter::Kind kind) noexcept {
  return kFilterNames[static_cast<std::size_t>(kind)];
}

Result<Template> Template::parse(std::string_view text) {
  Template out;
  SLUICE_TRY_ASSIGN(out.parts_, Parser(text).parse());
  out.text_ = text;
  return out;
}

}  // namespace sluice::expr
