#include "event/json_diff.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

#include "event/json_binary.h"
#include "event/json_path.h"

namespace sluice::event {
namespace {

enum class Operation : std::uint8_t { replace = 0, insert = 1, remove = 2 };

struct Diff {
  Operation operation = Operation::replace;
  std::string_view path;
  JsonValue value;  // not of remove
};

// False when the bytes contradict themselves.
bool read_diff(ByteReader& in, Diff& out) noexcept {
  const std::uint8_t operation = in.u8();
  if (operation > static_cast<std::uint8_t>(Operation::remove)) return false;
  out.operation = static_cast<Operation>(operation);
  out.path = as_chars(in.take(in.lenenc()));
  if (out.operation != Operation::remove) out.value = json_root(in.take(in.lenenc()));
  return in.ok();
}

// Order of the members of an object (mysql-server: sql-common/json_dom.h, Json_key_comparator).
bool key_less(std::string_view a, std::string_view b) noexcept {
  return a.size() != b.size() ? a.size() < b.size() : a < b;
}

// A document of which only what paths lead to has been taken apart.
class Tree {
 public:
  // `bytes`: of everything that is put into it; bounds its memory.
  void reset(JsonValue root, std::size_t bytes) {
    nodes_.clear();
    open_lists_ = 0;
    // Each member takes three bytes at least where it is stored.
    most_nodes_ = 1 + bytes / 3;
    nodes_.push_back({{}, root, kClosed});
  }
  bool apply(const Diff& diff, std::span<const JsonPath::Leg> path);
  bool print(JsonPrinter& printer) { return print(0, printer, 0); }
  // Gives back what an uncommonly large document took.
  void trim() {
    if (nodes_.capacity() > kKeptNodes) nodes_ = {};
    if (lists_.size() > kKeptNodes) lists_ = {};
    for (List& list : lists_)
      if (list.capacity() > kKeptNodes) list = {};
  }

 private:
  static constexpr std::uint32_t kClosed = std::numeric_limits<std::uint32_t>::max();
  static constexpr std::size_t kKeptNodes = 4096;
  using List = std::vector<std::uint32_t>;
  struct Node {
    std::string_view key;
    JsonValue value;     // a container that is open: only its type counts
    std::uint32_t list;  // index in lists_ of its members, or kClosed
  };

  List* members(std::uint32_t node);
  bool add(std::string_view key, JsonValue value, std::uint32_t& node);
  // Where the member this leg names is among its container's; false when there is none, and `at` is
  // where it would be put.
  bool find(const Node& container, const List& list, const JsonPath::Leg& leg,
            std::size_t& at) const;
  bool print(std::uint32_t node, JsonPrinter& printer, int depth);

