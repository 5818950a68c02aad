#include "sluice/config/show.h"

namespace sluice {
namespace {

void print_section(const Section& section, const std::string& indent, std::string& out);

void print_list(const SectionListBase& list, const std::string& indent, std::string& out) {
  out += indent + std::string(list.name()) + (list.size() == 0 ? ": []\n" : ":\n");
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::size_t dash = out.size() + indent.size() + 2;
    print_section(list.at(i), indent + "    ", out);
    out[dash] = '-';
  }
}

void print_section(const Section& section, const std::string& indent, std::string& out) {
  section.each([&](const auto& member) {
    using Member = std::remove_cvref_t<decltype(member)>;
    if constexpr (std::is_same_v<Member, OptionBase>) {
      out += indent + std::string(member.name()) + ": " + member.yaml() + "\n";
    } else if constexpr (std::is_same_v<Member, Section>) {
      out += indent + std::string(member.name()) + ":\n";
      print_section(member, indent + "  ", out);
    } else {
      print_list(member, indent, out);
    }
  });
}

}  // namespace

std::string print_effective(const Options& options) {
  std::string out;
  print_section(options, "", out);
  return out;
}

}  // namespace sluice
