#include "sluice/model/binlog_position.h"

#include <array>
#include <charconv>
#include <cstdio>

namespace sluice {

std::string BinlogPosition::to_string() const {
  return file + ":" + std::to_string(pos);
}

Result<BinlogPosition> BinlogPosition::parse(std::string_view text) {
  const auto colon = text.rfind(':');
  BinlogPosition p;
  if (colon != std::string_view::npos && colon > 0) {
    const auto digits = text.substr(colon + 1);
    const auto [end, err] = std::from_chars(digits.data(), digits.data() + digits.size(), p.pos);
    p.file = text.substr(0, colon);
    if (err == std::errc{} && end == digits.data() + digits.size() && !digits.empty() &&
        BinlogFileName::parse(p.file).ok())
      return p;
  }
  return fatal(Errc::usage,
               "\"" + std::string(text) +
                   "\" is not a binlog position: FILE:POS, for example binlog.000003:1234");
}

Result<BinlogFileName> BinlogFileName::parse(std::string_view name) {
  BinlogFileName out;
  const auto dot = name.rfind('.');
  if (dot != std::string_view::npos && dot > 0) {
    const auto digits = name.substr(dot + 1);
    const auto [end, err] =
        std::from_chars(digits.data(), digits.data() + digits.size(), out.number);
    out.base = name.substr(0, dot);
    if (err == std::errc{} && end == digits.data() + digits.size() && !digits.empty()) return out;
  }
  return fatal(Errc::binlog_malformed,
               "\"" + std::string(name) + "\" is not a binlog file name: BASE.NUMBER expected");
}

std::string binlog_file_beside(const std::string& sibling, std::uint64_t number) {
  const auto name = BinlogFileName::parse(sibling);
  if (!name) return sibling;
  std::array<char, 24> digits{};
  const int n = std::snprintf(digits.data(), digits.size(), "%06llu",
                              static_cast<unsigned long long>(number));
  return std::string(name->base) + "." + std::string(digits.data(), static_cast<std::size_t>(n));
}

}  // namespace sluice
