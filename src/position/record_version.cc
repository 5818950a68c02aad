#include "record_version.h"

#include <string>

namespace sluice::position {

Error damaged_record(std::string_view what, std::string_view problem) {
  return fatal(Errc::position_damaged, std::string(what) + ": " + std::string(problem));
}

Status check_record_version(std::string_view what, Members& members) {
  constexpr std::uint64_t kVersion = 1;
  const std::uint64_t version = members.u64("v");
  if (!members.problem().empty()) return damaged_record(what, members.problem());
  if (version > kVersion)
    return fatal(Errc::position_mismatch,
                 std::string(what) + ": format version " + std::to_string(version) +
                     ", this program knows up to " + std::to_string(kVersion));
  if (version == 0) return damaged_record(what, "format version 0");
  return {};
}

}  // namespace sluice::position
