#pragma once
#include <array>
#include <string>

#include <amqp.h>
#include <amqp_framing.h>

#include "sluice/queue/letters.h"

namespace sluice::queue {

// A dead letter's AMQP properties, version 1:
//   content_type  application/x-ndjson (one line, one row), application/octet-stream (a message as
//                 it came)
//   delivery_mode 2 (persistent)     timestamp  when it was refused, seconds
//   headers       v (long long), reason, error, file (text), pos (long long), gtid, table, key, id
//                 (text), partition, time (long long: commit time, microseconds since the epoch),
//                 refused (long long: microseconds since the epoch)
class LetterProperties {
 public:
  // Views into `letter` and this object; valid until the next call.
  const amqp_basic_properties_t& write(const Letter& letter);

 private:
  std::string id_;
  std::array<amqp_table_entry_t, 12> entries_{};
  amqp_basic_properties_t properties_{};
};

// Everything but the body.  Whatever is missing or of another type stays empty: a message of
// somebody else must not hide the letters behind it.
Letter read_letter(const amqp_basic_properties_t& properties);

}  // namespace sluice::queue
