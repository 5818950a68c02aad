#pragma once
#include <cstdint>
#include <string_view>

namespace sluice {

// Which server family writes the binlog: event numbers, GTIDs and a few commands differ.
enum class Flavor : std::uint8_t { mysql, mariadb };

constexpr std::string_view flavor_name(Flavor f) noexcept {
  return f == Flavor::mysql ? "mysql" : "mariadb";
}

}  // namespace sluice
