#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sluice/base/result.h"
#include "sluice/base/text_buffer.h"
#include "sluice/model/event_id.h"
#include "sluice/position/state_file.h"

namespace sluice::position {

// A place the source was at, comparable over epochs and files.
struct TickMark {
  std::uint32_t epoch = 0;
  std::uint64_t file_number = 0;
  std::uint64_t pos = 0;
  std::string file;
  std::string gtid_set;    // executed there; "" when not known
  std::int64_t es_ms = 0;  // commit time of the last transaction before it
  // Order of place; texts do not count.
  bool before(const TickMark& other) const noexcept;
  friend bool operator==(const TickMark&, const TickMark&) = default;
};

// What Redis holds per partition under `sluice:<instance>:p<P>:<n>`: how far it is.
struct AppliedRecord {
  EventId id;        // of the last row applied
  std::string gtid;  // of its transaction
  std::uint64_t ordinal =
      0;  // how many rows of that transaction were applied from this partition, this one included
  std::string layout;  // fingerprint
  TickMark tick;       // complete up to here
  friend bool operator==(const AppliedRecord&, const AppliedRecord&) = default;
};
std::string applied_key(std::string_view instance, std::uint32_t partitions, std::uint32_t n);
std::string watermark_key(std::string_view instance);  // sluice:<instance>:watermark

// Compact JSON, version 1.  append does not allocate beyond `out`.
void append(TextBuffer& out, const AppliedRecord& record);
// Errors: fatal/position_damaged; fatal/position_mismatch for a later version.
Result<AppliedRecord> parse_applied(std::string_view text);

// The smallest tick over all partitions: everything up to it is in Redis.
struct Watermark {
  TickMark tick;
  std::int64_t updated_at_ms = 0;
};
std::string encode(const Watermark& watermark);
Result<Watermark> parse_watermark(std::string_view text);

}  // namespace sluice::position
