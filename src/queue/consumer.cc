#include "sluice/queue/consumer.h"

#include <algorithm>
#include <atomic>
#include <deque>
#include <utility>
#include <vector>

#include <unistd.h>

#include "sluice/base/clock.h"
#include "sluice/base/log.h"

#include "queue/amqp_bytes.h"
#include "queue/body_codec.h"
#include "queue/body_pool.h"
#include "queue/link.h"
#include "queue/properties.h"
#include "queue/topology.h"

namespace sluice::queue {
namespace {

// A delivery tag counts from 1 on each channel.  The tags shown outside carry which opening of a
// channel they belong to, so that one of an earlier channel, or of an earlier Consumer, never
// acknowledges a later message.
constexpr unsigned kTagBits = 40;
constexpr std::uint64_t kTagMask = (std::uint64_t{1} << kTagBits) - 1;
// The largest message RabbitMQ can be configured to take is 512 MiB (rabbitmq-server v3.10.8,
// MAX_MSG_SIZE).
constexpr std::uint64_t kMaxBody = 512ULL << 20U;
// Memory taken on the word of a content header; beyond it the buffer grows with what arrives.
constexpr std::uint64_t kReserve = 16ULL << 20U;

// Unique in the process, hence the one global: openings are told apart across connections.
std::uint64_t next_opening() {
  static std::atomic<std::uint64_t> last{0};
  return (last.fetch_add(1, std::memory_order_relaxed) + 1) & (~std::uint64_t{0} >> kTagBits);
}

class AmqpConsumer final : public Consumer, private FrameSink {
 public:
  AmqpConsumer(std::unique_ptr<Link> link, const QueueOptions& options, const Names& names,
               Share share)
      : link_(std::move(link)),
        names_(names),
        number_of_(names.partitions, 0),
        closed_(names.partitions, false),
        channels_(1),
        pool_(
            std::make_shared<BodyPool>(static_cast<std::size_t>(options.prefetch_bytes().bytes()))),
        prefetch_bytes_(options.prefetch_bytes().bytes()),
        message_bytes_(options.message_bytes().bytes()),
        share_(std::move(share)) {}

  Status start(std::uint32_t partition) override;
  Status stop(std::uint32_t partition) override;
  bool started(std::uint32_t partition) const noexcept override {
    return partition < number_of_.size() && number_of_[partition] != 0;
  }
  Result<std::optional<Delivery>> next(std::chrono::milliseconds timeout, Wakeup& wake) override;
  Status serve() override;
  Status ack(std::uint32_t partition, std::uint64_t tag) override;

 private:
  enum class State : std::uint8_t {
    free,
    open,
    closing
  };  // closing: until channel.close-ok the number is taken
  enum class Part : std::uint8_t { method, header, body };  // what a channel brings next
  struct Channel {
    State state = State::free;
    Part part = Part::method;
    std::uint32_t partition = 0;
    std::uint64_t opening = 0;
    std::uint64_t last_delivered = 0, last_acked = 0;
    std::uint16_t prefetch = 0;
    // The message under way.
    Delivery delivery;
    std::shared_ptr<TextBuffer> body;
    std::uint64_t missing = 0;
    bool compressed = false;
  };
  Result<ChannelNumber> take_number();
  // Asks for the share; what a channel may hold now.
  std::uint16_t prefetch();
  // A prefetch count holds for as long as its channel.
  Status stop_the_larger();
  Status on_frame(const Frame& frame) override;
  Status on_method(ChannelNumber number, Channel& c, const Frame& frame);
  Status on_header(Channel& c, const Frame& frame);
  void finish_message(Channel& c);
  Error unreadable(const Channel& c, Error error) const;
  // The channel is no longer `started`, what it brought is dropped.
  void leave(Channel& c, State state);
  Status refuse(ChannelNumber number, const Link::Reply& reply);
  Status protocol_error(std::string_view what) { return link_->die(lost(link_->peer(), what)); }
  Status take_arrived();

