#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/config/load.h"

#include "config/yaml_tree.h"

namespace sluice::config {

// Walks the YAML tree along the declared options and gathers what is wrong.  Lives for one load.
class Reader {
 public:
  Reader(std::string file, const Environment& environment)
      : file_(std::move(file)), environment_(environment) {}

  // Fills `section` from `node`.
  void read(const Node& node, Section& section);
  // At `place`, said of the option or section being read.
  void problem(Place place, std::string message);
  // An unknown key, with the nearest of the names there are.
  void unknown_key(const Node& key, std::span<const std::string> names);
  // `text` with ${NAME} replaced; nothing, and a problem at `place`, when that cannot be.
  std::optional<std::string> expand(std::string_view text, Place place);

  // What the file at `path` holds, a relative one beside the configuration's; nothing, and a
  // problem at `place`, when it cannot be read or is longer than `most` bytes.
  std::optional<std::string> read_file_of(const std::string& path, Place place,
                                          std::uintmax_t most);

  // Where the option's value stands; nowhere when it was not given.
  Place place_of(const OptionBase& option) const;

  const std::string& file() const noexcept { return file_; }
  std::vector<Problem> problems, warnings;

 private:
  void read_entry(const Node::Entry& entry, const Node& map, Section& section);
  void read_list(const Node& node, SectionListBase& list);
  void read_secret_file(const Node& value, OptionBase& option);
  std::string prefix() const;
  std::filesystem::path beside(const std::string& path) const {
    return std::filesystem::path(file_).parent_path() / path;
  }

  std::string file_;
  const Environment& environment_;
  std::vector<std::string> path_;  // of what is being read
  std::map<const OptionBase*, Place> places_;
};

}  // namespace sluice::config
