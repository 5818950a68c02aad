#pragma once
#include <charconv>
#include <optional>
#include <string_view>
#include <system_error>

namespace sluice::config {

// All of `text` as decimal digits.
template <class T>
std::optional<T> digits(std::string_view text) {
  T value{};
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stop != end) return std::nullopt;
  return value;
}

}  // namespace sluice::config