  std::unique_ptr<Link> link_;
  const Names names_;
  std::vector<ChannelNumber> number_of_;  // of each partition; 0 = not started
  std::vector<bool> closed_;              // by the broker, and nothing acknowledged since
  std::vector<Channel> channels_;         // by channel number; 0 is the connection's
  std::deque<Delivery> arrived_;
  std::shared_ptr<BodyPool> pool_;
  BodyInflater inflater_;
  const std::uint64_t prefetch_bytes_, message_bytes_;
  const Share share_;
  std::uint32_t share_seen_ = 0;
};

Result<ChannelNumber> AmqpConsumer::take_number() {
  for (std::size_t n = 1; n < channels_.size(); ++n)
    if (channels_[n].state == State::free) return static_cast<ChannelNumber>(n);
  if (channels_.size() > link_->channel_max()) {
    return fatal(Errc::queue_topology,
                 link_->peer().name() + " allows " + std::to_string(link_->channel_max()) +
                     " channels a connection; remedy: raise queue.channel_max, channel_max in "
                     "rabbitmq.conf, or applier.min");
  }
  channels_.emplace_back();
  return static_cast<ChannelNumber>(channels_.size() - 1);
}

std::uint16_t AmqpConsumer::prefetch() {
  const std::uint32_t share = share_ ? share_() : 0;
  share_seen_ = share == 0 ? names_.partitions : share;
  return prefetch_count(prefetch_bytes_, message_bytes_, share_seen_);
}

Status AmqpConsumer::stop_the_larger() {
  if (!share_ || share_() == share_seen_) return {};
  const std::uint16_t most = prefetch();
  for (std::uint32_t n = 0; n < number_of_.size(); ++n)
    if (started(n) && channels_[number_of_[n]].prefetch > most) SLUICE_TRY(stop(n));
  return {};
}

void AmqpConsumer::leave(Channel& c, State state) {
  const std::uint32_t partition = c.partition;
  std::erase_if(arrived_, [partition](const Delivery& d) { return d.partition == partition; });
  number_of_[partition] = 0;
  c = Channel{};
  c.state = state;
}

Status AmqpConsumer::refuse(ChannelNumber number, const Link::Reply& reply) {
  const std::string queue = names_.partition(channels_[number].partition);
  leave(channels_[number], State::free);
  Error error = broker_error(link_->peer(), reply.code, reply.text, false);
  // It goes when the partitions are laid out anew, and a publisher that misses it says so.
  if (error.code == Errc::queue_topology && reply.code == AMQP_NOT_FOUND)
    error.cls = ErrorClass::retry;
  return std::move(error).at("consuming from " + queue);
}

Status AmqpConsumer::start(std::uint32_t partition) {
  if (partition >= number_of_.size())
    return fatal(Errc::internal, "consume from partition " + std::to_string(partition));
  if (started(partition)) return {};
  SLUICE_TRY_ASSIGN(const ChannelNumber number, take_number());
  {
    Channel& c = channels_[number];
    c.state = State::open;
    c.partition = partition;
    c.opening = next_opening();
    c.prefetch = prefetch();
  }
  number_of_[partition] = number;

  const amqp_channel_open_t open{};
  SLUICE_TRY_ASSIGN(auto reply, link_->call(number, AMQP_CHANNEL_OPEN_METHOD, &open,
                                            AMQP_CHANNEL_OPEN_OK_METHOD, *this));
  if (reply.closed) return refuse(number, reply);

  amqp_basic_qos_t qos{};  // prefetch_size stays 0: RabbitMQ answers 540 to any other
  qos.prefetch_count = channels_[number].prefetch;
  SLUICE_TRY_ASSIGN(
      reply, link_->call(number, AMQP_BASIC_QOS_METHOD, &qos, AMQP_BASIC_QOS_OK_METHOD, *this));
  if (reply.closed) return refuse(number, reply);

  const std::string queue = names_.partition(partition);
  const std::string tag = queue + " pid " + std::to_string(::getpid());
  amqp_basic_consume_t consume{};
  consume.queue = amqp_bytes(queue);
  consume.consumer_tag = amqp_bytes(tag);
  SLUICE_TRY_ASSIGN(reply, link_->call(number, AMQP_BASIC_CONSUME_METHOD, &consume,
                                       AMQP_BASIC_CONSUME_OK_METHOD, *this));
  if (reply.closed) return refuse(number, reply);
  return {};
}

Status AmqpConsumer::stop(std::uint32_t partition) {
  if (!started(partition)) return {};
  const ChannelNumber number = number_of_[partition];
  leave(channels_[number], State::closing);
  amqp_channel_close_t args{};
  args.reply_code = AMQP_REPLY_SUCCESS;
  args.reply_text = amqp_bytes("partition handed over");
  SLUICE_TRY(
      link_->call(number, AMQP_CHANNEL_CLOSE_METHOD, &args, AMQP_CHANNEL_CLOSE_OK_METHOD, *this));
  channels_[number] = Channel{};
  return {};
}

Status AmqpConsumer::on_method(ChannelNumber number, Channel& c, const Frame& frame) {
  switch (frame.method) {
    case AMQP_BASIC_DELIVER_METHOD: {
      const auto& deliver = frame.as<amqp_basic_deliver_t>();
      if (deliver.delivery_tag > kTagMask) return protocol_error("delivery tag out of bounds");
      c.last_delivered = deliver.delivery_tag;
      c.delivery.partition = c.partition;
      c.delivery.tag = c.opening << kTagBits | deliver.delivery_tag;
      c.delivery.redelivered = deliver.redelivered != 0;
      c.part = Part::header;
      return {};
    }
    case AMQP_CHANNEL_CLOSE_METHOD: {
      const auto& close = frame.as<amqp_channel_close_t>();
      // A timeout of the broker (consumer_timeout) comes back until something is acknowledged.
      if (!closed_[c.partition])
        log::get("queue").warn("broker closed a channel, consuming anew queue={} code={} reason={}",
                               names_.partition(c.partition), close.reply_code,
                               view(close.reply_text));
      closed_[c.partition] = true;
      leave(c, State::free);
      const amqp_channel_close_ok_t ok{};
      return link_->send_method(number, AMQP_CHANNEL_CLOSE_OK_METHOD, &ok);
    }
    case AMQP_BASIC_CANCEL_METHOD: {
      // The queue was deleted, its leader is gone, or the broker (4.3; before, it closes the
      // channel) has waited for an ack for longer than consumer_timeout.  What is unacked here goes
      // back only with the channel.
      if (!closed_[c.partition])
        log::get("queue").warn("broker cancelled a consumer, consuming anew queue={}",
                               names_.partition(c.partition));
      closed_[c.partition] = true;
      leave(c, State::closing);
      amqp_channel_close_t close{};
      close.reply_code = AMQP_REPLY_SUCCESS;
      close.reply_text = amqp_bytes("consumer cancelled");
      return link_->send_method(number, AMQP_CHANNEL_CLOSE_METHOD, &close);
    }
    default: return protocol_error("method nobody waits for, " + std::to_string(frame.method));
  }
}

Status AmqpConsumer::on_header(Channel& c, const Frame& frame) {
  if (frame.body_size > kMaxBody)
    return protocol_error("message of " + std::to_string(frame.body_size) + " bytes");
  auto headers = read_properties(frame.properties());
  if (headers.ok()) {
    c.delivery.headers = std::move(headers).value();
  } else {
    c.delivery.unreadable = unreadable(c, std::move(headers).error());
  }
  const std::string_view encoding = encoding_of(frame.properties());
  c.compressed = encoding == kZstd;
  if (!encoding.empty() && !c.compressed && !c.delivery.unreadable) {
    c.delivery.unreadable = unreadable(c, Error{ErrorClass::poison, Errc::queue_message,
                                                "content_encoding " + std::string(encoding)});
  }
  c.missing = frame.body_size;
  c.body = pool_->take();
  c.body->room(static_cast<std::size_t>(std::min(frame.body_size, kReserve)));
  c.part = Part::body;
  if (c.missing == 0) finish_message(c);
  return {};
}

Error AmqpConsumer::unreadable(const Channel& c, Error error) const {
  return std::move(error).at("queue " + names_.partition(c.partition) + ", delivery tag " +
                             std::to_string(c.delivery.tag & kTagMask));
}

void AmqpConsumer::finish_message(Channel& c) {
  if (c.compressed && !c.delivery.unreadable) {
    auto whole = pool_->take();
    if (Status s = inflater_.inflate(c.body->view(), kMaxBody, *whole); !s.ok())
      c.delivery.unreadable = unreadable(c, std::move(s).error());
    else
      c.body = std::move(whole);
  }
  c.delivery.body = c.body->view();
  c.delivery.owner = std::move(c.body);
  arrived_.push_back(std::move(c.delivery));
  c.delivery = Delivery{};
  c.body.reset();
  c.part = Part::method;
}

Status AmqpConsumer::on_frame(const Frame& frame) {
  if (frame.channel >= channels_.size() || channels_[frame.channel].state == State::free)
    return protocol_error("frame on channel " + std::to_string(frame.channel));
  Channel& c = channels_[frame.channel];
  if (c.state == State::closing) {
    // Everything is passed over until the broker has seen our close (AMQP 0-9-1, channel.close).
    if (frame.is(AMQP_CHANNEL_CLOSE_OK_METHOD)) c = Channel{};
    if (frame.is(AMQP_CHANNEL_CLOSE_METHOD)) {
      const amqp_channel_close_ok_t ok{};
      return link_->send_method(frame.channel, AMQP_CHANNEL_CLOSE_OK_METHOD, &ok);
    }
    return {};
  }
  if (frame.kind == Frame::Kind::method) {
    // A close may come in the middle of a message; nothing else may.
    if (c.part != Part::method && !frame.is(AMQP_CHANNEL_CLOSE_METHOD))
      return protocol_error("method inside a message");
    return on_method(frame.channel, c, frame);
  }
  if (frame.kind == Frame::Kind::header) {
    if (c.part != Part::header) return protocol_error("content header without a method");
    return on_header(c, frame);
  }
  if (c.part != Part::body || frame.body.size() > c.missing)
    return protocol_error("body without a header");
  c.body->append(frame.body);
  c.missing -= frame.body.size();
  if (c.missing == 0) finish_message(c);
  return {};
}

Status AmqpConsumer::take_arrived() {
  for (;;) {
    SLUICE_TRY_ASSIGN(const auto frame, link_->next_frame());
    if (!frame) return {};
    SLUICE_TRY(on_frame(*frame));
  }
}

Result<std::optional<Delivery>> AmqpConsumer::next(std::chrono::milliseconds timeout,
                                                   Wakeup& wake) {
  const Time deadline = system_clock().steady() + timeout;
  SLUICE_TRY(stop_the_larger());
  // A backlog must not keep the heartbeats waiting.
  if (!arrived_.empty() && link_->wants_service())
    SLUICE_TRY(link_->wait(system_clock().steady(), nullptr));
  for (;;) {
    SLUICE_TRY(take_arrived());
    if (!arrived_.empty()) {
      std::optional<Delivery> delivery(std::move(arrived_.front()));
      arrived_.pop_front();
      if (delivery->unreadable && delivery->unreadable->cls != ErrorClass::poison)
        return std::move(*delivery->unreadable);
      return delivery;
    }
    SLUICE_TRY_ASSIGN(const Link::Woken woken, link_->wait(deadline, &wake));
    if (woken == Link::Woken::wake) wake.clear();
    if (woken != Link::Woken::data) return std::optional<Delivery>();
  }
}

Status AmqpConsumer::serve() {
  SLUICE_TRY(link_->wait(system_clock().steady(), nullptr));
  return take_arrived();
}

Status AmqpConsumer::ack(std::uint32_t partition, std::uint64_t tag) {
  if (!started(partition)) return {};
  const ChannelNumber number = number_of_[partition];
  Channel& c = channels_[number];
  if (tag >> kTagBits != c.opening) return {};
  const std::uint64_t own = tag & kTagMask;
  if (own <= c.last_acked) return {};  // the broker would close the channel over it
  if (own > c.last_delivered)
    return fatal(Errc::internal, "ack of a message that was not delivered");
  c.last_acked = own;
  if (closed_[partition]) {
    closed_[partition] = false;
    log::get("queue").info("consuming again queue={}", names_.partition(partition));
  }
  amqp_basic_ack_t args{};
  args.delivery_tag = own;
  args.multiple = 1;
  return link_->send_method(number, AMQP_BASIC_ACK_METHOD, &args);
}

}  // namespace

Result<std::unique_ptr<Consumer>> Consumer::connect(Brokers& brokers, const Names& names,
                                                    Share share) {
  SLUICE_TRY_ASSIGN(
      auto link,
      Link::open(brokers, names.exchange() + (names.of_control ? " control" : " consumer")));
  return std::unique_ptr<Consumer>(
      std::make_unique<AmqpConsumer>(std::move(link), brokers.options(), names, std::move(share)));
}

Result<std::unique_ptr<Consumer>> Consumer::connect(const QueueOptions& options, const Names& names,
                                                    Share share) {
  Brokers once(options);
  return connect(once, names, std::move(share));
}

}  // namespace sluice::queue
