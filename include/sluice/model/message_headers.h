#pragma once
#include <cstdint>
#include <string>

#include "sluice/model/event_id.h"

namespace sluice {

// The version of message, header and line formats that this program writes and reads.
inline constexpr std::uint32_t kFormatVersion = 1;

// The AMQP headers of one message of a partition: the chain.
struct MessageHeaders {
  std::uint32_t version = kFormatVersion;
  EventId prev;         // of the last row sent to this partition before this message
  EventId first, last;  // of the rows in this message; both = prev when it holds ticks alone
  std::uint64_t rows = 0;
  std::string
      file;  // source position at the end of the last row's transaction, as far as it was read
  std::uint64_t pos = 0;
  std::string gtid;  // of the last row's transaction; "" without
  std::int64_t commit_us =
      0;  // commit time of the last row's transaction, microseconds since the epoch, source's clock
};

}  // namespace sluice
