#include "sluice/queue/baton.h"

#include <algorithm>
#include <string>
#include <utility>

#include <unistd.h>

#include "sluice/base/clock.h"
#include "sluice/base/host.h"

#include "queue/amqp_bytes.h"
#include "queue/confirm_channel.h"
#include "queue/link.h"
#include "queue/topology.h"

namespace sluice::queue {
namespace {

constexpr ChannelNumber kAsking = 1, kHolding = 2;
// A broker closes channels that hold a message for longer than its consumer_timeout (30 minutes;
// never looked at more often than each minute): the baton is given back, and comes again at once,
// for we stay the active consumer (rabbitmq-server v3.10.8, rabbit_channel.erl,
// evaluate_consumer_timeout).
constexpr std::chrono::seconds kRenewAfter{25};
constexpr std::string_view kText = "who holds this message leads";
constexpr std::string_view kMakeIt =
    "; queue.type existing declares nothing: make it, bound to the exchange by its name, as "
    "docs/operate.md says";
// One to hold; a second one, put there by who could not see that one is held, is taken away.
constexpr std::uint16_t kPrefetch = 2;

class AmqpBaton final : public Baton, private FrameSink {
 public:
  AmqpBaton(std::unique_ptr<Link> link, const Names& names, QueueOptions::Type type)
      : link_(std::move(link)), exchange_(names.exchange()), queue_(names.leader()), type_(type) {}
  Status prepare();
  Result<bool> wait(std::chrono::milliseconds timeout, Wakeup& wake) override;
  Time safe_until() const noexcept override {
    const auto heartbeat = link_->heartbeat_time();
    return heard_ + (heartbeat.count() != 0 ? heartbeat : link_->timeout());
  }

 private:
  Result<Link::Reply> request(ChannelNumber channel, MethodId id, const void* args,
                              MethodId answer) {
    return link_->call(channel, id, args, answer, *this);
  }
  // Queues that others declared: nothing is declared here.
  bool existing() const noexcept { return type_ == QueueOptions::Type::existing; }
  Error refused(const Link::Reply& reply) {
    Error e = broker_error(link_->peer(), reply.code, reply.text, false).at("queue " + queue_);
    if (e.code != Errc::queue_topology) return e;
    e.what += existing()
                  ? std::string(kMakeIt)
                  : "; it holds one message that says who leads; remedy: stop the instance's "
                    "publishers, then: rabbitmqctl delete_queue " +
                        queue_;
    return e;
  }
  Status declare();
  Status declare_exchange();
  Status bind();
  Status put();
  Status consume();
  Status on_frame(const Frame& frame) override;
  Status on_delivery(std::uint64_t tag);
  Status give_back();
  Status ask_for_a_sign();
  Status take_arrived();

