#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::config {

// From 1; 0 is nowhere.
struct Place {
  int line = 0;
  int column = 0;
};

// One value of the YAML text.  Unlike yaml-cpp's node it keeps double keys, and the place of
// everything.
class Node {
 public:
  enum class Kind { nothing, scalar, list, map };
  using Ptr = std::shared_ptr<const Node>;  // shared: an alias is the node it names
  struct Entry {
    Ptr key, value;
  };

  Kind kind = Kind::nothing;
  Place place;
  std::string text;            // scalar
  std::vector<Ptr> items;      // list
  std::vector<Entry> entries;  // map, in the order of the text
};

// "a list", for messages.
std::string_view kind_name(Node::Kind kind) noexcept;

struct Tree {
  struct Fault {
    Place place;
    std::string message;
  };
  Node::Ptr root;  // null when the text is no YAML; a `nothing` for an empty text
  std::vector<Fault> faults;
};

// Reads one YAML document.  A syntax error is the only fault then; double keys, unknown tags and
// further documents are faults that leave the tree standing.
Tree parse_yaml(std::string_view text);

}  // namespace sluice::config
