#include "sluice/binlog/inflate.h"

#include <limits>

#define ZLIB_CONST
#include <zlib.h>

namespace sluice::binlog {
namespace {

// One bit of a deflate stream makes at most 258 bytes (zlib: doc/algorithm.txt), so no stream
// inflates to more than 1032 times its size, but for its head.
constexpr std::size_t kMaxRatio = 1032;
constexpr std::size_t kSlack = 64;
constexpr int kWindowBits = 15;

class Inflater {
 public:
  Inflater() noexcept : ready_(inflateInit2(&stream_, kWindowBits) == Z_OK) {}
  ~Inflater() {
    if (ready_) inflateEnd(&stream_);
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  // All at once: zlib then needs no window of its own.
  bool run(Bytes deflated, InflateFormat format, char* to, std::size_t size) noexcept {
    const int bits = format == InflateFormat::raw ? -kWindowBits : kWindowBits;
    if (!ready_ || inflateReset2(&stream_, bits) != Z_OK) return false;
    stream_.next_in = reinterpret_cast<const Bytef*>(deflated.data());
    stream_.avail_in = static_cast<uInt>(deflated.size());
    stream_.next_out = reinterpret_cast<Bytef*>(to);
    stream_.avail_out = static_cast<uInt>(size);
    return ::inflate(&stream_, Z_FINISH) == Z_STREAM_END && stream_.avail_in == 0 &&
           stream_.avail_out == 0;
  }

 private:
  z_stream stream_{};
  bool ready_;
};

}  // namespace

bool inflate(Bytes deflated, InflateFormat format, std::size_t size, TextBuffer& out) {
  constexpr std::size_t kMost = std::numeric_limits<uInt>::max();
  if (deflated.empty() || deflated.size() > kMost || size > kMost ||
      size / kMaxRatio > deflated.size() + kSlack)
    return false;
  thread_local Inflater inflater;
  // One more than needed: zlib takes no null pointer, not even for nothing.
  if (!inflater.run(deflated, format, out.room(size + 1), size)) return false;
  out.commit(size);
  return true;
}

}  // namespace sluice::binlog
