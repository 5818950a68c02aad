// What the options of one `mappings` entry say together.
#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "config/checks.h"

namespace sluice::config {
namespace {

using Type = MappingOptions::Type;

struct Rule {
  Type type;
  std::vector<std::string_view> needs;
  std::vector<std::string_view> takes;  // beside needs and what all take
};

const std::array<Rule, 12>& rules() {
  static const std::array<Rule, 12> all{{
      {Type::hash, {}, {"key", "columns", "ttl", "write", "on_null", "freshness"}},
      {Type::string, {}, {"key", "columns", "value", "ttl", "on_null"}},
      {Type::json, {}, {"key", "columns", "ttl", "write"}},
      {Type::set, {"key", "member"}, {"ttl", "refcount", "allow_inexact"}},
      {Type::zset, {"key", "member", "score"}, {"ttl"}},
      {Type::list, {"key", "member"}, {"ttl", "max_length", "allow_inexact"}},
      {Type::stream, {"key"}, {"columns", "ttl", "on_null", "max_length", "allow_inexact"}},
      {Type::geo, {"key", "member", "longitude", "latitude"}, {"ttl"}},
      {Type::counter, {"key"}, {"amount", "field", "ttl", "allow_inexact"}},
      {Type::publish, {"key"}, {"columns", "value", "allow_inexact"}},
      {Type::invalidate, {}, {"key", "again_after"}},
      {Type::none, {}, {}},
  }};
  return all;
}
// A hash that rows share.
const Rule& fields_rule() {
  static const Rule rule{Type::hash, {"key", "field", "value"}, {"ttl"}};
  return rule;
}

bool has(const std::vector<std::string_view>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// Calls f with each option.
template <class F>
void each_option(const MappingOptions& mapping, F f) {
  mapping.each([&f](const auto& member) {
    if constexpr (std::is_same_v<std::remove_cvref_t<decltype(member)>, OptionBase>) f(member);
  });
}

bool is_given(const OptionBase& option) {
  return option.yaml() != option.default_yaml();
}

// Whether a change that is written once more, in order, changes nothing.
bool is_repeatable(const MappingOptions& mapping) {
  switch (mapping.type()) {
    case Type::counter:
    case Type::list:
    case Type::stream:
    case Type::publish: return false;
    default: return !mapping.refcount();
  }
}

// Whether braces stand around a part of every key, so that KEY and KEY:refs are in one slot.
bool has_hash_tag(const expr::Template& key) {
  bool open = false;
  bool any = false;  // behind the brace
  for (const expr::TemplatePart& part : key.parts()) {
    if (part.kind != expr::TemplatePart::Kind::text) {
      any = open;
      continue;
    }
    for (const char c : part.text) {
      if (open && c == '}') return any;
      any = open;
      open = open || c == '{';
    }
  }
  return false;
}

// `why`: what makes changes come to Redis once more.
void check_written_twice(const MappingOptions& mapping, const std::string& path,
                         std::string_view why, Reader& reader) {
  if (is_repeatable(mapping) || mapping.allow_inexact()) return;
  const std::string what = mapping.refcount() ? "refcount" : "type: " + mapping.type.yaml();
  const Place place = reader.place_of(
      mapping.refcount() ? static_cast<const OptionBase&>(mapping.refcount) : mapping.type);
  std::string problem = path;
  problem.append(": ").append(what).append(" counts changes twice that are written once more ");
  problem.append(why).append("; allow_inexact: true takes it all the same");
  reader.problem(place, problem);
}

void check_on_cluster(const MappingOptions& mapping, const std::string& path, Reader& reader) {
  check_written_twice(mapping, path,
                      "after a failure, for a Redis Cluster has no transactions across its nodes",
                      reader);
  if (mapping.refcount() && !has_hash_tag(mapping.key()))
    reader.problem(
        reader.place_of(mapping.key),
        path +
            ".key: refcount needs a hash tag on a Redis Cluster, so that KEY and KEY:refs "
            "are on one node: braces around a part of the key, such as tags:{{{tag}}}");
}

}  // namespace

void check_mapping(const MappingOptions& mapping, const std::string& path, const Options& options,
                   Reader& reader) {
  const bool fields = mapping.type() == Type::hash && is_given(mapping.field);
  const Rule& rule = fields ? fields_rule() : rules()[static_cast<std::size_t>(mapping.type())];
  const std::string type = mapping.type.yaml();
  each_option(mapping, [&](const OptionBase& option) {
    const std::string_view name = option.name();
    const bool common =
        name == "type" || (mapping.type() != Type::none && (name == "when" || name == "on_delete"));
    if (is_given(option)) {
      if (!common && !has(rule.needs, name) && !has(rule.takes, name))
        reader.problem(reader.place_of(option), path + "." + std::string(name) +
                                                    ": does not go with type: " + type +
                                                    (fields ? " that has a field" : ""));
    } else if (has(rule.needs, name)) {
      reader.problem(reader.place_of(mapping.type), path + ": type: " + type +
                                                        (fields ? " with a field" : "") +
                                                        " needs " + std::string(name));
    }
  });
  if (!options.redis.cluster().empty())
    check_on_cluster(mapping, path, reader);
  else if (options.applier.on_refused() == ApplierOptions::OnRefused::stop)
    check_written_twice(mapping, path,
                        "at each start while a row of their message is refused "
                        "(applier.on_refused: stop)",
                        reader);
  if (mapping.write() != MappingOptions::Write::changed) return;
  const Place place = reader.place_of(mapping.write);
  if (mapping.ttl().count() != 0)
    reader.problem(place, path +
                              ".write: changed does not go with ttl: after it half a row "
                              "would come back");
  if (options.redis.is_cache())
    reader.problem(place, path +
                              ".write: changed does not go with redis.is_cache: of an evicted "
                              "row half would come back");
}

}  // namespace sluice::config
