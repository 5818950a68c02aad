#pragma once
#include <memory>
#include <optional>

#include "sluice/base/text_buffer.h"
#include "sluice/binlog/unpacker.h"

namespace sluice::binlog {

// Inflates frames of zstd, one after the other, piece by piece.
class ZstdStream {
 public:
  ZstdStream();
  ~ZstdStream();
  ZstdStream(const ZstdStream&) = delete;
  ZstdStream& operator=(const ZstdStream&) = delete;
  void open(Bytes deflated) noexcept;
  // Writes at most `room` bytes at `to`; fewer only when the last frame has ended.  Errors:
  // fatal/binlog_truncated, binlog_malformed, binlog_unsupported (a window above the cap).
  Result<std::size_t> read(char* to, std::size_t room);
  std::size_t memory() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
  Bytes in_;
  bool in_frame_ = false;
};

// The events of one TRANSACTION_PAYLOAD.
class PayloadReader {
 public:
  // `body` must outlive the reading.
  Status open(Bytes body, std::size_t header_len, const UnpackLimits& limits);
  Result<bool> next(EventView& out);
  void close() noexcept;
  std::size_t memory() const noexcept { return buffer_.capacity() + zstd_.memory(); }

 private:
  Status read_fields(Bytes body);
  // Until n bytes are there, or all that there are.
  Status fetch(std::size_t n);
  Bytes ready() const noexcept;
  Status check_size() const;

  ZstdStream zstd_;
  UnpackLimits limits_;
  std::size_t header_len_ = EventHeader::kSize;
  bool compressed_ = false;
  bool ended_ = true;        // nothing more comes out of zstd_
  Bytes payload_;            // as in the event
  std::size_t begin_ = 0;    // of what has not been given out: in buffer_, or in payload_ as it is
  TextBuffer buffer_;        // inflated
  std::uint64_t total_ = 0;  // inflated so far
  std::optional<std::uint64_t> declared_;
};

}  // namespace sluice::binlog
