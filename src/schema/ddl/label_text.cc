#include "schema/ddl/label_text.h"

#include <algorithm>
#include <map>
#include <optional>

#include "sluice/base/text_buffer.h"

namespace sluice::schema::ddl {
namespace {

bool is_ascii(std::string_view text) noexcept {
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return (static_cast<unsigned char>(c) & 0x80U) != 0; });
}

// Text whose bytes in this character set are those of UTF-8.  MySQL's sjis has a backslash of two
// bytes, and swe7 has other letters in place of some of ASCII's signs.
bool is_plain(std::string_view text, const Charset& charset) noexcept {
  if (charset.kind() == CharsetKind::wide || charset.name() == "swe7") return false;
  if (charset.name() == "sjis" && text.find('\\') != std::string_view::npos) return false;
  return is_ascii(text);
}

char32_t scalar(std::string_view character) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(character[i]); };
  const auto tail = [&](std::size_t i) { return static_cast<char32_t>(byte(i) & 0x3FU); };
  switch (character.size()) {
    case 1: return byte(0);
    case 2: return static_cast<char32_t>(byte(0) & 0x1FU) << 6 | tail(1);
    case 3: return static_cast<char32_t>(byte(0) & 0xFU) << 12 | tail(1) << 6 | tail(2);
    default:
      return static_cast<char32_t>(byte(0) & 0x7U) << 18 | tail(1) << 12 | tail(2) << 6 | tail(3);
  }
}

// The other way round than Charset goes, for a few characters.
class Encoder {
 public:
  explicit Encoder(const Charset& charset) : charset_(charset) {}

  // Nullopt: the character set has no such character.
  std::optional<std::string> encode(std::string_view character) {
    switch (charset_.kind()) {
      case CharsetKind::utf8: {
        const bool fits = charset_.ascii_only() ? character.size() == 1
                                                : character.size() <= charset_.max_bytes_per_char();
        return fits ? std::optional<std::string>(character) : std::nullopt;
      }
      case CharsetKind::wide: return wide(scalar(character));
      case CharsetKind::single:
      case CharsetKind::multi:
        if (is_plain(character, charset_)) return std::string(character);
        return by_table(character);
      case CharsetKind::binary: break;
    }
    return std::nullopt;
  }
  // False: longer sequences than by_table() looks at may stand for a character.
  bool knows_all() const {
    const std::string_view name = charset_.name();
    return name != "gb18030" && name != "ujis" && name != "eucjpms";
  }

 private:
  std::optional<std::string> wide(char32_t c) const {
    const std::string_view name = charset_.name();
    const bool little = name == "utf16le";
    std::string out;
    const auto put = [&out, little](char32_t unit, unsigned bytes) {
      for (unsigned i = 0; i < bytes; ++i)
        out += static_cast<char>(unit >> 8 * (little ? i : bytes - 1 - i) & 0xFFU);
    };
    constexpr char32_t kBeyond = 0x10000;
    if (name == "utf32") {
      put(c, 4);
    } else if (c < kBeyond) {
      put(c, 2);
    } else if (name == "ucs2") {
      return std::nullopt;
    } else {
      put(0xD800 + ((c - kBeyond) >> 10), 2);
      put(0xDC00 + ((c - kBeyond) & 0x3FF), 2);
    }
    return out;
  }

  std::optional<std::string> by_table(std::string_view character) {
    if (table_.empty()) fill();
    const auto found = table_.find(std::string(character));
    return found == table_.end() ? std::nullopt : std::optional(found->second);
  }

  // Every byte; with every second one where characters have two.
  void fill() {
    constexpr int kBlank = 0x20, kFirst = 0x80, kSecond = 0x30, kLast = 0xFF;
    const bool single = charset_.kind() == CharsetKind::single;
    for (int first = single ? kBlank : kFirst; first <= kLast; ++first) {
      add(std::string(1, static_cast<char>(first)));
      if (charset_.kind() != CharsetKind::multi) continue;
      for (int second = kSecond; second <= kLast; ++second)
        add({static_cast<char>(first), static_cast<char>(second)});
    }
  }
  void add(const std::string& bytes) {
    buffer_.clear();
    if (!charset_.to_utf8(bytes, buffer_)) return;
    const std::string_view text = buffer_.view();
    if (!text.empty() && utf8_length(text) == text.size())
      table_.try_emplace(std::string(text), bytes);
  }

  const Charset& charset_;
  std::map<std::string, std::string> table_;
  TextBuffer buffer_;
};

}  // namespace

std::string as_stored(const Charset& charset, std::string_view label) {
  if (is_plain(label, charset) || charset.kind() == CharsetKind::binary) return std::string(label);
  Encoder encoder(charset);
  std::string out;
  while (!label.empty()) {
    const std::size_t length = std::max<std::size_t>(utf8_length(label), 1);
    const std::string_view character = label.substr(0, length);
    label.remove_prefix(length);
    if (encoder.encode(character) || !encoder.knows_all())
      out += character;
    else
      out += '?';
  }
  return out;
}

Result<std::string> converted(const Cursor& in, std::string_view label, const Charset& from,
                              const Charset& to) {
  const bool same_bytes = is_plain(label, from) && is_plain(label, to);
  if (from.name() == to.name() || same_bytes) return std::string(label);
  const Error unknown = in.error("the bytes of label '" + std::string(label) + "' are not known");
  // It has two of them: its own, and the byte it was if the column was converted before.
  if (from.name() == "sjis" && label.find('\\') != std::string_view::npos) return unknown;
  Encoder encoder(from);
  std::string bytes;
  for (std::string_view left = label; !left.empty();) {
    const std::size_t length = std::max<std::size_t>(utf8_length(left), 1);
    const auto encoded = encoder.encode(left.substr(0, length));
    left.remove_prefix(length);
    if (!encoded) return unknown;
    bytes += *encoded;
  }
  const Error no_text = in.error("the bytes of label '" + std::string(label) + "' are no text of " +
                                 std::string(to.name()));
  if (to.kind() == CharsetKind::binary) {
    if (!is_utf8(bytes)) return no_text;
    return bytes;
  }
  // The servers keep what is no whole character at the end, though they do not show it.
  const std::size_t whole = to.name() == "utf32" ? 4 : 2;
  if (to.kind() == CharsetKind::wide && bytes.size() % whole != 0) return no_text;
  TextBuffer out;
  if (!to.to_utf8(bytes, out)) return no_text;
  return std::string(out.view());
}

}  // namespace sluice::schema::ddl
