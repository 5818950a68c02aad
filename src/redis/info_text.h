#pragma once
#include <algorithm>
#include <string_view>
#include <vector>

#include "sluice/redis/connection.h"

namespace sluice::redis {

// The value of "name:value" in a text of INFO; "" when it is not there.
inline std::string_view info_value(std::string_view info, std::string_view name) {
  while (!info.empty()) {
    const auto end = std::min(info.find("\r\n"), info.size());
    const std::string_view line = info.substr(0, end);
    if (line.size() > name.size() && line.starts_with(name) && line[name.size()] == ':')
      return line.substr(name.size() + 1);
    info.remove_prefix(std::min(end + 2, info.size()));
  }
  return {};
}

// The value behind a name in [name, value, name, value ...]; "" when it is not there.
inline std::string_view value_of(const std::vector<Reply>& pairs, std::string_view name) {
  for (std::size_t i = 0; i + 1 < pairs.size(); i += 2)
    if (pairs[i].text == name) return pairs[i + 1].text;
  return {};
}

}  // namespace sluice::redis
