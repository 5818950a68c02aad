#pragma once
#include <span>
#include <string>
#include <string_view>

namespace sluice::config {

// The fewest insertions, deletions, replacements and swaps of neighbours that make `b` out of `a`.
std::size_t edit_distance(std::string_view a, std::string_view b);

// Of `names` the one that `typed` was most likely meant to be; empty when none is near.  Views into
// `names`.
std::string_view nearest(std::string_view typed, std::span<const std::string> names);

}  // namespace sluice::config
