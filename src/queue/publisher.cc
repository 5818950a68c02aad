#include "sluice/queue/publisher.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "sluice/base/clock.h"

#include "queue/amqp_bytes.h"
#include "queue/body_codec.h"
#include "queue/confirm_book.h"
#include "queue/confirm_channel.h"
#include "queue/letter_properties.h"
#include "queue/link.h"
#include "queue/properties.h"

namespace sluice::queue {
namespace {

constexpr ChannelNumber kChannel = 1;

class AmqpPublisher final : public Publisher, private FrameSink {
 public:
  AmqpPublisher(std::unique_ptr<Link> link, const Names& names,
                QueueOptions::Compression compression)
      : link_(std::move(link)),
        exchange_(names.exchange()),
        letters_(names.lanes() - (names.with_letters ? 1U : 0U)),
        book_(names.lanes()) {
    keys_.reserve(names.lanes());
    if (compression == QueueOptions::Compression::zstd) compressor_.emplace();
    for (std::uint32_t n = 0; n < names.lanes(); ++n) keys_.push_back(names.lane(n));
  }

  Status prepare() { return open_confirm_channel(*link_, kChannel, *this); }
  Status publish(std::uint32_t partition, const MessageHeaders& headers,
                 std::string_view body) override;
  Status publish_letter(const Letter& letter, std::string_view body) override;
  Status wait(std::chrono::milliseconds timeout, Wakeup& wake, std::vector<Outcome>& out) override;
  bool blocked() const noexcept override { return link_->blocked(); }

 private:
  Status on_frame(const Frame& frame) override;
  Status on_method(const Frame& frame);
  Status send(std::uint32_t lane, const amqp_basic_properties_t& properties, std::string_view body);
  Status on_return(const amqp_basic_return_t& returned);
  Status take_arrived(std::vector<Outcome>& out);