  std::unique_ptr<Link> link_;
  const std::string exchange_, queue_;
  const QueueOptions::Type type_;
  std::uint64_t tag_ = 0;  // of the baton; 0: somebody else has it
  Time since_{};           // it was given to us
  bool coming_back_ = false;
  bool confirmed_ = false;
  Time heard_{}, ended_{};  // of the last wait that brought something; of the last wait
  Time asked_{};            // for a sign of life
};

// We come before whoever declares the rest.
Status AmqpBaton::declare_exchange() {
  const amqp_exchange_declare_t args = exchange_declaration(exchange_, false);
  SLUICE_TRY_ASSIGN(const auto reply, request(kAsking, AMQP_EXCHANGE_DECLARE_METHOD, &args,
                                              AMQP_EXCHANGE_DECLARE_OK_METHOD));
  if (!reply.closed) return {};
  Error e = broker_error(link_->peer(), reply.code, reply.text, false).at("exchange " + exchange_);
  if (e.code == Errc::queue_topology) e.what += kOtherExchangeRemedy;
  return e;
}

Status AmqpBaton::bind() {
  const amqp_queue_bind_t args = binding(queue_, exchange_);
  SLUICE_TRY_ASSIGN(const auto reply,
                    request(kAsking, AMQP_QUEUE_BIND_METHOD, &args, AMQP_QUEUE_BIND_OK_METHOD));
  if (reply.closed) return refused(reply);
  return {};
}

Status AmqpBaton::declare() {
  if (!existing()) SLUICE_TRY(declare_exchange());
  QueueArguments arguments(type_, QueueRole::leader, link_->broker());
  amqp_queue_declare_t args{};
  args.queue = amqp_bytes(queue_);
  args.durable = 1;
  args.passive = existing() ? 1 : 0;
  args.arguments = arguments.table();
  SLUICE_TRY_ASSIGN(const auto reply, request(kAsking, AMQP_QUEUE_DECLARE_METHOD, &args,
                                              AMQP_QUEUE_DECLARE_OK_METHOD));
  if (reply.closed) return refused(reply);
  const auto messages = reply.frame.as<amqp_queue_declare_ok_t>().message_count;
  if (!existing()) SLUICE_TRY(bind());
  // A message that is held is not counted, and who waits in line does not know whether one is:
  // better one too many, of which the holder keeps one, than none and nobody ever leads.
  if (messages != 0) return {};
  return put();
}

Status AmqpBaton::put() {
  amqp_basic_publish_t args{};
  // Not the default exchange: writing to that is a right of its own (amq.default).
  args.exchange = amqp_bytes(exchange_);
  args.routing_key = amqp_bytes(queue_);
  args.mandatory = 1;
  amqp_basic_properties_t properties{};
  properties._flags = AMQP_BASIC_CONTENT_TYPE_FLAG | AMQP_BASIC_DELIVERY_MODE_FLAG;
  properties.content_type = amqp_bytes("text/plain");
  properties.delivery_mode = AMQP_DELIVERY_PERSISTENT;
  SLUICE_TRY(link_->send_content(kAsking, args, properties, kText));
  const Time deadline = system_clock().steady() + link_->timeout();
  while (!confirmed_) {
    SLUICE_TRY(take_arrived());
    if (confirmed_) break;
    SLUICE_TRY_ASSIGN(const Link::Woken woken, link_->wait(deadline, nullptr));
    if (woken == Link::Woken::timeout)
      return link_->leave(lost(link_->peer(), "queue " + queue_ + " does not confirm a message"));
  }
  return {};
}

Status AmqpBaton::consume() {
  const amqp_channel_open_t open{};
  SLUICE_TRY_ASSIGN(
      auto reply, request(kHolding, AMQP_CHANNEL_OPEN_METHOD, &open, AMQP_CHANNEL_OPEN_OK_METHOD));
  if (reply.closed) return refused(reply);
  amqp_basic_qos_t qos{};
  qos.prefetch_count = kPrefetch;
  SLUICE_TRY_ASSIGN(reply,
                    request(kHolding, AMQP_BASIC_QOS_METHOD, &qos, AMQP_BASIC_QOS_OK_METHOD));
  if (reply.closed) return refused(reply);
  const std::string tag = host_name() + " pid " + std::to_string(::getpid());
  amqp_basic_consume_t consume{};
  consume.queue = amqp_bytes(queue_);
  consume.consumer_tag = amqp_bytes(tag);
  SLUICE_TRY_ASSIGN(
      reply, request(kHolding, AMQP_BASIC_CONSUME_METHOD, &consume, AMQP_BASIC_CONSUME_OK_METHOD));
  if (reply.closed) return refused(reply);
  return {};
}

Status AmqpBaton::prepare() {
  ended_ = heard_ = system_clock().steady();
  SLUICE_TRY(open_confirm_channel(*link_, kAsking, *this));
  SLUICE_TRY(declare());
  return consume();
}

// Of two the newer stays: the broker may have taken the older back without a word, when our node
// was cut off for a moment, and gives the same message again.  Then the ack of the older does
// nothing.
Status AmqpBaton::on_delivery(std::uint64_t tag) {
  const std::uint64_t older = coming_back_ ? 0 : std::exchange(tag_, tag);
  if (older == 0) {
    coming_back_ = false;
    tag_ = tag;
    since_ = heard_;
    return {};
  }
  amqp_basic_ack_t args{};
  args.delivery_tag = older;
  return link_->send_method(kHolding, AMQP_BASIC_ACK_METHOD, &args);
}

Status AmqpBaton::on_frame(const Frame& frame) {
  if (frame.kind != Frame::Kind::method) return {};  // its content says nothing new
  switch (frame.method) {
    case AMQP_BASIC_DELIVER_METHOD:
      return on_delivery(frame.as<amqp_basic_deliver_t>().delivery_tag);
    case AMQP_BASIC_ACK_METHOD: confirmed_ = true; return {};
    case AMQP_BASIC_QOS_OK_METHOD: return {};
    case AMQP_BASIC_RETURN_METHOD:
      if (existing()) {
        Error e = fatal(Errc::queue_topology, link_->peer().name() + ": queue " + queue_ +
                                                  " is not bound to exchange " + exchange_ +
                                                  " by its name");
        e.what += kMakeIt;
        return link_->leave(std::move(e));
      }
      [[fallthrough]];
    case AMQP_BASIC_NACK_METHOD:
      return link_->leave(lost(link_->peer(), "queue " + queue_ + " does not take a message"));
    case AMQP_BASIC_CANCEL_METHOD:
      return link_->leave(lost(link_->peer(), "queue " + queue_ + " was deleted or moved"));
    case AMQP_CHANNEL_CLOSE_METHOD: {
      const auto& close = frame.as<amqp_channel_close_t>();
      Error error = broker_error(link_->peer(), close.reply_code, view(close.reply_text), false);
      return link_->leave(std::move(error).at("queue " + queue_));
    }
    default:
      return link_->die(
          lost(link_->peer(), "method nobody waits for, " + std::to_string(frame.method)));
  }
}

Status AmqpBaton::take_arrived() {
  for (;;) {
    SLUICE_TRY_ASSIGN(const auto frame, link_->next_frame());
    if (!frame) return {};
    SLUICE_TRY(on_frame(*frame));
  }
}

Status AmqpBaton::give_back() {
  amqp_basic_reject_t args{};
  args.delivery_tag = tag_;
  args.requeue = 1;
  coming_back_ = true;
  return link_->send_method(kHolding, AMQP_BASIC_REJECT_METHOD, &args);
}

// A broker that has just sent something sends its next heartbeat almost a whole heartbeat later,
// and by then we should be in doubt.  Its answer to this comes at once and changes nothing.
Status AmqpBaton::ask_for_a_sign() {
  asked_ = ended_;
  amqp_basic_qos_t qos{};
  qos.prefetch_count = kPrefetch;
  return link_->send_method(kAsking, AMQP_BASIC_QOS_METHOD, &qos);
}

Result<bool> AmqpBaton::wait(std::chrono::milliseconds timeout, Wakeup& wake) {
  const Time began = system_clock().steady();
  const auto patience = safe_until() - heard_;
  // After a standstill of this process what lies in the socket may be old.
  const bool fresh = began - ended_ < patience / 2;
  SLUICE_TRY(take_arrived());
  const bool held = tag_ != 0;
  SLUICE_TRY_ASSIGN(const Link::Woken woken, link_->wait(began + timeout, &wake));
  if (woken == Link::Woken::wake) wake.clear();
  // What came was sent after this wait began, or a moment before.
  if (woken == Link::Woken::data && fresh) heard_ = began;
  SLUICE_TRY(take_arrived());
  ended_ = system_clock().steady();
  if (tag_ == 0) return false;
  if (!held) since_ = heard_ = ended_;
  if (coming_back_ && ended_ - since_ > kRenewAfter + patience)
    return link_->leave(lost(link_->peer(), "queue " + queue_ + " does not give the message back"));
  if (!coming_back_ && ended_ - since_ > kRenewAfter) SLUICE_TRY(give_back());
  if (ended_ - std::max(heard_, asked_) > patience / 2) SLUICE_TRY(ask_for_a_sign());
  return true;
}

}  // namespace

Result<std::unique_ptr<Baton>> Baton::connect(Brokers& brokers, const Names& names) {
  SLUICE_TRY_ASSIGN(auto link, Link::open(brokers, names.exchange() + " leader"));
  auto baton = std::make_unique<AmqpBaton>(std::move(link), names, brokers.options().type());
  SLUICE_TRY(baton->prepare());
  return std::unique_ptr<Baton>(std::move(baton));
}

}  // namespace sluice::queue
