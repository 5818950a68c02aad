#include <utility>

#include "sluice/queue/connection.h"

#include "queue/amqp_bytes.h"
#include "queue/link.h"
#include "queue/topology.h"

namespace sluice::queue {
namespace {

// Requests go one at a time: nothing else is expected on a channel.
class NoSink final : public FrameSink {
 public:
  Status on_frame(const Frame& frame) override {
    return retry(Errc::queue_lost,
                 "frame nobody waits for, method " + std::to_string(frame.method));
  }
};

class AmqpAdmin final : public Admin {
 public:
  AmqpAdmin(std::unique_ptr<Link> link, const QueueOptions& options)
      : link_(std::move(link)),
        type_(options.type()),
        max_length_bytes_(options.max_length_bytes().bytes()) {}

  const BrokerInfo& broker() const noexcept override { return link_->broker(); }
  Result<std::optional<QueueInfo>> inspect(const std::string& queue) override;
  Status declare(const Names& names, const std::vector<bool>& expected) override;
  Result<std::uint64_t> purge(const std::string& queue) override;
  Status remove_queue(const std::string& queue) override;
  Status remove_exchange(const std::string& exchange) override;

 private:
  // Looking closes its channel when there is nothing; declaring has one of its own, so that neither
  // spoils the other.
  enum Channel : ChannelNumber { looking = 1, declaring = 2 };

  Result<Link::Reply> request(Channel channel, MethodId id, const void* args, MethodId answer);
  // As request(), but a refusal is an error that names the object.
  Status require(Channel channel, MethodId id, const void* args, MethodId answer,
                 const std::string& what);
  Error refused(const Link::Reply& reply, const std::string& what) const;
  Error loss(const std::string& queue) const;
  // queue.type existing: everything is there.
  Status require_existing(const Names& names, const std::vector<bool>& expected);
  Result<bool> has_exchange(const std::string& name);
  Status declare_exchange(const std::string& name);
  Status declare_queue(const std::string& exchange, const std::string& queue, QueueRole role,
                       bool expected);

