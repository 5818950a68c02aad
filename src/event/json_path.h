#pragma once
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::event {

// The legs of a JSON path that names one place: $.a."quoted key"[3][last-1].  Reuses its memory.
class JsonPath {
 public:
  struct Leg {
    bool member = false;
    std::string_view key;     // member, its escapes taken off
    std::uint32_t index = 0;  // array cell
    bool from_end = false;    // counted from the last one: 0 is [last]

    // Where the cell is in an array of this size.
    struct Place {
      std::size_t at = 0;  // where it would be put: at most the size
      bool exists = false;
    };
    Place place(std::size_t array_size) const noexcept;
  };

  // False for what is no path, and for one with wildcards or ranges.  Keys are views into `path`,
  // or into this object until forget_keys().
  bool parse(std::string_view path);
  std::span<const Leg> legs() const noexcept { return legs_; }
  void forget_keys() { keys_.clear(); }

 private:
  bool parse_member(std::string_view& rest);
  bool parse_cell(std::string_view& rest);
  bool decode_key(std::string_view quoted, std::string_view& key);
  std::vector<Leg> legs_;
  std::deque<std::string> keys_;  // those that had escapes
};

}  // namespace sluice::event
