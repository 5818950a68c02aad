#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "sluice/base/result.h"

namespace sluice {

// A place between two events of a binlog: file name and byte offset (64 bit; the header's 32-bit
// log_pos is widened before it gets here).
struct BinlogPosition {
  std::string file;
  std::uint64_t pos = 0;

  // "binlog.000003:1234"
  std::string to_string() const;
  // Reads "binlog.000003:1234".  Errors: fatal/usage with what is expected.
  static Result<BinlogPosition> parse(std::string_view text);
  friend bool operator==(const BinlogPosition&, const BinlogPosition&) = default;
};

// COM_BINLOG_DUMP takes 32 bits: no dump begins beyond.
constexpr std::uint64_t kLargestDumpPosition = 0xFFFFFFFF;

// A binlog file name is BASE.NUMBER; files are ordered by the number, never by the text
// ("binlog.1000000" follows "binlog.999999").
struct BinlogFileName {
  std::string_view base;     // views into the name parsed
  std::uint64_t number = 0;  // 1...
  // Errors: fatal/binlog_malformed for a name without a numeric suffix.
  static Result<BinlogFileName> parse(std::string_view name);
};

// The name of the file with that number, beside `sibling` (which is returned when it is no name).
std::string binlog_file_beside(const std::string& sibling, std::uint64_t number);

}  // namespace sluice
