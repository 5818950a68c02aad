#include "config/reader.h"

#include <algorithm>
#include <system_error>
#include <utility>
#include <variant>

#include "sluice/base/files.h"

#include "config/nearest.h"

namespace sluice::config {
namespace {

constexpr std::string_view kFileSuffix = "_file";
constexpr std::uintmax_t kLongestSecret = 64U << 10U;

bool is_name(std::string_view text) {
  const auto starts = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
  };
  return !text.empty() && starts(text[0]) && std::all_of(text.begin(), text.end(), [&](char c) {
    return starts(c) || (c >= '0' && c <= '9');
  });
}

// What a key of the file can name.
using Target = std::variant<std::monostate, OptionBase*, Section*, SectionListBase*>;

Target find_member(Section& section, std::string_view name) {
  Target found;
  section.each([&](auto& member) {
    if (member.name() == name) found = &member;
  });
  return found;
}

OptionBase* find_secret(Section& section, std::string_view key) {
  if (!key.ends_with(kFileSuffix)) return nullptr;
  const Target target = find_member(section, key.substr(0, key.size() - kFileSuffix.size()));
  auto* const* option = std::get_if<OptionBase*>(&target);
  return option != nullptr && (*option)->is_secret() ? *option : nullptr;
}

std::vector<std::string> names_of(const Section& section) {
  std::vector<std::string> names;
  section.each([&names](const auto& member) {
    names.emplace_back(member.name());
    if constexpr (std::is_same_v<decltype(member), const OptionBase&>) {
      if (member.is_secret()) names.push_back(names.back() + std::string(kFileSuffix));
    }
  });
  return names;
}

}  // namespace

std::string Reader::prefix() const {
  std::string out;
  for (const std::string& part : path_) {
    if (!out.empty() && !part.starts_with('[')) out += '.';
    out += part;
  }
  return out.empty() ? out : out + ": ";
}

void Reader::problem(Place place, std::string message) {
  problems.push_back({file_, place.line, place.column, prefix() + std::move(message)});
}

void Reader::unknown_key(const Node& key, std::span<const std::string> names) {
  const std::string_view meant = nearest(key.text, names);
  problem(key.place, "unknown key " + key.text +
                         (meant.empty() ? "" : "; did you mean " + std::string(meant) + "?"));
}

Place Reader::place_of(const OptionBase& option) const {
  const auto found = places_.find(&option);
  return found == places_.end() ? Place{} : found->second;
}

std::optional<std::string> Reader::expand(std::string_view text, Place place) {
  std::string out;
  bool good = true;
  while (!text.empty()) {
    if (text.starts_with("$${")) {
      out += "${";
      text.remove_prefix(3);
    } else if (text.starts_with("${")) {
      const std::size_t end = text.find('}');
      const std::string name(text.substr(2, end == std::string_view::npos ? end : end - 2));
      if (end == std::string_view::npos || !is_name(name)) {
        problem(place,
                "${ must be followed by a variable's name and }; write $${ for the characters "
                "themselves");
        return std::nullopt;
      }
      if (const auto value = environment_(name)) {
        out += *value;
      } else {
        problem(place, "there is no environment variable " + name);
        good = false;
      }
      text.remove_prefix(end + 1);
    } else {
      out += text.front();
      text.remove_prefix(1);
    }
  }
  if (!good) return std::nullopt;
  return out;
}

void Reader::read(const Node& node, Section& section) {
  if (node.kind == Node::Kind::nothing) return;  // all of it commented out
  if (node.kind != Node::Kind::map) {
    problem(node.place, "a map of options is expected, not " + std::string(kind_name(node.kind)));
    return;
  }
  for (const Node::Entry& entry : node.entries) read_entry(entry, node, section);
}

