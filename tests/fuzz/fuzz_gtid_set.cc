// Any text as a GTID set of either family: what is read is written in a form that reads back as the
// same set.
#include <cstdint>
#include <string_view>

#include "sluice/model/gtid.h"

#include "fuzz/require.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using sluice::GtidSet;
  using sluice::fuzz::require;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)sluice::parse_uuid(text).ok();
  const auto set = GtidSet::parse_any(text);
  if (!set.ok()) return 0;
  const auto back = GtidSet::parse(set->flavor(), set->to_string());
  require(back.ok() && *back == *set);
  require(set->contains(*back));
  GtidSet sum(set->flavor());
  sum.add(*set);
  sum.add(*back);
  require(sum == *set);
  require(sum.empty() == set->to_string().empty());
  return 0;
}