  std::unique_ptr<Link> link_;
  const std::string exchange_;
  const std::uint32_t letters_;    // the lane of dead letters, or behind the last
  std::vector<std::string> keys_;  // routing key of each lane
  ConfirmBook book_;
  std::vector<Outcome> outcomes_;
  PropertiesWriter properties_;
  LetterProperties letter_properties_;
  std::optional<BodyCompressor> compressor_;
  bool in_return_ = false;          // the content of a basic.return is under way
  std::uint64_t return_bytes_ = 0;  // of its body, still to come
};

Status AmqpPublisher::publish(std::uint32_t partition, const MessageHeaders& headers,
                              std::string_view body) {
  if (partition >= book_.partitions())
    return fatal(Errc::internal, "publish to partition " + std::to_string(partition));
  if (book_.unconfirmed(partition))
    return fatal(Errc::internal,
                 "partition " + std::to_string(partition) + " has an unconfirmed message already");
  amqp_basic_publish_t args{};
  args.exchange = amqp_bytes(exchange_);
  args.routing_key = amqp_bytes(keys_[partition]);
  args.mandatory = 1;
  std::string_view encoding;
  if (compressor_) {
    if (const auto smaller = compressor_->compress(body)) {
      body = *smaller;
      encoding = kZstd;
    }
  }
  return send(partition, properties_.write(headers, encoding), body);
}

Status AmqpPublisher::publish_letter(const Letter& letter, std::string_view body) {
  return send(letters_, letter_properties_.write(letter), body);
}

Status AmqpPublisher::send(std::uint32_t lane, const amqp_basic_properties_t& properties,
                           std::string_view body) {
  if (lane >= book_.partitions())
    return fatal(Errc::internal, "publish to partition " + std::to_string(lane));
  if (book_.unconfirmed(lane))
    return fatal(Errc::internal,
                 "partition " + std::to_string(lane) + " has an unconfirmed message already");
  amqp_basic_publish_t args{};
  args.exchange = amqp_bytes(exchange_);
  args.routing_key = amqp_bytes(keys_[lane]);
  args.mandatory = 1;
  SLUICE_TRY(link_->send_content(kChannel, args, properties, body));
  book_.sent(lane);
  return {};
}

Status AmqpPublisher::on_return(const amqp_basic_return_t& returned) {
  const std::string_view key = view(returned.routing_key);
  std::string reason =
      std::to_string(returned.reply_code) + " " + std::string(view(returned.reply_text));
  const auto found = std::find(keys_.begin(), keys_.end(), key);
  const auto partition = static_cast<std::uint32_t>(found - keys_.begin());
  if (!book_.returned(partition, std::move(reason))) {  // one past the last is no partition
    return link_->die(lost(
        link_->peer(), "returned a message that was not sent, routing key " + std::string(key)));
  }
  in_return_ = true;
  return {};
}

Status AmqpPublisher::on_method(const Frame& frame) {
  bool known = true;
  switch (frame.method) {
    case AMQP_BASIC_ACK_METHOD: {
      const auto& ack = frame.as<amqp_basic_ack_t>();
      known = book_.settle(ack.delivery_tag, ack.multiple != 0, true, outcomes_);
      break;
    }
    case AMQP_BASIC_NACK_METHOD: {
      const auto& nack = frame.as<amqp_basic_nack_t>();
      known = book_.settle(nack.delivery_tag, nack.multiple != 0, false, outcomes_);
      break;
    }
    case AMQP_BASIC_RETURN_METHOD: return on_return(frame.as<amqp_basic_return_t>());
    case AMQP_CHANNEL_CLOSE_METHOD: {
      const auto& close = frame.as<amqp_channel_close_t>();
      Error error = broker_error(link_->peer(), close.reply_code, view(close.reply_text), false);
      // The connection goes with it, which saves the channel.close-ok.
      return link_->leave(std::move(error).at("publishing to " + exchange_));
    }
    default:
      return link_->die(
          lost(link_->peer(), "method nobody waits for, " + std::to_string(frame.method)));
  }
  if (!known) return link_->die(lost(link_->peer(), "confirmed a message that was not sent"));
  return {};
}

Status AmqpPublisher::on_frame(const Frame& frame) {
  if (frame.channel != kChannel)
    return link_->die(lost(link_->peer(), "frame on channel " + std::to_string(frame.channel)));
  if (frame.kind == Frame::Kind::method) return on_method(frame);
  // What comes back is ours: the caller still has it.
  if (!in_return_) return link_->die(lost(link_->peer(), "content without a method"));
  if (frame.kind == Frame::Kind::header) {
    return_bytes_ = frame.body_size;
  } else {
    if (frame.body.size() > return_bytes_)
      return link_->die(lost(link_->peer(), "body longer than announced"));
    return_bytes_ -= frame.body.size();
  }
  in_return_ = return_bytes_ > 0;
  return {};
}

Status AmqpPublisher::take_arrived(std::vector<Outcome>& out) {
  for (;;) {
    SLUICE_TRY_ASSIGN(const auto frame, link_->next_frame());
    if (!frame) break;
    SLUICE_TRY(on_frame(*frame));
  }
  for (Outcome& o : outcomes_) out.push_back(std::move(o));
  outcomes_.clear();
  return {};
}

Status AmqpPublisher::wait(std::chrono::milliseconds timeout, Wakeup& wake,
                           std::vector<Outcome>& out) {
  const Time deadline = system_clock().steady() + timeout;
  const std::size_t before = out.size();
  const bool was_blocked = link_->blocked();
  // What a send read ahead comes first: the socket does not tell of it any more.
  SLUICE_TRY(take_arrived(out));
  while (out.size() == before && link_->blocked() == was_blocked) {
    SLUICE_TRY_ASSIGN(const Link::Woken woken, link_->wait(deadline, &wake));
    SLUICE_TRY(take_arrived(out));
    if (woken == Link::Woken::wake) wake.clear();
    if (woken != Link::Woken::data) break;
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Publisher>> Publisher::connect(Brokers& brokers, const Names& names) {
  SLUICE_TRY_ASSIGN(
      auto link,
      Link::open(brokers, names.exchange() + (names.of_control ? " request" : " publisher")));
  auto publisher =
      std::make_unique<AmqpPublisher>(std::move(link), names, brokers.options().compression());
  SLUICE_TRY(publisher->prepare());
  return std::unique_ptr<Publisher>(std::move(publisher));
}

Result<std::unique_ptr<Publisher>> Publisher::connect(const QueueOptions& options,
                                                      const Names& names) {
  Brokers once(options);
  return connect(once, names);
}

}  // namespace sluice::queue
