#include "queue/topology.h"

#include <algorithm>

#include "queue/amqp_bytes.h"

namespace sluice::queue {

QueueArguments::QueueArguments(QueueOptions::Type type, QueueRole role, const BrokerInfo& broker,
                               std::uint64_t max_length_bytes) {
  const bool quorum = type == QueueOptions::Type::quorum;
  const auto add = [this](const amqp_table_entry_t& e) {
    entries_[static_cast<std::size_t>(count_++)] = e;
  };
  add(text_entry("x-queue-type", quorum ? "quorum" : "classic"));
  // A dead letter has no order to keep; whoever looks at them may be many.  DDL is for others, who
  // may want to look with basic.get, which such queues refuse.
  if (role != QueueRole::dead && role != QueueRole::ddl)
    add(flag_entry("x-single-active-consumer", true));
  // From 4.0 a quorum queue drops a message at its 21st delivery unless told not to; 3.x accepts -1
  // and then drops at the first redelivery (both measured; rabbitmq-server v4.0.0, release notes
  // "delivery limit").
  if (quorum && broker.major >= 4) add(int_entry("x-delivery-limit", -1));
  if (role == QueueRole::partition && max_length_bytes != 0) {
    // The default, drop-head, would lose the oldest rows.  Quorum queues have both since 3.8.
    add(int_entry("x-max-length-bytes", static_cast<std::int64_t>(max_length_bytes)));
    add(text_entry("x-overflow", "reject-publish"));
  }
}

amqp_exchange_declare_t exchange_declaration(const std::string& name, bool passive) {
  amqp_exchange_declare_t args{};
  args.exchange = amqp_bytes(name);
  args.type = amqp_bytes("direct");
  args.durable = 1;
  args.passive = passive ? 1 : 0;
  return args;
}

amqp_queue_bind_t binding(const std::string& queue, const std::string& exchange) {
  amqp_queue_bind_t args{};
  args.queue = args.routing_key = amqp_bytes(queue);
  args.exchange = amqp_bytes(exchange);
  return args;
}

std::uint16_t prefetch_count(std::uint64_t prefetch_bytes, std::uint64_t message_bytes,
                             std::uint32_t share) {
  const std::uint64_t each =
      std::max<std::uint64_t>(message_bytes, 1) * std::max<std::uint32_t>(share, 1);
  return static_cast<std::uint16_t>(std::clamp<std::uint64_t>(prefetch_bytes / each, 2, 64));
}

std::string other_arguments_remedy(const std::string& queue, std::string_view text) {
  if (text.find("x-delivery-limit") != std::string_view::npos) {
    return "the queue was made under RabbitMQ 3.x, where it had no delivery limit; here it would "
           "drop messages after 20 deliveries; "
           "remedy: let it drain, then: rabbitmqctl delete_queue " +
           queue +
           "; or keep it with a policy, and declare nothing (queue.type: existing): rabbitmqctl "
           "set_policy --apply-to quorum_queues sluice-delivery-limit '^sluice\\.' "
           "'{\"delivery-limit\":-1}'";
  }
  if (text.find("x-max-length-bytes") != std::string_view::npos ||
      text.find("x-overflow") != std::string_view::npos) {
    return "the queue has another limit than queue.max_length_bytes; remedy: set that back to what "
           "the queue was made with, or let it drain, then: rabbitmqctl delete_queue " +
           queue;
  }
  return "another program or other settings made it (queue.type?); remedy: set queue.type back, or "
         "let it drain, then: "
         "rabbitmqctl delete_queue " +
         queue;
}

}  // namespace sluice::queue