  std::unique_ptr<Link> link_;
  const QueueOptions::Type type_;
  const std::uint64_t max_length_bytes_;
  bool open_[3] = {};
  NoSink sink_;
};

Result<Link::Reply> AmqpAdmin::request(Channel channel, MethodId id, const void* args,
                                       MethodId answer) {
  if (!open_[channel]) {
    const amqp_channel_open_t open{};
    SLUICE_TRY_ASSIGN(auto reply, link_->call(channel, AMQP_CHANNEL_OPEN_METHOD, &open,
                                              AMQP_CHANNEL_OPEN_OK_METHOD, sink_));
    if (reply.closed) return refused(reply, "channel");
    open_[channel] = true;
  }
  auto reply = link_->call(channel, id, args, answer, sink_);
  if (reply.ok() && reply->closed) open_[channel] = false;
  return reply;
}

Error AmqpAdmin::refused(const Link::Reply& reply, const std::string& what) const {
  return broker_error(link_->peer(), reply.code, reply.text, false).at(what);
}

Status AmqpAdmin::require(Channel channel, MethodId id, const void* args, MethodId answer,
                          const std::string& what) {
  SLUICE_TRY_ASSIGN(const auto reply, request(channel, id, args, answer));
  if (reply.closed) return refused(reply, what);
  return {};
}

Result<std::optional<QueueInfo>> AmqpAdmin::inspect(const std::string& queue) {
  amqp_queue_declare_t args{};
  args.queue = amqp_bytes(queue);
  args.passive = 1;
  SLUICE_TRY_ASSIGN(const auto reply, request(looking, AMQP_QUEUE_DECLARE_METHOD, &args,
                                              AMQP_QUEUE_DECLARE_OK_METHOD));
  if (!reply.closed) {
    const auto& found = reply.frame.as<amqp_queue_declare_ok_t>();
    return std::optional<QueueInfo>(QueueInfo{found.message_count, found.consumer_count});
  }
  Error error = refused(reply, "queue " + queue);
  // A queue whose node is down answers 404, too, but it is there: that one is of class retry.
  if (reply.code == AMQP_NOT_FOUND && error.cls == ErrorClass::fatal)
    return std::optional<QueueInfo>();
  return error;
}

Status AmqpAdmin::declare_exchange(const std::string& name) {
  const amqp_exchange_declare_t args = exchange_declaration(name, false);
  SLUICE_TRY_ASSIGN(const auto reply, request(declaring, AMQP_EXCHANGE_DECLARE_METHOD, &args,
                                              AMQP_EXCHANGE_DECLARE_OK_METHOD));
  if (!reply.closed) return {};
  Error error = refused(reply, "exchange " + name);
  if (error.code == Errc::queue_topology) error.what += kOtherExchangeRemedy;
  return error;
}

Error AmqpAdmin::loss(const std::string& queue) const {
  return fatal(Errc::queue_topology,
               link_->peer().name() + ": queue " + queue +
                   " is gone: messages sent to it may be lost; remedy: when the broker is to come "
                   "back with it, start again then; otherwise `sluice reset --config FILE --yes`, "
                   "and load the tables into Redis anew as docs/operate.md says (\"Redis came back "
                   "older or empty\")");
}

Result<bool> AmqpAdmin::has_exchange(const std::string& name) {
  const amqp_exchange_declare_t args = exchange_declaration(name, true);
  SLUICE_TRY_ASSIGN(const auto reply, request(looking, AMQP_EXCHANGE_DECLARE_METHOD, &args,
                                              AMQP_EXCHANGE_DECLARE_OK_METHOD));
  if (!reply.closed) return true;
  if (reply.code == AMQP_NOT_FOUND) return false;
  return refused(reply, "exchange " + name);
}

Status AmqpAdmin::require_existing(const Names& names, const std::vector<bool>& expected) {
  std::string missing;
  const auto miss = [&missing](std::string_view what, const std::string& name) {
    missing.append(missing.empty() ? "" : ", ").append(what).append(" ").append(name);
  };
  SLUICE_TRY_ASSIGN(const bool exchange, has_exchange(names.exchange()));
  if (!exchange) miss("exchange", names.exchange());
  std::vector<std::string> queues;
  for (std::uint32_t n = 0; n < names.partitions; ++n) queues.push_back(names.partition(n));
  if (names.with_ddl) queues.push_back(names.ddl());
  queues.push_back(names.dead());
  queues.push_back(names.control());
  for (std::size_t n = 0; n < queues.size(); ++n) {
    SLUICE_TRY_ASSIGN(const auto found, inspect(queues[n]));
    if (found) continue;
    if (n < names.partitions && n < expected.size() && expected[n]) return loss(queues[n]);
    miss("queue", queues[n]);
  }
  if (missing.empty()) return {};
  return fatal(Errc::queue_topology,
               link_->peer().name() + " has no " + missing +
                   ", and queue.type existing declares nothing; remedy: make them as "
                   "docs/operate.md says, or set queue.type to quorum for one start");
}

Status AmqpAdmin::declare_queue(const std::string& exchange, const std::string& queue,
                                QueueRole role, bool expected) {
  SLUICE_TRY_ASSIGN(const auto found, inspect(queue));
  if (!found && expected) return loss(queue);
  QueueArguments arguments(type_, role, link_->broker(), max_length_bytes_);
  amqp_queue_declare_t args{};
  args.queue = amqp_bytes(queue);
  args.durable = 1;
  args.arguments = arguments.table();
  SLUICE_TRY_ASSIGN(const auto reply, request(declaring, AMQP_QUEUE_DECLARE_METHOD, &args,
                                              AMQP_QUEUE_DECLARE_OK_METHOD));
  if (reply.closed) {
    Error error = refused(reply, "queue " + queue);
    if (error.code == Errc::queue_topology)
      error.what += "; " + other_arguments_remedy(queue, reply.text);
    return error;
  }
  const amqp_queue_bind_t bind = binding(queue, exchange);
  return require(declaring, AMQP_QUEUE_BIND_METHOD, &bind, AMQP_QUEUE_BIND_OK_METHOD,
                 "binding of queue " + queue);
}

Status AmqpAdmin::declare(const Names& names, const std::vector<bool>& expected) {
  if (type_ == QueueOptions::Type::existing) return require_existing(names, expected);
  const std::string exchange = names.exchange();
  SLUICE_TRY(declare_exchange(exchange));
  for (std::uint32_t n = 0; n < names.partitions; ++n) {
    const bool known = n < expected.size() && expected[n];
    SLUICE_TRY(declare_queue(exchange, names.partition(n), QueueRole::partition, known));
  }
  SLUICE_TRY(declare_queue(exchange, names.dead(), QueueRole::dead, false));
  if (names.with_ddl) SLUICE_TRY(declare_queue(exchange, names.ddl(), QueueRole::ddl, false));
  return declare_queue(exchange, names.control(), QueueRole::control, false);
}

Result<std::uint64_t> AmqpAdmin::purge(const std::string& queue) {
  amqp_queue_purge_t args{};
  args.queue = amqp_bytes(queue);
  SLUICE_TRY_ASSIGN(const auto reply,
                    request(declaring, AMQP_QUEUE_PURGE_METHOD, &args, AMQP_QUEUE_PURGE_OK_METHOD));
  if (reply.closed) return refused(reply, "queue " + queue);
  return std::uint64_t{reply.frame.as<amqp_queue_purge_ok_t>().message_count};
}

Status AmqpAdmin::remove_queue(const std::string& queue) {
  amqp_queue_delete_t args{};
  args.queue = amqp_bytes(queue);
  return require(declaring, AMQP_QUEUE_DELETE_METHOD, &args, AMQP_QUEUE_DELETE_OK_METHOD,
                 "queue " + queue);
}

Status AmqpAdmin::remove_exchange(const std::string& exchange) {
  amqp_exchange_delete_t args{};
  args.exchange = amqp_bytes(exchange);
  return require(declaring, AMQP_EXCHANGE_DELETE_METHOD, &args, AMQP_EXCHANGE_DELETE_OK_METHOD,
                 "exchange " + exchange);
}

}  // namespace

Result<std::unique_ptr<Admin>> Admin::connect(Brokers& brokers) {
  SLUICE_TRY_ASSIGN(auto link, Link::open(brokers, "sluice admin"));
  return std::unique_ptr<Admin>(std::make_unique<AmqpAdmin>(std::move(link), brokers.options()));
}

Result<std::unique_ptr<Admin>> Admin::connect(const QueueOptions& options) {
  Brokers once(options);
  return connect(once);
}

}  // namespace sluice::queue
