// How the options of `tables` entries are read and written.
#include <algorithm>
#include <array>
#include <functional>

#include "sluice/config/codec.h"

#include "config/reader.h"

namespace sluice {
namespace {

using config::Node;
using config::Reader;
using NameList = std::vector<std::string>;

// Gives each entry of a map to `take`, which says whether it could be read.  False when one could
// not, or when `node` is no map.
bool read_map(const Node& node, Reader& reader, const std::string& type,
              const std::function<bool(const Node& key, const Node& value)>& take) {
  if (node.kind != Node::Kind::map) {
    reader.problem(node.place,
                   type + " is expected, not " + std::string(config::kind_name(node.kind)));
    return false;
  }
  bool good = true;
  for (const Node::Entry& entry : node.entries) good = take(*entry.key, *entry.value) && good;
  return good;
}

// Like read_map, with the keys there are; `take` gets the index of the key.
bool read_known(const Node& node, Reader& reader, const std::string& type,
                std::span<const std::string> names,
                const std::function<bool(std::size_t name, const Node& value)>& take) {
  return read_map(node, reader, type, [&](const Node& key, const Node& value) {
    const auto name = std::find(names.begin(), names.end(), key.text);
    if (name != names.end()) return take(static_cast<std::size_t>(name - names.begin()), value);
    reader.unknown_key(key, names);
    return false;
  });
}

constexpr std::uintmax_t kLongestScript = 1U << 20U;
constexpr std::array<std::string_view, 3> kOperations{"insert", "update", "delete"};

// `fixed 'it''s'`: "it's".
std::optional<std::string> fixed_text(std::string_view text) {
  constexpr std::string_view kHead = "fixed '";
  if (!text.starts_with(kHead) || !text.ends_with('\'') || text.size() == kHead.size())
    return std::nullopt;
  text.remove_prefix(kHead.size());
  text.remove_suffix(1);
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\'' && text.substr(i, 2) != "''") return std::nullopt;
    if (text[i] == '\'') ++i;
    out += text[i];
  }
  return out;
}

std::optional<Mask> read_mask(const Node& key, const Node& value, Reader& reader) {
  Mask mask;
  mask.column = key.text;
  if (value.kind == Node::Kind::nothing) return mask;  // null, as YAML has it
  const auto text = config::scalar_text(value, reader, "sha256, null or fixed 'TEXT'");
  if (!text) return std::nullopt;
  if (*text == "sha256") {
    mask.kind = Mask::Kind::sha256;
    return mask;
  }
  auto fixed = fixed_text(*text);
  if (!fixed) {
    reader.problem(value.place, config::quote(*text) + " is not sha256, null or fixed 'TEXT'");
    return std::nullopt;
  }
  mask.kind = Mask::Kind::fixed;
  mask.text = std::move(*fixed);
  return mask;
}

// fixed_text() of what comes out is `text`.
std::string quote_fixed(std::string_view text) {
  std::string out = "fixed '";
  for (const char c : text) out.append(c == '\'' ? 2 : 1, c);
  return config::quote(out + "'");
}

std::string mask_text(const Mask& mask) {
  switch (mask.kind) {
    case Mask::Kind::sha256: return "sha256";
    case Mask::Kind::null: return "null";
    case Mask::Kind::fixed: break;
  }
  return quote_fixed(mask.text);
}

}  // namespace

std::string Codec<ColumnChoice>::yaml(const ColumnChoice& value) {
  return "{include: " + config::quote_list(value.include) +
         ", exclude: " + config::quote_list(value.exclude) + "}";
}

std::optional<ColumnChoice> Codec<ColumnChoice>::read(const Node& node, Reader& reader) {
  const std::array<std::string, 2> members{"include", "exclude"};
  ColumnChoice out;
  const bool good =
      read_known(node, reader, type(), members, [&](std::size_t name, const Node& value) {
        auto names = Codec<NameList>::read(value, reader);
        if (!names) return false;
        (name == 0 ? out.include : out.exclude) = std::move(*names);
        return true;
      });
  if (!good) return std::nullopt;
  return out;
}

std::string Codec<MaskList>::yaml(const MaskList& value) {
  std::string out = "{";
  for (const Mask& mask : value)
    out.append(out.size() > 1 ? ", " : "")
        .append(config::quote(mask.column))
        .append(": ")
        .append(mask_text(mask));
  return out + "}";
}

std::optional<MaskList> Codec<MaskList>::read(const Node& node, Reader& reader) {
  MaskList out;
  const bool good = read_map(node, reader, type(), [&](const Node& key, const Node& value) {
    auto mask = read_mask(key, value, reader);
    if (!mask) return false;
    out.push_back(std::move(*mask));
    return true;
  });
  if (!good) return std::nullopt;
  return out;
}

std::string Codec<NullText>::yaml(const NullText& value) {
  switch (value.kind) {
    case NullText::Kind::omit: return "omit";
    case NullText::Kind::empty: return "empty";
    case NullText::Kind::fixed: break;
  }
  return quote_fixed(value.text);
}

Result<NullText> Codec<NullText>::parse(std::string_view text) {
  if (text == "omit") return NullText{};
  if (text == "empty") return NullText{NullText::Kind::empty, {}};
  if (auto fixed = fixed_text(text)) return NullText{NullText::Kind::fixed, std::move(*fixed)};
  return fatal(Errc::config_invalid, config::quote(text) + " is not " + type());
}

std::string Codec<Operations>::yaml(const Operations& value) {
  std::string out;
  const std::array<bool, 3> set{value.insert, value.update, value.remove};
  for (std::size_t i = 0; i < set.size(); ++i)
    if (set[i]) out.append(out.empty() ? "" : ", ").append(kOperations[i]);
  return "[" + out + "]";
}

std::optional<Operations> Codec<Operations>::read(const Node& node, Reader& reader) {
  const auto names = Codec<NameList>::read(node, reader);
  if (!names) return std::nullopt;
  std::array<bool, 3> set{};
  for (const std::string& name : *names) {
    const auto index = config::parse_name(kOperations, name);
    if (!index) {
      reader.problem(node.place, index.error().what);
      return std::nullopt;
    }
    set[*index] = true;
  }
  return Operations{set[0], set[1], set[2]};
}

std::string Codec<LogicalTable>::yaml(const LogicalTable& value) {
  std::string out;
  if (!value.database.empty()) out = "database: " + config::quote(value.database);
  if (!value.table.empty())
    out.append(out.empty() ? "" : ", ").append("table: ").append(config::quote(value.table));
  return "{" + out + "}";
}

std::optional<LogicalTable> Codec<LogicalTable>::read(const Node& node, Reader& reader) {
  const std::array<std::string, 2> members{"database", "table"};
  LogicalTable out;
  const bool good =
      read_known(node, reader, type(), members, [&](std::size_t name, const Node& value) {
        auto text = config::scalar_text(value, reader, "a name");
        if (!text) return false;
        if (text->empty()) {
          reader.problem(value.place, members[name] + " is empty");
          return false;
        }
        (name == 0 ? out.database : out.table) = std::move(*text);
        return true;
      });
  if (!good) return std::nullopt;
  return out;
}

std::optional<ScriptFile> Codec<ScriptFile>::read(const Node& node, Reader& reader) {
  auto given = config::scalar_text(node, reader, type());
  if (!given) return std::nullopt;
  if (given->empty()) return ScriptFile{};
  auto text = reader.read_file_of(*given, node.place, kLongestScript);
  if (!text) return std::nullopt;
  return ScriptFile{std::move(*given), std::move(*text)};
}

}  // namespace sluice
