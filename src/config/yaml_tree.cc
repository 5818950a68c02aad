#include "config/yaml_tree.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <sstream>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

namespace sluice::config {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

Place place_of(const YAML::Mark& mark) {
  return mark.is_null() ? Place{} : Place{mark.line + 1, mark.column + 1};
}

// The tags that say no more than what we read anyway: "?" is a plain scalar, "!" a quoted one.
bool is_known_tag(std::string_view tag) {
  constexpr std::array<std::string_view, 10> kKnown{"",
                                                    "?",
                                                    "!",
                                                    "tag:yaml.org,2002:str",
                                                    "tag:yaml.org,2002:int",
                                                    "tag:yaml.org,2002:bool",
                                                    "tag:yaml.org,2002:float",
                                                    "tag:yaml.org,2002:null",
                                                    "tag:yaml.org,2002:seq",
                                                    "tag:yaml.org,2002:map"};
  return std::find(kKnown.begin(), kKnown.end(), tag) != kKnown.end();
}

// Builds the tree from yaml-cpp's events.
class TreeBuilder final : public YAML::EventHandler {
 public:
  TreeBuilder(std::string_view text, std::vector<Tree::Fault>& faults)
      : text_(text), faults_(faults) {
    line_starts_.push_back(0);
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '\n') line_starts_.push_back(i + 1);
    }
  }

  Node::Ptr take_root() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& /*mark*/) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    auto node = make(Node::Kind::nothing, mark, "", anchor);
    // yaml-cpp's place of a value that is not there is that of whatever follows, maybe lines below.
    if (!open_.empty())
      node->place = open_.back().key ? open_.back().key->place : open_.back().node->place;
    put(std::move(node));
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    auto node = make(Node::Kind::scalar, mark, tag, anchor);
    if (!is_closed(node->place))
      throw YAML::ParserException(mark, "the quoted text that begins here does not end");
    node->text = value;
    put(std::move(node));
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto named = anchors_.find(anchor);
    const auto is_it = [&](const Open& open) { return open.node == named->second; };
    if (named == anchors_.end() || std::any_of(open_.begin(), open_.end(), is_it)) {
      fault(place_of(mark), "this alias names a part of the text that holds it");
      put(make(Node::Kind::nothing, mark, "", YAML::NullAnchor));
      return;
    }
    put(named->second);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    open_.push_back({make(Node::Kind::list, mark, tag, anchor), nullptr});
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value /*style*/) override {
    open_.push_back({make(Node::Kind::map, mark, tag, anchor), nullptr});
  }
  void OnMapEnd() override { close(); }

 private:
  struct Open {
    std::shared_ptr<Node> node;
    Node::Ptr key;  // of a map: waits for its value
  };

  void fault(Place place, std::string message) { faults_.push_back({place, std::move(message)}); }

  std::shared_ptr<Node> make(Node::Kind kind, const YAML::Mark& mark, const std::string& tag,
                             YAML::anchor_t anchor) {
    auto node = std::make_shared<Node>();
    node->kind = kind;
    node->place = place_of(mark);
    if (!is_known_tag(tag)) fault(node->place, "tag " + tag + " means nothing here");
    if (anchor != YAML::NullAnchor) anchors_[anchor] = node;
    return node;
  }

  // A node is complete: it is the next thing of the innermost open list or map.
  void put(Node::Ptr node) {
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& open = open_.back();
    if (open.node->kind == Node::Kind::list) {
      open.node->items.push_back(std::move(node));
    } else if (!open.key) {
      note_double(*open.node, *node);
      open.key = std::move(node);
    } else {
      open.node->entries.push_back({std::move(open.key), std::move(node)});
      open.key = nullptr;
    }
  }

  void close() {
    Node::Ptr node = std::move(open_.back().node);
    open_.pop_back();
    put(std::move(node));
  }

  // yaml-cpp itself lets double keys pass.
  void note_double(const Node& map, const Node& key) {
    if (key.kind != Node::Kind::scalar) return;
    for (const Node::Entry& entry : map.entries) {
      if (entry.key->kind == Node::Kind::scalar && entry.key->text == key.text) {
        fault(key.place, "duplicate key " + key.text + ", already on line " +
                             std::to_string(entry.key->place.line));
        return;
      }
    }
  }

  // yaml-cpp takes the end of the file for a closing quote, and with it the rest of the file for a
  // password.
  bool is_closed(Place place) const {
    const auto line = static_cast<std::size_t>(place.line) - 1;
    if (place.line < 1 || line >= line_starts_.size()) return true;
    std::size_t at = line_starts_[line] + static_cast<std::size_t>(place.column) - 1;
    while (at < text_.size() &&
           (text_[at] == '!' || text_[at] == '&')) {  // tag and anchor come first
      at = std::min(text_.find_first_of(" \t\r\n", at), text_.size());
      at = std::min(text_.find_first_not_of(" \t\r\n", at), text_.size());
    }
    const char quote = at < text_.size() ? text_[at] : ' ';
    if (quote != '"' && quote != '\'') return true;
    while (++at < text_.size()) {
      const bool escaped = quote == '"' ? text_[at] == '\\' : text_.substr(at, 2) == "''";
      if (escaped) {
        ++at;
      } else if (text_[at] == quote) {
        return true;
      }
    }
    return false;
  }

  std::string_view text_;
  std::vector<std::size_t> line_starts_;
  std::vector<Tree::Fault>& faults_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, std::shared_ptr<Node>> anchors_;
  Node::Ptr root_;
};

}  // namespace

std::string_view kind_name(Node::Kind kind) noexcept {
  switch (kind) {
    case Node::Kind::nothing: return "nothing";
    case Node::Kind::scalar: return "a single value";
    case Node::Kind::list: return "a list";
    case Node::Kind::map: return "a map";
  }
  return "";
}

Tree parse_yaml(std::string_view text) {
  Tree tree;
  if (text.find('\0') != std::string_view::npos) {
    tree.faults.push_back({{}, "is not UTF-8 text: it holds a zero byte"});
    return tree;
  }
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  try {
    std::istringstream in{std::string(text)};
    YAML::Parser parser(in);
    TreeBuilder builder(text, tree.faults);
    if (parser.HandleNextDocument(builder)) tree.root = builder.take_root();
    if (!tree.root) tree.root = std::make_shared<Node>();
    std::vector<Tree::Fault> ignored;
    TreeBuilder second("", ignored);
    if (parser.HandleNextDocument(second)) {
      const auto root = second.take_root();
      tree.faults.push_back({root ? root->place : Place{}, "a second document; only one is read"});
    }
  } catch (const YAML::ParserException& e) {
    tree.faults.assign(1, {place_of(e.mark), "YAML: " + e.msg});
    tree.root = nullptr;
  } catch (const std::exception& e) {
    tree.faults.assign(1, {{}, std::string("YAML: ") + e.what()});
    tree.root = nullptr;
  }
  return tree;
}

}  // namespace sluice::config
