#include "sluice/base/charset.h"

#include <algorithm>
#include <array>
#include <deque>

#include "base/charset_decode.h"

namespace sluice {
namespace {

using charset_tables::multi_byte;
using charset_tables::single_byte;

unsigned multi_max_bytes(std::string_view name) noexcept {
  if (name == "gb18030") return 4;
  return name == "ujis" || name == "eucjpms" ? 3 : 2;
}

struct Registry {
  std::deque<Charset::Table> tables;
  std::deque<Charset> sets;

  Registry() {
    sets.emplace_back("utf8mb4", CharsetKind::utf8, 4U, nullptr, false);
    sets.emplace_back("binary", CharsetKind::binary, 1U, nullptr, false);
    sets.emplace_back("utf8mb3", CharsetKind::utf8, 3U, nullptr, false);
    sets.emplace_back("ascii", CharsetKind::utf8, 1U, nullptr, true);
    sets.emplace_back("ucs2", CharsetKind::wide, 2U, nullptr, false);
    sets.emplace_back("utf16", CharsetKind::wide, 4U, nullptr, false);
    sets.emplace_back("utf16le", CharsetKind::wide, 4U, nullptr, false);
    sets.emplace_back("utf32", CharsetKind::wide, 4U, nullptr, false);
    for (const auto& s : single_byte) {
      tables.emplace_back().single = &s;
      sets.emplace_back(s.name, CharsetKind::single, 1U, &tables.back(), false);
    }
    for (const auto& m : multi_byte) {
      tables.emplace_back().multi_source = &m;
      sets.emplace_back(m.name, CharsetKind::multi, multi_max_bytes(m.name), &tables.back(), false);
    }
  }
};

const Registry& registry() {
  static const Registry r;
  return r;
}

bool single_to_utf8(const std::array<char16_t, 256>& characters, std::string_view bytes,
                    TextBuffer& out) {
  bool ok = true;
  char* to = out.room(bytes.size() * 3);
  for (const char c : bytes) {
    const char16_t u = characters[static_cast<unsigned char>(c)];
    ok = ok && u != 0xFFFD;
    to = write_utf8(to, u);
  }
  out.commit_to(to);
  return ok;
}

bool utf8_to_utf8(std::string_view bytes, bool ascii_only, TextBuffer& out) {
  if (!ascii_only && is_utf8(bytes)) {
    out.append(bytes);
    return true;
  }
  bool ok = true;
  while (!bytes.empty()) {
    const std::size_t n = utf8_length(bytes);
    if (n == 0 || (ascii_only && n != 1)) {
      append_replacements(out, 1);
      ok = false;
    } else {
      out.append(bytes.substr(0, n));
    }
    bytes.remove_prefix(std::max<std::size_t>(ascii_only ? 1 : n, 1));
  }
  return ok;
}

// ucs2, utf16 (big-endian), utf16le, utf32.
bool wide_to_utf8(std::string_view name, std::string_view bytes, TextBuffer& out) {
  bool ok = true;
  const std::size_t unit = name == "utf32" ? 4 : 2;
  const bool little = name == "utf16le";
  const auto read = [&](std::size_t at) {
    char32_t v = 0;
    for (std::size_t i = 0; i < unit; ++i)
      v = v << 8 | static_cast<unsigned char>(bytes[at + (little ? unit - 1 - i : i)]);
    return v;
  };
  std::size_t at = 0;
  while (bytes.size() - at >= unit) {
    char32_t c = read(at);
    std::size_t used = unit;
    if (unit == 2 && name != "ucs2" && c >= 0xD800 && c < 0xDC00 && bytes.size() - at >= 4) {
      const char32_t low = read(at + 2);
      if (low >= 0xDC00 && low < 0xE000) {
        c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
        used = 4;
      }
    }
    if (c > 0x10FFFF || (c >= 0xD800 && c < 0xE000)) {
      append_replacements(out, unit);
      ok = false;
    } else {
      out.commit_to(write_utf8(out.room(4), c));
    }
    at += used;
  }
  append_replacements(out, bytes.size() - at);
  return ok && at == bytes.size();
}

}  // namespace

void append_replacements(TextBuffer& out, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) out.append(kReplacementCharacter);
}

void append_latin1_as_utf8(std::string_view bytes, TextBuffer& out) {
  char* to = out.room(bytes.size() * 2);
  for (const char c : bytes) to = write_utf8(to, static_cast<unsigned char>(c));
  out.commit_to(to);
}

bool is_utf8(std::string_view s) noexcept {
  while (!s.empty()) {
    // Eight ASCII bytes at a time.
    std::uint64_t eight = 0;
    while (s.size() >= 8) {
      std::memcpy(&eight, s.data(), 8);
      if ((eight & 0x8080808080808080) != 0) break;
      s.remove_prefix(8);
    }
    if (s.empty()) break;
    const std::size_t n = utf8_length(s);
    if (n == 0) return false;
    s.remove_prefix(n);
  }
  return true;
}

Charset::Charset(std::string_view name, CharsetKind kind, unsigned max_bytes, const Table* table,
                 bool ascii_only)
    : name_(name),
      table_(table),
      kind_(kind),
      max_bytes_(static_cast<std::uint8_t>(max_bytes)),
      ascii_only_(ascii_only) {}

const Charset* Charset::by_name(std::string_view name) {
  if (name == "utf8") name = "utf8mb3";
  for (const Charset& c : registry().sets)
    if (c.name() == name) return &c;
  return nullptr;
}

const Charset* Charset::by_collation(std::uint32_t collation_id) {
  // MariaDB's UCA 14 collations carry the character set in their id (MariaDB:
  // strings/ctype-uca1400.h).
  if (collation_id >= 2048 && collation_id < 4096) {
    constexpr std::array<std::string_view, 5> kUca14 = {"utf8mb3", "utf8mb4", "ucs2", "utf16",
                                                        "utf32"};
    const std::size_t which = collation_id >> 8 & 7;
    return which < kUca14.size() ? by_name(kUca14[which]) : nullptr;
  }
  const auto ranges = charset_tables::collations();
  const auto it = std::lower_bound(
      ranges.begin(), ranges.end(), collation_id,
      [](const charset_tables::CollationRange& r, std::uint32_t id) { return r.last < id; });
  return it != ranges.end() && it->first <= collation_id ? by_name(it->charset) : nullptr;
}

const Charset& Charset::utf8mb4() {
  return registry().sets[0];
}
const Charset& Charset::binary() {
  return registry().sets[1];
}

Status Charset::prepare() const {
  if (kind_ == CharsetKind::multi && table_->multi_table() == nullptr)
    return fatal(Errc::binlog_unsupported,
                 "the C library on this machine cannot convert character set " +
                     std::string(name_) + ": install its gconv modules");
  return {};
}

bool Charset::to_utf8(std::string_view bytes, TextBuffer& out) const {
  switch (kind_) {
    case CharsetKind::utf8: return utf8_to_utf8(bytes, ascii_only_, out);
    case CharsetKind::binary: append_latin1_as_utf8(bytes, out); return true;
    case CharsetKind::single: return single_to_utf8(table_->single->characters, bytes, out);
    case CharsetKind::wide: return wide_to_utf8(name_, bytes, out);
    case CharsetKind::multi: break;
  }
  const MultiByteTable* table = table_->multi_table();
  if (table != nullptr) return table->to_utf8(bytes, out);
  append_replacements(out, bytes.size());
  return bytes.empty();
}

}  // namespace sluice
