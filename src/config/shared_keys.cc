// Mappings that write the same Redis keys, as far as their templates tell.
#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "config/checks.h"

namespace sluice::config {
namespace {

using Type = MappingOptions::Type;
constexpr std::string_view kDefaultKey = "{schema}:{table}:{key}";

// One that writes keys.
struct Writer {
  const MappingOptions* mapping;
  std::string path;
  std::size_t entry;  // of `tables`
  std::string_view key;
};

bool has_field(const MappingOptions& mapping) {
  return !mapping.field().empty();
}

// What TYPE says of the keys; empty: whatever they are.
std::string_view type_of_keys(const MappingOptions& mapping) {
  switch (mapping.type()) {
    case Type::hash: return "hash";
    case Type::string: return "string";
    case Type::json: return "json";
    case Type::set: return "set";
    case Type::zset:
    case Type::geo: return "zset";
    case Type::list: return "list";
    case Type::stream: return "stream";
    case Type::counter: return has_field(mapping) ? "hash" : "string";
    default: return "";
  }
}

bool writes_keys(const MappingOptions& mapping) {
  return mapping.type() != Type::none && mapping.type() != Type::publish;
}

// Whether the key is one row's, and goes with it.
bool owns_key(const MappingOptions& mapping) {
  switch (mapping.type()) {
    case Type::hash: return !has_field(mapping);
    case Type::string:
    case Type::json:
    case Type::invalidate: return true;
    default: return false;
  }
}

// What of a key that rows share is one row's; empty: nothing that another could take away.
std::string_view part_of(const MappingOptions& mapping) {
  switch (mapping.type()) {
    case Type::hash:
    case Type::counter: return mapping.field().text();
    case Type::set:
    case Type::zset:
    case Type::geo: return mapping.member().text();
    default: return "";
  }
}

// Two sums add up, and two deletions are one.
bool both_are(Type type, const Writer& a, const Writer& b) {
  return a.mapping->type() == type && b.mapping->type() == type;
}

// The names of its table make the keys of each entry others.
bool names_its_table(const Writer& writer) {
  const auto& parts = writer.mapping->key().parts();
  return parts.empty() || std::any_of(parts.begin(), parts.end(), [](const auto& part) {
           return part.kind == expr::TemplatePart::Kind::schema ||
                  part.kind == expr::TemplatePart::Kind::table;
         });
}

// Why the two cannot have the same keys; empty: they can.
std::string conflict(const Writer& a, const Writer& b) {
  const std::string_view one = type_of_keys(*a.mapping), other = type_of_keys(*b.mapping);
  if (!one.empty() && !other.empty() && one != other) {
    std::string out("Redis would hold a ");
    out.append(one).append(" there for the one, a ").append(other).append(" for the other");
    return out;
  }
  // Of two entries the rows may be others.
  if (a.entry != b.entry || both_are(Type::counter, a, b) || both_are(Type::invalidate, a, b))
    return "";
  if (owns_key(*a.mapping) || owns_key(*b.mapping))
    return "what the one writes the other removes or replaces";
  if (const std::string_view part = part_of(*a.mapping);
      !part.empty() && part == part_of(*b.mapping)) {
    std::string out("both write ");
    out.append(part).append(" in it, and what the one removes the other has written");
    return out;
  }
  return "";
}

}  // namespace

void check_shared_keys(const Options& options, Reader& reader) {
  std::vector<Writer> writers;
  for (std::size_t i = 0; i < options.tables.size(); ++i) {
    const TableOptions& table = options.tables()[i];
    for (std::size_t n = 0; n < table.mappings.size(); ++n) {
      const MappingOptions& mapping = table.mappings()[n];
      if (!writes_keys(mapping)) continue;
      const std::string_view key = mapping.key().empty() ? kDefaultKey : mapping.key().text();
      writers.push_back({&mapping,
                         "tables[" + std::to_string(i) + "].mappings[" + std::to_string(n) + "]", i,
                         key});
    }
  }
  std::stable_sort(writers.begin(), writers.end(),
                   [](const Writer& a, const Writer& b) { return a.key < b.key; });
  for (auto group = writers.begin(); group != writers.end();) {
    const auto end = std::find_if(group, writers.end(),
                                  [group](const Writer& other) { return other.key != group->key; });
    for (auto later = group; later != end; ++later) {
      const auto other = std::find_if(group, later, [&later](const Writer& before) {
        return (before.entry == later->entry || !names_its_table(*later)) &&
               !conflict(before, *later).empty();
      });
      if (other == later) continue;
      const MappingOptions& mapping = *later->mapping;
      std::string problem = later->path;
      problem.append(": has the key ")
          .append(later->key)
          .append(" of ")
          .append(other->path)
          .append(": ")
          .append(conflict(*other, *later))
          .append("; give one of them another key");
      reader.problem(
          mapping.key().empty() ? reader.place_of(mapping.type) : reader.place_of(mapping.key),
          problem);
    }
    group = end;
  }
}

}  // namespace sluice::config
