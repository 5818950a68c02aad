#pragma once
// What state file and applied records share: JSON objects whose members are checked one by one.
#include <cstdint>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "sluice/base/result.h"

namespace sluice::position {

using Json = nlohmann::json;

// Names of files and GTID sets are bytes of the server, mostly ASCII.  In JSON each byte is the
// character of that number (ISO-8859-1), so that any byte comes back as it was.
std::string text_of_bytes(std::string_view bytes);

// Reads members of a JSON object; the first one that is missing or not what it should be is kept as
// problem().
class Members {
 public:
  // `object` must outlive this.
  explicit Members(const Json& object);
  std::string text(const char* name);
  std::uint64_t u64(const char* name, std::uint64_t max = UINT64_MAX);
  std::uint32_t u32(const char* name) { return static_cast<std::uint32_t>(u64(name, UINT32_MAX)); }
  std::int64_t i64(const char* name);
  // An empty object / array when it is missing: its own members are missed then.
  const Json& object(const char* name);
  const Json& array(const char* name);
  // Takes over a problem found in an inner object.
  void note(std::string_view where, const std::string& problem);
  // Empty: all was well.
  const std::string& problem() const noexcept { return problem_; }

 private:
  const Json* find(const char* name);
  const Json& object_;
  std::string problem_;
};

}  // namespace sluice::position