void Reader::read_entry(const Node::Entry& entry, const Node& map, Section& section) {
  const Node& key = *entry.key;
  if (key.kind != Node::Kind::scalar) {
    problem(key.place,
            "the name of an option is expected here, not " + std::string(kind_name(key.kind)));
    return;
  }
  const Target target = find_member(section, key.text);
  OptionBase* const secret = find_secret(section, key.text);
  if (target.index() == 0 && secret == nullptr) {
    unknown_key(key, names_of(section));
    return;
  }
  path_.push_back(key.text);
  if (secret != nullptr) {
    const auto is_plain = [secret](const Node::Entry& other) {
      return other.key->text == secret->name();
    };
    if (std::any_of(map.entries.begin(), map.entries.end(), is_plain)) {
      problem(key.place, std::string(secret->name()) + " is given too; one of the two is enough");
    } else {
      read_secret_file(*entry.value, *secret);
    }
  } else if (auto* const* option = std::get_if<OptionBase*>(&target)) {
    places_[*option] = entry.value->place;
    (*option)->read(*entry.value, *this);
  } else if (auto* const* inner = std::get_if<Section*>(&target)) {
    read(*entry.value, **inner);
  } else if (auto* const* list = std::get_if<SectionListBase*>(&target)) {
    read_list(*entry.value, **list);
  }
  path_.pop_back();
}

void Reader::read_list(const Node& node, SectionListBase& list) {
  list.clear();
  if (node.kind == Node::Kind::nothing) return;
  if (node.kind != Node::Kind::list) {
    problem(node.place, "a list is expected, not " + std::string(kind_name(node.kind)));
    return;
  }
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    path_.push_back("[" + std::to_string(i) + "]");
    if (node.items[i]->kind == Node::Kind::nothing) {
      problem(node.items[i]->place, "an entry of the list is empty");
    } else {
      read(*node.items[i], list.add());
    }
    path_.pop_back();
  }
}

std::optional<std::string> Reader::read_file_of(const std::string& given, Place place,
                                                std::uintmax_t most) {
  const std::filesystem::path path = beside(given);
  std::error_code failed;
  const auto size = std::filesystem::is_regular_file(std::filesystem::status(path, failed))
                        ? std::filesystem::file_size(path, failed)
                        : 0;
  if (size > most) {
    problem(place, path.string() + " is larger than " + Codec<ByteSize>::yaml(ByteSize{most}));
    return std::nullopt;
  }
  auto read = read_file(path);
  if (read) return std::move(read).value();
  problem(place, read.error().what);
  return std::nullopt;
}

// NAME_file: the secret is in the file of that path.
void Reader::read_secret_file(const Node& value, OptionBase& option) {
  const auto given = scalar_text(value, *this, "a path");
  if (!given) return;
  auto read = read_file_of(*given, value.place, kLongestSecret);
  if (!read) return;
  const std::filesystem::path path = beside(*given);
  std::error_code failed;
  const auto status = std::filesystem::status(path, failed);
  Node content;
  content.kind = Node::Kind::scalar;
  content.place = value.place;
  content.text = std::move(*read);
  if (content.text.ends_with('\n')) content.text.pop_back();
  if (content.text.ends_with('\r')) content.text.pop_back();
  if (content.text.empty()) {
    problem(value.place, path.string() + " is empty");
    return;
  }
  if ((status.permissions() & std::filesystem::perms::others_read) !=
      std::filesystem::perms::none) {
    warnings.push_back({file_, value.place.line, value.place.column,
                        prefix() + path.string() + " can be read by everyone; chmod o-r it"});
  }
  // What stands in a secret's file is taken as it is.
  for (std::size_t at = 0; (at = content.text.find("${", at)) != std::string::npos; at += 3)
    content.text.insert(at, "$");
  places_[&option] = value.place;
  option.read(content, *this);
}

void add_problem(const Node& node, Reader& reader, std::string message) {
  reader.problem(node.place, std::move(message));
}

std::optional<std::string> scalar_text(const Node& node, Reader& reader,
                                       std::string_view expected) {
  if (node.kind != Node::Kind::scalar) {
    reader.problem(node.place, std::string(expected) + " is expected, not " +
                                   std::string(kind_name(node.kind)));
    return std::nullopt;
  }
  return reader.expand(node.text, node.place);
}

}  // namespace sluice::config
