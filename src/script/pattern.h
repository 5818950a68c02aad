#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sluice::script {

// Patterns as Lua's manual defines them (6.4.1), matched in counted steps: Lua's own matcher can
// take hours for a short pattern, and nothing can stop it.  Nothing to destroy.
class Matcher {
 public:
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  static constexpr std::size_t kMostCaptures = 32;
  struct Capture {
    enum class Kind : std::uint8_t { open, closed, position };
    std::size_t begin = 0, size = 0;
    Kind kind = Kind::open;
  };

  // `steps`: how many it may take; counted down.
  Matcher(std::string_view subject, std::string_view pattern, std::uint64_t& steps) noexcept
      : subject_(subject), pattern_(pattern), steps_(&steps) {}

  // Where a match that begins at `at` ends; kNone: there is none, or failed().
  std::size_t match_at(std::size_t at) noexcept;
  // Of the last match.
  std::size_t captures() const noexcept { return level_; }
  const Capture& capture(std::size_t n) const noexcept { return captures_[n]; }
  // Out of steps, or the pattern is none.
  bool failed() const noexcept { return exhausted_ || error_ != nullptr; }
  const char* error() const noexcept { return error_; }  // null: out of steps

 private:
  std::size_t match(std::size_t s, std::size_t p) noexcept;
  std::size_t match_here(std::size_t s, std::size_t p) noexcept;
  std::size_t open(std::size_t s, std::size_t p, Capture::Kind kind) noexcept;
  std::size_t close(std::size_t s, std::size_t p) noexcept;
  std::size_t balance(std::size_t s, std::size_t p) noexcept;
  std::size_t back(std::size_t s, char digit) noexcept;
  std::size_t expand_most(std::size_t s, std::size_t p, std::size_t end) noexcept;
  std::size_t expand_least(std::size_t s, std::size_t p, std::size_t end) noexcept;
  std::size_t single_end(std::size_t p) noexcept;
  bool single(std::size_t s, std::size_t p, std::size_t end) const noexcept;
  bool in_set(unsigned char c, std::size_t p, std::size_t last) const noexcept;
  char pattern_at(std::size_t p) const noexcept { return p < pattern_.size() ? pattern_[p] : '\0'; }
  bool step(std::uint64_t n = 1) noexcept {
    if (failed()) return false;
    exhausted_ = *steps_ < n;
    *steps_ -= exhausted_ ? *steps_ : n;
    return !exhausted_;
  }
  std::size_t fail(const char* error) noexcept {
    if (error_ == nullptr) error_ = error;
    return kNone;
  }

  std::string_view subject_, pattern_;
  std::uint64_t* steps_;
  std::array<Capture, kMostCaptures> captures_{};
  std::size_t level_ = 0;
  int depth_ = 0;
  bool exhausted_ = false;
  const char* error_ = nullptr;
};

}  // namespace sluice::script