  std::vector<Node> nodes_;  // 0: the root
  std::vector<List> lists_;  // of which the first open_lists_ are in use
  std::size_t open_lists_ = 0;
  std::size_t most_nodes_ = 0;
};

bool Tree::add(std::string_view key, JsonValue value, std::uint32_t& node) {
  if (nodes_.size() >= most_nodes_) return false;
  node = static_cast<std::uint32_t>(nodes_.size());
  nodes_.push_back({key, value, kClosed});
  return true;
}

// The members of a container, which is taken apart if it was not yet; null for what is none.
Tree::List* Tree::members(std::uint32_t node) {
  if (nodes_[node].list != kClosed) return &lists_[nodes_[node].list];
  JsonMembers members(nodes_[node].value);
  if (!members.ok()) return nullptr;
  if (open_lists_ == lists_.size()) lists_.emplace_back();
  List& list = lists_[open_lists_];
  list.clear();
  for (std::uint64_t i = 0; i < members.size(); ++i) {
    std::string_view key;
    JsonValue value;
    std::uint32_t child = 0;
    if (!members.next(key, value) || !add(key, value, child)) return nullptr;
    list.push_back(child);
  }
  nodes_[node].list = static_cast<std::uint32_t>(open_lists_++);
  return &list;
}

bool Tree::find(const Node& container, const List& list, const JsonPath::Leg& leg,
                std::size_t& at) const {
  if (!leg.member) {
    const auto place = leg.place(list.size());
    at = place.at;
    return place.exists;
  }
  const auto it = std::lower_bound(
      list.begin(), list.end(), leg.key,
      [this](std::uint32_t i, std::string_view key) { return key_less(nodes_[i].key, key); });
  at = static_cast<std::size_t>(it - list.begin());
  return is_object(container.value.type) && it != list.end() && nodes_[*it].key == leg.key;
}

// mysql-server: sql-common/json_diff.cc, apply_json_diff(): a diff of the whole document there is
// none.
bool Tree::apply(const Diff& diff, std::span<const JsonPath::Leg> path) {
  if (path.empty()) return false;
  std::uint32_t parent = 0;
  for (std::size_t i = 0;; ++i) {
    List* const list = members(parent);
    if (list == nullptr || path[i].member != is_object(nodes_[parent].value.type)) return false;
    std::size_t at = 0;
    const bool exists = find(nodes_[parent], *list, path[i], at);
    if (i + 1 < path.size()) {
      if (!exists) return false;
      parent = (*list)[at];
      continue;
    }
    const auto place = list->begin() + static_cast<std::ptrdiff_t>(at);
    switch (diff.operation) {
      case Operation::replace:
        if (!exists) return false;
        nodes_[*place].value = diff.value;
        nodes_[*place].list = kClosed;
        return true;
      case Operation::insert: {
        // Cells move on, a member must not be there.
        std::uint32_t node = 0;
        if ((path[i].member && exists) || !add(path[i].key, diff.value, node)) return false;
        list->insert(place, node);
        return true;
      }
      case Operation::remove:
        if (!exists) return false;
        list->erase(place);
        return true;
    }
  }
}

bool Tree::print(std::uint32_t node, JsonPrinter& printer, int depth) {
  const Node n = nodes_[node];
  if (n.list == kClosed) return printer.value(n.value, depth);
  if (depth >= JsonPrinter::kMaxDepth) return false;
  const bool object = is_object(n.value.type);
  printer.open(object);
  bool first = true;
  for (const std::uint32_t child : lists_[n.list]) {
    if (!printer.member(first, object, nodes_[child].key) || !print(child, printer, depth + 1))
      return false;
    first = false;
  }
  printer.close(object);
  return true;
}

// Text between the quotes of an SQL string, as mysqlbinlog escapes it (mysql-server:
// sql/log_event.cc, pretty_print_str()).
void append_sql_string(TextBuffer& out, std::string_view s) {
  constexpr std::string_view kSpecial("\n\r\\\b\t'\0", 7);
  constexpr std::string_view kForms = "nr\\bt'0";
  out.push_back('\'');
  while (!s.empty()) {
    const std::size_t n = std::min(s.find_first_of(kSpecial), s.size());
    out.append(s.substr(0, n));
    s.remove_prefix(n);
    if (s.empty()) break;
    out.push_back('\\');
    out.push_back(kForms[kSpecial.find(s.front())]);
    s.remove_prefix(1);
  }
  out.push_back('\'');
}

// Numbers and literals stand as they are, containers as CAST('..' AS JSON).
bool append_sql_value(TextBuffer& out, JsonValue value) {
  if (value.type == JsonType::string) {
    ByteReader in(value.data);
    const Bytes s = take_json_string(in);
    if (in.ok()) append_sql_string(out, as_chars(s));
    return in.ok();
  }
  TextBuffer text;
  JsonPrinter printer(value.data.size(), text);
  if (!printer.value(value, 0)) return false;
  if (is_object(value.type) || is_array(value.type)) {
    out.append("CAST(");
    append_sql_string(out, text.view());
    out.append(" AS JSON)");
  } else if (value.type == JsonType::opaque && text.view().front() == '"') {
    // Dates and base64: of all escapes only \n occurs, which SQL has as well.
    out.push_back('\'');
    out.append(text.view().substr(1, text.size() - 2));
    out.push_back('\'');
  } else if (text.view() == "-0.0") {
    out.append("-0e0");  // with a point it were a DECIMAL, which has no negative zero
  } else {
    out.append(text.view());
  }
  return true;
}

bool is_cell(std::string_view path) noexcept {
  return path.ends_with(']');
}

std::string_view function_of(const Diff& diff) noexcept {
  switch (diff.operation) {
    case Operation::replace: return "JSON_REPLACE";
    case Operation::insert: return is_cell(diff.path) ? "JSON_ARRAY_INSERT" : "JSON_INSERT";
    case Operation::remove: break;
  }
  return "JSON_REMOVE";
}

}  // namespace

bool append_json_patched(Bytes document, Bytes diffs, TextBuffer& out) {
  thread_local Tree tree;
  thread_local JsonPath path;
  const std::size_t start = out.size();
  const std::size_t bytes = document.size() + diffs.size();
  tree.reset(json_root(document), bytes);
  path.forget_keys();
  bool ok = true;
  Diff diff;
  for (ByteReader in(diffs); ok && in.remaining() != 0;)
    ok = read_diff(in, diff) && path.parse(diff.path) && tree.apply(diff, path.legs());
  if (ok) {
    JsonPrinter printer(bytes, out);
    ok = tree.print(printer);
  }
  if (!ok) out.truncate(start);
  tree.trim();
  return ok;
}

bool append_json_diffs(Bytes diffs, TextBuffer& out) {
  const std::size_t start = out.size();
  std::vector<Diff> all;
  Diff diff;
  for (ByteReader in(diffs); in.remaining() != 0;) {
    if (!read_diff(in, diff)) return false;
    all.push_back(diff);
  }
  // Diffs of one function that follow each other are its arguments, those of the next are around
  // it.
  const auto begins = [&all](std::size_t i) {
    return i == 0 || i == all.size() || function_of(all[i]) != function_of(all[i - 1]);
  };
  for (std::size_t i = all.size(); i-- > 0;) {
    if (!begins(i)) continue;
    out.append(function_of(all[i]));
    out.push_back('(');
  }
  out.push_back('@');
  for (std::size_t i = 0; i < all.size(); ++i) {
    out.append(", ");
    append_sql_string(out, all[i].path);
    if (all[i].operation != Operation::remove) {
      out.append(", ");
      if (!append_sql_value(out, all[i].value)) {
        out.truncate(start);
        return false;
      }
    }
    if (begins(i + 1)) out.push_back(')');
  }
  return true;
}

}  // namespace sluice::event
