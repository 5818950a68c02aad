#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include <amqp.h>

#include "sluice/config/options.h"
#include "sluice/queue/connection.h"

namespace sluice::queue {

enum class QueueRole : std::uint8_t { partition, dead, control, ddl, leader };

// The arguments a queue of ours is declared with.
class QueueArguments {
 public:
  // `max_length_bytes` (0: none) is for partition queues alone.
  QueueArguments(QueueOptions::Type type, QueueRole role, const BrokerInfo& broker,
                 std::uint64_t max_length_bytes = 0);
  // Views into this object.
  amqp_table_t table() noexcept { return {count_, entries_.data()}; }

 private:
  std::array<amqp_table_entry_t, 5> entries_{};
  int count_ = 0;
};

// The instance's exchange; views into `name`.
amqp_exchange_declare_t exchange_declaration(const std::string& name, bool passive);
// The queue to the exchange, by the queue's name; views into both.
amqp_queue_bind_t binding(const std::string& queue, const std::string& exchange);
inline constexpr std::string_view kOtherExchangeRemedy =
    "; remedy: delete the exchange, it is made again as durable and direct";

// How many unacked messages a partition's channel may hold: its part of queue.prefetch_bytes when
// `share` partitions are served by one consumer and messages have their full size.  At least 2, so
// that one is on its way while another is applied; at most 64, where more buys nothing: an applier
// takes a partition's messages one at a time.
std::uint16_t prefetch_count(std::uint64_t prefetch_bytes, std::uint64_t message_bytes,
                             std::uint32_t share);

// The remedy for a queue that is there with other arguments than ours; `text` is the broker's
// reason, which names the first argument that differs.
std::string other_arguments_remedy(const std::string& queue, std::string_view text);

}  // namespace sluice::queue
