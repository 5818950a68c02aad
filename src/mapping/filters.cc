#include "mapping/filters.h"

#include <algorithm>
#include <array>

#include "sluice/base/json_text.h"
#include "sluice/base/sha1.h"
#include "sluice/base/sha256.h"

namespace sluice::mapping {
namespace {

using expr::Filter;

void append_lower(TextBuffer& out, std::string_view text) {
  char* to = out.room(text.size());
  for (const char c : text) *to++ = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  out.commit_to(to);
}

void append_upper(TextBuffer& out, std::string_view text) {
  char* to = out.room(text.size());
  for (const char c : text) *to++ = c >= 'a' && c <= 'z' ? static_cast<char>(c & ~0x20) : c;
  out.commit_to(to);
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlank) - begin + 1);
}

bool starts_character(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
}

void append_padded(TextBuffer& out, std::string_view text, std::size_t width) {
  if (text.starts_with('-')) {
    out.push_back('-');
    text.remove_prefix(1);
    if (width > 0) --width;
  }
  const auto length =
      static_cast<std::size_t>(std::count_if(text.begin(), text.end(), starts_character));
  for (std::size_t i = length; i < width; ++i) out.push_back('0');
  out.append(text);
}

std::string_view first_characters(std::string_view text, std::size_t count) {
  std::size_t at = 0;
  while (at < text.size()) {
    if (starts_character(text[at]) && count-- == 0) break;
    ++at;
  }
  return text.substr(0, at);
}

// `text`: "2026-01-31" or "2026-01-31 12:00:00[.123]".
void append_date(TextBuffer& out, std::string_view text, std::string_view format) {
  const auto part = [text](std::size_t at, std::size_t size) {
    return at + size <= text.size() ? text.substr(at, size) : std::string_view("00");
  };
  for (std::size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%') {
      out.push_back(format[i]);
      continue;
    }
    switch (format[++i]) {
      case 'Y': out.append(part(0, 4)); break;
      case 'y': out.append(part(2, 2)); break;
      case 'm': out.append(part(5, 2)); break;
      case 'd': out.append(part(8, 2)); break;
      case 'H': out.append(part(11, 2)); break;
      case 'M': out.append(part(14, 2)); break;
      case 'S': out.append(part(17, 2)); break;
      default: out.push_back('%');
    }
  }
}

void apply(const Filter& filter, std::string_view text, TextBuffer& out) {
  switch (filter.kind) {
    case Filter::Kind::lower: append_lower(out, text); break;
    case Filter::Kind::upper: append_upper(out, text); break;
    case Filter::Kind::trim: out.append(trimmed(text)); break;
    case Filter::Kind::pad: append_padded(out, text, filter.number); break;
    case Filter::Kind::first: out.append(first_characters(text, filter.number)); break;
    case Filter::Kind::date: append_date(out, text, filter.format); break;
    case Filter::Kind::sha1: {
      const auto hex = sha1_hex(text);
      out.append({hex.data(), hex.size()});
      break;
    }
    case Filter::Kind::sha256: {
      const auto hex = Sha256().update(text).hex();
      out.append({hex.data(), hex.size()});
      break;
    }
    case Filter::Kind::json:
      out.push_back('"');
      // Bytes that are no text: each as the character of its number.
      if (!append_json_utf8(out, text)) append_json_latin1(out, text);
      out.push_back('"');
      break;
    case Filter::Kind::split: out.append(text); break;  // cut before it came here
  }
}

}  // namespace

std::string_view filtered(std::string_view text, const std::vector<Filter>& filters,
                          TextBuffer& work) {
  if (filters.empty()) return text;
  work.clear();
  std::size_t begin = 0;
  for (const Filter& filter : filters) {
    // Behind what it reads, in the same buffer; room() may move both.
    const bool inside = &filter != &filters.front();
    const std::size_t length = inside ? work.size() - begin : text.size();
    const std::size_t next = work.size();
    work.room(6 * length + 4 * filter.format.size() + 4096);
    apply(filter, inside ? work.view().substr(begin, length) : text, work);
    begin = next;
  }
  return work.view().substr(begin);
}

}  // namespace sluice::mapping
