#pragma once
// The types of option values that carry a unit or a meaning of their own.  All are values: they
// copy and compare.
#include <chrono>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/base/result.h"

namespace sluice {

// "30s", "100ms", "10min", "1h" in the file.
using Duration = std::chrono::milliseconds;

// So that options.h may say 10s, 100ms, 10min, 1h without a using-directive.
using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;
using std::chrono_literals::operator""min;
using std::chrono_literals::operator""h;

// A number of bytes: "1MiB", "64KiB", "10MB" or plain bytes in the file.
class ByteSize {
 public:
  constexpr ByteSize() = default;
  constexpr explicit ByteSize(std::uint64_t bytes) noexcept : bytes_(bytes) {}
  constexpr std::uint64_t bytes() const noexcept { return bytes_; }
  friend constexpr auto operator<=>(const ByteSize&, const ByteSize&) = default;

 private:
  std::uint64_t bytes_ = 0;
};

constexpr ByteSize operator""_KiB(unsigned long long n) noexcept {
  return ByteSize{n << 10U};
}
constexpr ByteSize operator""_MiB(unsigned long long n) noexcept {
  return ByteSize{n << 20U};
}

// A fixed distance from UTC, -14:00 to +14:00, whole minutes: "+00:00", "-03:30" in the file.
class TimeZoneOffset {
 public:
  constexpr TimeZoneOffset() = default;
  constexpr explicit TimeZoneOffset(std::chrono::minutes east_of_utc) noexcept
      : minutes_(static_cast<std::int32_t>(east_of_utc.count())) {}
  // Seconds to add to UTC.
  constexpr std::int32_t seconds() const noexcept { return minutes_ * 60; }
  // "+00:00", "-03:30"
  std::string to_string() const;
  friend constexpr bool operator==(const TimeZoneOffset&, const TimeZoneOffset&) = default;

 private:
  std::int32_t minutes_ = 0;
};

// Seconds since the epoch, UTC, of "2026-01-31 12:00:00" (or with a T, or a Z at its end) and of
// "1769860800".  Errors: fatal/config_invalid.
Result<std::int64_t> parse_utc_time(std::string_view text);
// "2026-01-31 12:00:00"
std::string utc_time_text(std::int64_t seconds);

// A server's address: "db1", "db1:3306", "10.0.0.7:3306", "[fd00::7]:3306" in the file.
struct HostPort {
  std::string host;
  std::uint32_t port = 0;  // 0: not said
  // "db1:3306"; `port` where this one says none.
  std::string to_string(std::uint32_t port_unless_said) const;
  friend bool operator==(const HostPort&, const HostPort&) = default;
};
// What host, port and hosts of a section say together: `hosts`, each with its port or `port`;
// without any, `host`.
std::vector<HostPort> all_hosts(const std::string& host, std::uint32_t port,
                                const std::vector<HostPort>& hosts);

// Where the very first start begins.
struct StartPosition {
  enum class Kind : std::uint8_t { latest, earliest, position, gtid, timestamp };
  Kind kind = Kind::latest;
  std::string file;          // position: "binlog.000003"
  std::uint64_t pos = 0;     // position: byte offset in that file
  std::string gtid_set;      // gtid: of either server family, as written; not looked into yet
  std::int64_t seconds = 0;  // timestamp: since the epoch, UTC
  friend bool operator==(const StartPosition&, const StartPosition&) = default;
};

// Which columns of a table are shown: those of `include` (all, when it is empty) without those of
// `exclude`.
struct ColumnChoice {
  std::vector<std::string> include, exclude;
  friend bool operator==(const ColumnChoice&, const ColumnChoice&) = default;
};

// What is shown instead of a column's values: "sha256", "null", "fixed 'x'" in the file.
struct Mask {
  enum class Kind : std::uint8_t { sha256, null, fixed };
  std::string column;
  Kind kind = Kind::null;
  std::string text;  // fixed
  friend bool operator==(const Mask&, const Mask&) = default;
};
using MaskList = std::vector<Mask>;  // in the order of the file

// What stands in Redis for NULL: "omit" (nothing), "empty", "fixed 'x'" in the file.
struct NullText {
  enum class Kind : std::uint8_t { omit, empty, fixed };
  Kind kind = Kind::omit;
  std::string text;  // fixed
  friend bool operator==(const NullText&, const NullText&) = default;
};

// A file that is a part of the configuration.
struct ScriptFile {
  std::string path;  // as given; empty: none
  std::string text;  // what it held when the configuration was read
  bool empty() const noexcept { return path.empty(); }
  friend bool operator==(const ScriptFile&, const ScriptFile&) = default;
};

// Which changes of rows are taken.
struct Operations {
  bool insert = true, update = true, remove = true;  // remove: "delete" in the file
  friend bool operator==(const Operations&, const Operations&) = default;
};

// The name that rows of a table go by; \1 stands for what the first parentheses of the table's
// pattern fit.  Empty: the table's own.
struct LogicalTable {
  std::string database, table;
  bool empty() const noexcept { return database.empty() && table.empty(); }
  friend bool operator==(const LogicalTable&, const LogicalTable&) = default;
};

}  // namespace sluice
