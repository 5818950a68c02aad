#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sluice/config/pattern.h"
#include "sluice/pipeline/commands.h"
#include "sluice/queue/letters.h"

namespace sluice::pipeline {

// Which letters a command is about: those that fit all that was said, at most so many.
class ChosenLetters {
 public:
  // Errors: fatal/usage for a pattern or an EventId that cannot be read.
  static Result<ChosenLetters> make(const LetterChoice& choice);
  // Asked once for each letter, from the oldest on.
  bool take(const queue::Letter& letter);
  // No letter will be taken any more.
  bool full() const noexcept { return limit_ != 0 && taken_ == limit_; }

 private:
  std::optional<Pattern> table_;
  std::string reason_;
  std::optional<EventId> id_;
  std::uint64_t limit_ = 0, taken_ = 0;
};

// For a terminal: control characters and backslashes escaped, bytes that are no ASCII as they are.
std::string printable(std::string_view text);

// How many dead letters there are, in words; "" for none.
std::string dead_letters_text(const queue::Names& names, const queue::QueueInfo& info);
// The same of a broker that may be away: then "".
std::string dead_letters_now(const Options& options);

}  // namespace sluice::pipeline
