#include "app/terminal.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <iostream>
#include <system_error>

#include <unistd.h>

namespace sluice::app {
namespace {

constexpr auto kRedraw = std::chrono::milliseconds(200);
constexpr std::string_view kEraseLine = "\r\033[K";
constexpr unsigned kBarWidth = 30;

}  // namespace

Terminal::Terminal(bool progress)
    : progress_(progress && ::isatty(STDERR_FILENO) != 0 && ::isatty(STDOUT_FILENO) == 0) {}

Status Terminal::write(std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(STDOUT_FILENO, text.data(), text.size());
    if (n >= 0) {
      text.remove_prefix(static_cast<std::size_t>(n));
    } else if (errno == EPIPE) {
      return stopped();  // `sluice decode ... | head`: all that was wanted has been read
    } else if (errno != EINTR) {
      return fatal(Errc::io, std::string("cannot write the output: ") +
                                 std::generic_category().message(errno));
    }
  }
  return {};
}

void Terminal::progress(const std::string& file, std::uint64_t offset, std::uint64_t size,
                        const decode::DecodeTotals& totals) {
  if (!progress_) return;
  const auto now = Clock::now();
  if (now < next_) return;
  next_ = now + kRedraw;
  const double seconds = std::max(std::chrono::duration<double>(now - started_).count(), 0.001);
  const double megabytes = static_cast<double>(totals.bytes) / 1e6;
  std::array<char, 160> text{};
  int n = 0;
  if (size != 0) {
    const double part = std::min(static_cast<double>(offset) / static_cast<double>(size), 1.0);
    std::string bar(static_cast<std::size_t>(part * kBarWidth), '#');
    bar.resize(kBarWidth, '.');
    n = std::snprintf(text.data(), text.size(), " [%s] %3.0f %%", bar.c_str(), part * 100);
  }
  std::array<char, 96> counts{};
  const int m =
      std::snprintf(counts.data(), counts.size(), "  %.0f MB  %llu rows  %.0f MB/s", megabytes,
                    static_cast<unsigned long long>(totals.rows), megabytes / seconds);
  std::cerr << kEraseLine << file << std::string_view(text.data(), static_cast<std::size_t>(n))
            << std::string_view(counts.data(), static_cast<std::size_t>(m)) << std::flush;
  shown_ = true;
}

void Terminal::note(const std::string& text) {
  end();
  std::cerr << "note: " << text << '\n';
}

void Terminal::end() {
  if (shown_) std::cerr << kEraseLine << std::flush;
  shown_ = false;
}

}  // namespace sluice::app
