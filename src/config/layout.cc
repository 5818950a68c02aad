#include <algorithm>
#include <array>
#include <type_traits>
#include <vector>

#include "sluice/base/hash.h"
#include "sluice/base/sha256.h"
#include "sluice/config/show.h"

namespace sluice {
namespace {

// The text that is hashed.  Grammar: a version line, then per item  NAME SP LENGTH ":" TEXT LF ;
// lengths keep texts apart whatever they hold.  Do not touch: a changed text makes every running
// installation drain its queues.
class Canonical {
 public:
  void add(std::string_view name, std::string_view text) {
    text_.append(name)
        .append(" ")
        .append(std::to_string(text.size()))
        .append(":")
        .append(text)
        .append("\n");
  }
  const std::string& text() const noexcept { return text_; }

 private:
  std::string text_ = "sluice layout 1\n";
};

// Any one of them has to fit, so neither order nor repetition means anything.
void add_set(Canonical& canonical, std::string_view name, const PatternList& patterns) {
  std::vector<std::string> texts;
  for (const Pattern& pattern : patterns) texts.push_back(pattern.text());
  std::sort(texts.begin(), texts.end());
  texts.erase(std::unique(texts.begin(), texts.end()), texts.end());
  for (const std::string& text : texts) canonical.add(name, text);
}

// What is as it always was has no item, so that its layout is the same as before there was a
// choice.
void add_rules(Canonical& canonical, const TableOptions& table) {
  const auto add = [&canonical](std::string_view name, const std::string& text) {
    if (!text.empty()) canonical.add(name, text);
  };
  add("logical_database", table.logical().database);
  add("logical_table", table.logical().table);
  if (table.operations() != Operations())
    add("operations", Codec<Operations>::yaml(table.operations()));
  add("when", table.when().text());
  const auto add_columns = [&canonical](std::string_view name, std::vector<std::string> columns) {
    std::sort(columns.begin(), columns.end());
    for (const std::string& column : columns) canonical.add(name, column);
  };
  add_columns("column", table.columns().include);
  add_columns("no_column", table.columns().exclude);
  for (const Mask& mask : table.mask()) add("mask", Codec<MaskList>::yaml({mask}));
  // Its hash's hash: the fingerprint is no secret.
  if (!table.mask().empty() && !table.mask_salt().empty()) {
    const auto hash = Sha256().update(table.mask_salt().reveal()).hex();
    add("salt", std::string(hash.begin(), hash.end()));
  }
}

// Options that are as by default have no item: a new one does not change the layout of who does
// not use it.  allow_inexact says nothing of what a row becomes.
void add_mapping(Canonical& canonical, const MappingOptions& mapping) {
  canonical.add("mapping", mapping.type.yaml());
  mapping.each([&canonical](const auto& member) {
    if constexpr (std::is_same_v<std::remove_cvref_t<decltype(member)>, OptionBase>)
      if (member.name() != "type" && member.name() != "allow_inexact" &&
          member.yaml() != member.default_yaml())
        canonical.add(member.name(), member.yaml());
  });
}

std::string hex(std::uint64_t value) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out(16, '0');
  for (auto digit = out.rbegin(); digit != out.rend(); ++digit, value >>= 4U)
    *digit = kDigits[value & 15U];
  return out;
}

}  // namespace

std::string layout_fingerprint(const Options& options) {
  Canonical canonical;
  add_set(canonical, "include", options.filter.include());
  add_set(canonical, "exclude", options.filter.exclude());
  for (const TableOptions& table : options.tables()) {  // the first that fits rules: order counts
    canonical.add("table", table.match().text());
    for (const std::string& column : table.partition_by()) canonical.add("by", column);
    if (table.single_partition()) canonical.add("single", "");
    add_rules(canonical, table);
    for (const MappingOptions& mapping : table.mappings()) add_mapping(canonical, mapping);
    if (!table.script().empty()) canonical.add("script", table.script().text);
    for (const std::string& column : table.script_key_columns())
      canonical.add("script_key_column", column);
  }
  const RenderingOptions& rendering = options.rendering;
  canonical.add("time_zone", std::to_string(rendering.time_zone().seconds()));
  canonical.add(
      "invalid_text",
      option_names(rendering.invalid_text())[static_cast<std::size_t>(rendering.invalid_text())]);
  canonical.add("binary",
                option_names(rendering.binary())[static_cast<std::size_t>(rendering.binary())]);
  return hex(xxh64(canonical.text()));
}

}  // namespace sluice
