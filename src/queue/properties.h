#pragma once
#include <array>
#include <string>
#include <string_view>

#include <amqp.h>
#include <amqp_framing.h>

#include "sluice/base/result.h"
#include "sluice/base/text_buffer.h"
#include "sluice/model/message_headers.h"

namespace sluice::queue {

// A message's AMQP properties, version 1:
//   content_type  application/x-ndjson      delivery_mode  2 (persistent)
//   content_encoding  zstd, or absent
//   message_id    LAST/ROWS                 timestamp      commit time, seconds (absent when
//   unknown) headers       v (long long), prev, first, last (EventId as text), rows (long long),
//   file (text), pos (long long),
//                 gtid (text), time (long long: commit time, microseconds since the epoch)
class PropertiesWriter {
 public:
  // Views into `headers` and this object; valid until the next call.
  // `encoding`: the body's content_encoding; empty: none.
  const amqp_basic_properties_t& write(const MessageHeaders& headers,
                                       std::string_view encoding = {});

 private:
  TextBuffer text_;
  std::array<amqp_table_entry_t, 9> entries_{};
  amqp_basic_properties_t properties_{};
};

// The body's content_encoding; empty when there is none.  A view into `properties`.
std::string_view encoding_of(const amqp_basic_properties_t& properties);

// Errors: poison/queue_message for a header that is missing, of another type, or no EventId;
// fatal/queue_message for a message of a later version.
Result<MessageHeaders> read_properties(const amqp_basic_properties_t& properties);

}  // namespace sluice::queue
