#pragma once
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "sluice/decode/decoder.h"

namespace sluice::app {

// Standard output, and a progress line on standard error while that is a terminal and the output
// goes elsewhere.
class Terminal final : public decode::DecodeSink {
 public:
  explicit Terminal(bool progress);
  // Errors: fatal/io; stopped when the reader of a pipe has gone.
  Status write(std::string_view text) override;
  void progress(const std::string& file, std::uint64_t offset, std::uint64_t size,
                const decode::DecodeTotals& totals) override;
  void note(const std::string& text) override;
  // Takes the progress line away.
  void end();

 private:
  using Clock = std::chrono::steady_clock;
  bool progress_;
  bool shown_ = false;
  Clock::time_point started_ = Clock::now(), next_ = started_;
};

}  // namespace sluice::app
