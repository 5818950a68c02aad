// source.start: the codec, and the times that may stand in it.
#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <limits>
#include <optional>

#include "sluice/config/codec.h"

#include "config/digits.h"
#include "config/reader.h"

namespace sluice {
namespace {

using config::digits;

constexpr std::uint64_t kFirstPosition = 4;  // events begin behind the four magic bytes
constexpr std::string_view kFileExpected = "file is a binlog's name, such as binlog.000003";
constexpr std::string_view kPosExpected = "pos is a whole number, 4 or more";
constexpr std::string_view kGtidExpected =
    "gtid is a GTID set, such as \"3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5\" or \"0-1-100\"";

// "binlog.000003"
bool is_binlog_name(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  return dot != std::string_view::npos && dot > 0 &&
         digits<std::uint64_t>(name.substr(dot + 1)).has_value();
}

// No more than the characters: what it means depends on the server.
bool may_be_gtid_set(std::string_view text) {
  constexpr std::string_view kAllowed =
      "0123456789abcdefghijklmnopqrstuvwxyz_ABCDEFGHIJKLMNOPQRSTUVWXYZ"
      "-:, \t\r\n";
  return text.find_first_not_of(kAllowed) == std::string_view::npos;
}

// "latest", "earliest", and "FILE:POS" as the log prints positions.
std::optional<StartPosition> parse_start(std::string_view text) {
  StartPosition start;
  if (text == "latest") return start;
  if (text == "earliest") {
    start.kind = StartPosition::Kind::earliest;
    return start;
  }
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto pos = digits<std::uint64_t>(text.substr(colon + 1));
  if (!is_binlog_name(text.substr(0, colon)) || !pos || *pos < kFirstPosition) return std::nullopt;
  start.kind = StartPosition::Kind::position;
  start.file = text.substr(0, colon);
  start.pos = *pos;
  return start;
}

// One entry of the map: fills `start`, notes what is wrong with it.
void read_entry(std::string_view key, const config::Node& value, config::Reader& reader,
                StartPosition& start) {
  const std::string_view expected = key == "file"   ? kFileExpected
                                    : key == "pos"  ? kPosExpected
                                    : key == "gtid" ? kGtidExpected
                                                    : "timestamp is a time";
  const auto text = config::scalar_text(value, reader, expected);
  if (!text) return;
  if (key == "file") {
    if (!is_binlog_name(*text)) reader.problem(value.place, std::string(expected));
    start.file = *text;
  } else if (key == "pos") {
    const auto pos = digits<std::uint64_t>(*text);
    if (!pos || *pos < kFirstPosition) reader.problem(value.place, std::string(expected));
    start.pos = pos.value_or(0);
  } else if (key == "gtid") {
    if (!may_be_gtid_set(*text)) reader.problem(value.place, std::string(expected));
    start.gtid_set = *text;
  } else {
    const auto seconds = parse_utc_time(*text);
    if (!seconds) reader.problem(value.place, seconds.error().what);
    if (seconds) start.seconds = *seconds;
  }
}

}  // namespace

Result<std::int64_t> parse_utc_time(std::string_view text) {
  using std::chrono::day;
  using std::chrono::month;
  using std::chrono::year;
  const Error bad =
      fatal(Errc::config_invalid,
            config::quote(text.substr(0, 100)) +
                " is not a time: \"2026-01-31 12:00:00\" (UTC) or seconds since 1970");
  // The binlog's own times have 32 bits.
  constexpr std::int64_t kMost = std::numeric_limits<std::uint32_t>::max();
  if (const auto seconds = digits<std::uint32_t>(text)) return std::int64_t{*seconds};
  if (text.ends_with('Z')) text.remove_suffix(1);
  constexpr std::string_view kShape = "dddd-dd-dd dd:dd:dd";
  if (text.size() != kShape.size()) return bad;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool fits = kShape[i] == 'd'   ? text[i] >= '0' && text[i] <= '9'
                      : kShape[i] == ' ' ? text[i] == ' ' || text[i] == 'T'
                                         : text[i] == kShape[i];
    if (!fits) return bad;
  }
  const auto part = [text](std::size_t at, std::size_t size) {
    return digits<unsigned>(text.substr(at, size)).value_or(0);
  };
  const std::chrono::year_month_day date{year{static_cast<int>(part(0, 4))}, month{part(5, 2)},
                                         day{part(8, 2)}};
  const unsigned hour = part(11, 2), minute = part(14, 2), second = part(17, 2);
  if (!date.ok() || hour > 23 || minute > 59 || second > 59) return bad;
  const std::int64_t seconds =
      std::chrono::seconds(std::chrono::sys_days(date).time_since_epoch() +
                           std::chrono::hours(hour) + std::chrono::minutes(minute))
          .count() +
      second;
  if (seconds < 0 || seconds > kMost) return bad;
  return seconds;
}

std::string utc_time_text(std::int64_t seconds) {
  const std::chrono::sys_seconds at{std::chrono::seconds(seconds)};
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss time{at - day};
  std::array<char, 64> out{};
  std::snprintf(out.data(), out.size(), "%04d-%02u-%02u %02d:%02d:%02d",
                static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()), static_cast<int>(time.hours().count()),
                static_cast<int>(time.minutes().count()), static_cast<int>(time.seconds().count()));
  return out.data();
}

std::string Codec<StartPosition>::yaml(const StartPosition& value) {
  switch (value.kind) {
    case StartPosition::Kind::latest: return "latest";
    case StartPosition::Kind::earliest: return "earliest";
    case StartPosition::Kind::gtid: return "{gtid: " + config::quote(value.gtid_set) + "}";
    case StartPosition::Kind::timestamp:
      return "{timestamp: \"" + utc_time_text(value.seconds) + "\"}";
    case StartPosition::Kind::position: break;
  }
  return "{file: " + config::quote(value.file) + ", pos: " + std::to_string(value.pos) + "}";
}

std::optional<StartPosition> Codec<StartPosition>::read(const config::Node& node,
                                                        config::Reader& reader) {
  if (node.kind != config::Node::Kind::map) {
    const auto text = config::scalar_text(node, reader, type());
    if (!text) return std::nullopt;
    auto start = parse_start(*text);
    if (!start) reader.problem(node.place, config::quote(*text) + " is not " + type());
    return start;
  }
  const std::array<std::string, 4> names{"file", "pos", "gtid", "timestamp"};
  StartPosition start;
  const std::size_t before = reader.problems.size();
  std::array<bool, names.size()> given{};
  for (const auto& [key, value] : node.entries) {
    const auto name = std::find(names.begin(), names.end(), key->text);
    if (name == names.end()) {
      reader.unknown_key(*key, names);
      continue;
    }
    given[static_cast<std::size_t>(name - names.begin())] = true;
    read_entry(key->text, *value, reader, start);
  }
  const auto [file, pos, gtid, timestamp] = given;
  if ((file || pos) + gtid + timestamp > 1) {
    reader.problem(node.place, "file and pos, gtid, or timestamp: one of the three");
  } else if (gtid || timestamp) {
    start.kind = gtid ? StartPosition::Kind::gtid : StartPosition::Kind::timestamp;
  } else {
    start.kind = StartPosition::Kind::position;
    if (!file) reader.problem(node.place, "file is missing");
    if (!pos) reader.problem(node.place, "pos is missing");
  }
  if (reader.problems.size() != before) return std::nullopt;
  return start;
}

}  // namespace sluice
