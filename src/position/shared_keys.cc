#include "sluice/position/shared_keys.h"

#include "json_members.h"
#include "record_version.h"

namespace sluice::position {
namespace {

std::string key(std::string_view instance, std::string_view name) {
  return "sluice:" + std::string(instance) + ":" + std::string(name);
}

}  // namespace

std::string layout_key(std::string_view instance) {
  return key(instance, "layout");
}
std::string members_key(std::string_view instance) {
  return key(instance, "members");
}

std::string mirror_key(std::string_view instance) {
  return key(instance, "mirror");
}

std::string emptied_key(std::string_view instance) {
  return key(instance, "emptied");
}

std::string encode(const Layout& layout) {
  return Json{{"v", 1}, {"partitions", layout.partitions}, {"fingerprint", layout.fingerprint}}
      .dump();
}

Result<Layout> parse_layout(std::string_view text) {
  constexpr std::string_view kWhat = "layout record";
  const Json json = Json::parse(text, nullptr, false);
  Members m(json);
  SLUICE_TRY(check_record_version(kWhat, m));
  Layout out{m.u32("partitions"), m.text("fingerprint")};
  if (!m.problem().empty()) return damaged_record(kWhat, m.problem());
  if (out.partitions == 0) return damaged_record(kWhat, "no partitions");
  return out;
}

}  // namespace sluice::position
