#pragma once
#include "sluice/base/text_buffer.h"
#include "sluice/binlog/unpacker.h"

namespace sluice::binlog {

// The event that a QUERY_COMPRESSED or *_ROWS_COMPRESSED stands for.
bool is_compressed_event(EventType type) noexcept;

// Gives `event` the plain type, and a body that is put together in `buffer` (what is there already
// is dropped).  Errors: fatal/binlog_truncated, binlog_malformed, binlog_unsupported.
Status inflate_event(EventView& event, const FormatDescription& format, std::uint64_t event_bytes,
                     TextBuffer& buffer);

// Puts a ROWS event together from its PARTIAL_ROW_DATA.
class FragmentReader {
 public:
  // Takes the next piece; true when it was the last.  Errors: fatal/binlog_truncated,
  // binlog_malformed (a piece is missing or of another event), binlog_unsupported; what was
  // gathered is then dropped.
  Result<bool> add(Bytes body, std::uint64_t event_bytes);
  // The whole event; when add() said that it is.  Views until the next add().  Errors: as add().
  Result<EventView> event(const FormatDescription& format) const;

  bool pending() const noexcept { return due_ != 0; }
  void reset() noexcept;
  std::size_t memory() const noexcept { return gathered_.capacity(); }

 private:
  Result<bool> take(Bytes body, std::uint64_t event_bytes);
  Status begin(std::uint32_t a, std::uint32_t b, std::uint64_t size, std::uint64_t event_bytes);

  std::uint32_t due_ = 0;  // number of the piece that must come next; 0: none
  std::uint32_t count_ = 0;
  bool number_first_ = false;  // of the two numbers at the head of a piece
  std::uint64_t size_ = 0;     // of the event
  TextBuffer gathered_;
};

}  // namespace sluice::binlog
