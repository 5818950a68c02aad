#include "sluice/config/codec.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "config/digits.h"
#include "config/reader.h"

namespace sluice {
namespace {

using config::digits;

Error invalid(std::string what) {
  return fatal(Errc::config_invalid, std::move(what));
}

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

// Largest first: the first that divides a value is the one it is shown in.
constexpr std::array<Unit, 4> kTimeUnits{
    {{"h", 3'600'000}, {"min", 60'000}, {"s", 1000}, {"ms", 1}}};
constexpr std::array<Unit, 4> kShownSizeUnits{
    {{"GiB", 1U << 30U}, {"MiB", 1U << 20U}, {"KiB", 1U << 10U}, {"", 1}}};
constexpr std::array<Unit, 8> kSizeUnits{{{"GiB", 1U << 30U},
                                          {"MiB", 1U << 20U},
                                          {"KiB", 1U << 10U},
                                          {"GB", 1'000'000'000},
                                          {"MB", 1'000'000},
                                          {"KB", 1000},
                                          {"kB", 1000},
                                          {"B", 1}}};

// "10MB", "10 MB".  Nothing unless it is a whole number and one of the units, and fits.
std::optional<std::uint64_t> quantity(std::string_view text, std::span<const Unit> units) {
  const std::size_t end = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto count = digits<std::uint64_t>(text.substr(0, end));
  text.remove_prefix(end);
  if (text.starts_with(' ')) text.remove_prefix(1);
  const auto unit =
      std::find_if(units.begin(), units.end(), [text](const Unit& u) { return u.name == text; });
  if (!count || unit == units.end()) return std::nullopt;
  if (*count > std::numeric_limits<std::int64_t>::max() / unit->factor) return std::nullopt;
  return *count * unit->factor;
}

std::string show_quantity(std::uint64_t value, std::span<const Unit> units) {
  if (value == 0) return "0";
  const auto unit = std::find_if(units.begin(), units.end(),
                                 [value](const Unit& u) { return value % u.factor == 0; });
  return std::to_string(value / unit->factor).append(unit->name);
}

// The entries of a list, each read as T; nothing when one of them is wrong.
template <class T>
std::optional<std::vector<T>> read_list(const config::Node& node, config::Reader& reader,
                                        const std::string& expected) {
  if (node.kind != config::Node::Kind::list) {
    reader.problem(node.place,
                   expected + " is expected, not " + std::string(config::kind_name(node.kind)));
    return std::nullopt;
  }
  std::vector<T> values;
  for (const auto& item : node.items) {
    if (auto value = config::read_value<T>(*item, reader)) values.push_back(std::move(*value));
  }
  if (values.size() != node.items.size()) return std::nullopt;
  return values;
}

template <class Range, class Text>
std::string show_list(const Range& values, Text text) {
  std::string out = "[";
  for (const auto& value : values) {
    if (out.size() > 1) out += ", ";
    out += text(value);
  }
  return out + "]";
}

}  // namespace

namespace config {

std::string quote(std::string_view text) {
  constexpr std::string_view kFirst = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_/";
  constexpr std::string_view kFurther =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_/0123456789.-";
  // What some YAML reader or other takes for a boolean or nothing.
  constexpr std::array<std::string_view, 9> kWords{"true", "false", "yes", "no",  "on",
                                                   "off",  "y",     "n",   "null"};
  std::string lower(text);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  if (!text.empty() && kFirst.find(text[0]) != std::string_view::npos &&
      text.find_first_not_of(kFurther) == std::string_view::npos &&
      std::find(kWords.begin(), kWords.end(), lower) == kWords.end())
    return std::string(text);

  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
  const bool controls = std::any_of(text.begin(), text.end(), is_control);
  // Backslashes, which patterns are full of, stand for themselves between single quotes.
  const bool single = !controls && text.find_first_of("\\\"") != std::string_view::npos;
  std::string out(1, single ? '\'' : '"');
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (is_control(c)) {
      constexpr std::string_view kHex = "0123456789abcdef";
      const auto byte = static_cast<unsigned char>(c);
      out.append("\\x").append(1, kHex[byte >> 4U]).append(1, kHex[byte & 15U]);
      continue;
    }
    if (text.substr(i, 2) == "${") out += '$';  // see Reader::expand
    if (single && c == '\'') out += '\'';
    if (!single && (c == '"' || c == '\\')) out += '\\';
    out += c;
  }
  return out + (single ? '\'' : '"');
}

std::string quote_list(std::span<const std::string> texts) {
  return show_list(texts, quote);
}

Result<std::size_t> parse_name(Names names, std::string_view text) {
  const auto found = std::find(names.begin(), names.end(), text);
  if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
  return invalid(quote(text) + " is not one of " + join_names(names));
}

std::string join_names(Names names) {
  std::string out;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) out += i + 1 == names.size() ? " or " : ", ";
    out += names[i];
  }
  return out;
}

}  // namespace config

Result<bool> Codec<bool>::parse(std::string_view text) {
  // YAML 1.1 has more words for it, and people know them.
  constexpr std::array<std::string_view, 9> kTrue{"true", "True", "TRUE", "yes", "Yes",
                                                  "YES",  "on",   "On",   "ON"};
  constexpr std::array<std::string_view, 9> kFalse{"false", "False", "FALSE", "no", "No",
                                                   "NO",    "off",   "Off",   "OFF"};
  if (std::find(kTrue.begin(), kTrue.end(), text) != kTrue.end()) return true;
  if (std::find(kFalse.begin(), kFalse.end(), text) != kFalse.end()) return false;
  return invalid(config::quote(text) + " is neither true nor false");
}

Result<std::uint32_t> Codec<std::uint32_t>::parse(std::string_view text) {
  if (const auto value = digits<std::uint32_t>(text)) return *value;
  return invalid(config::quote(text) + " is not a whole number from 0 to 4294967295");
}

Result<ByteSize> Codec<ByteSize>::parse(std::string_view text) {
  if (const auto plain = quantity(text, {&kShownSizeUnits.back(), 1})) return ByteSize{*plain};
  if (const auto bytes = quantity(text, kSizeUnits)) return ByteSize{*bytes};
  return invalid(config::quote(text) +
                 " is not a size; write bytes, or a whole number with KiB, MiB, GiB, KB, MB or GB");
}

std::string Codec<ByteSize>::yaml(ByteSize value) {
  return show_quantity(value.bytes(), kShownSizeUnits);
}

Result<Duration> Codec<Duration>::parse(std::string_view text) {
  if (text == "0") return Duration{0};
  if (const auto ms = quantity(text, kTimeUnits)) return Duration{static_cast<std::int64_t>(*ms)};
  if (digits<std::uint64_t>(text))
    return invalid(std::string(text) + " has no unit; write " + std::string(text) +
                   "ms, s, min or h");
  return invalid(config::quote(text) +
                 " is not a duration; write a whole number with ms, s, min or h, such as 30s");
}

std::string Codec<Duration>::yaml(Duration value) {
  return show_quantity(static_cast<std::uint64_t>(value.count()), kTimeUnits);
}

std::string TimeZoneOffset::to_string() const {
  const int distance = minutes_ < 0 ? -minutes_ : minutes_;
  std::string out(1, minutes_ < 0 ? '-' : '+');
  for (const int part : {distance / 60, distance % 60}) {
    if (out.size() > 1) out += ':';
    out += static_cast<char>('0' + part / 10);
    out += static_cast<char>('0' + part % 10);
  }
  return out;
}

Result<TimeZoneOffset> Codec<TimeZoneOffset>::parse(std::string_view text) {
  constexpr int kFarthest = 14 * 60;
  const bool formed = text.size() == 6 && (text[0] == '+' || text[0] == '-') && text[3] == ':';
  const auto hours = formed ? digits<std::uint32_t>(text.substr(1, 2)) : std::nullopt;
  const auto minutes = formed ? digits<std::uint32_t>(text.substr(4, 2)) : std::nullopt;
  if (!hours || !minutes || *minutes > 59)
    return invalid(config::quote(text) + " is not an offset such as +00:00 or -03:30");
  const int distance = static_cast<int>(*hours * 60 + *minutes);
  if (distance > kFarthest) return invalid(std::string(text) + " is outside -14:00..+14:00");
  return TimeZoneOffset{std::chrono::minutes{text[0] == '-' ? -distance : distance}};
}

std::string Codec<PatternList>::yaml(const PatternList& value) {
  return show_list(value, [](const Pattern& pattern) { return config::quote(pattern.text()); });
}

std::optional<PatternList> Codec<PatternList>::read(const config::Node& node,
                                                    config::Reader& reader) {
  if (node.kind == config::Node::Kind::scalar) {  // as canal has them: commas between them
    const auto text = config::scalar_text(node, reader, type());
    if (!text) return std::nullopt;
    auto patterns = Pattern::compile_list(*text);
    if (patterns) return PatternList(std::move(patterns).value());
    reader.problem(node.place, patterns.error().what);
    return std::nullopt;
  }
  auto patterns = read_list<Pattern>(node, reader, type());
  if (!patterns) return std::nullopt;
  return PatternList(std::move(*patterns));
}

std::string Codec<std::vector<std::string>>::yaml(const std::vector<std::string>& value) {
  return config::quote_list(value);
}

std::optional<std::vector<std::string>> Codec<std::vector<std::string>>::read(
    const config::Node& node, config::Reader& reader) {
  return read_list<std::string>(node, reader, type());
}

std::string HostPort::to_string(std::uint32_t port_unless_said) const {
  const std::uint32_t shown = port != 0 ? port : port_unless_said;
  const bool brackets = host.find(':') != std::string::npos;
  std::string out = brackets ? "[" + host + "]" : host;
  if (shown != 0) out += ":" + std::to_string(shown);
  return out;
}

std::vector<HostPort> all_hosts(const std::string& host, std::uint32_t port,
                                const std::vector<HostPort>& hosts) {
  if (hosts.empty()) return {HostPort{host, port}};
  std::vector<HostPort> out = hosts;
  for (HostPort& h : out)
    if (h.port == 0) h.port = port;
  return out;
}

Result<HostPort> Codec<HostPort>::parse(std::string_view text) {
  const Error wrong = invalid(config::quote(text) + " is not " + type() +
                              " (an IPv6 address in brackets: [fd00::7]:3306)");
  HostPort out;
  std::string_view rest;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return wrong;
    out.host = text.substr(1, end - 1);
    rest = text.substr(end + 1);
  } else {
    const std::size_t colon = text.find(':');
    out.host = text.substr(0, colon);
    if (colon != std::string_view::npos) rest = text.substr(colon);
  }
  if (out.host.empty() || out.host.find_first_of(" \t/@") != std::string::npos) return wrong;
  if (rest.empty()) return out;
  const auto port = digits<std::uint32_t>(rest.substr(1));
  if (rest.front() != ':' || !port || *port == 0 || *port > 65535) return wrong;
  out.port = *port;
  return out;
}

std::string Codec<std::vector<HostPort>>::yaml(const std::vector<HostPort>& value) {
  return show_list(value, Codec<HostPort>::yaml);
}

std::optional<std::vector<HostPort>> Codec<std::vector<HostPort>>::read(const config::Node& node,
                                                                        config::Reader& reader) {
  return read_list<HostPort>(node, reader, type());
}

}  // namespace sluice
