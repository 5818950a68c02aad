#include <algorithm>
#include <deque>
#include <utility>

#include "sluice/base/clock.h"
#include "sluice/queue/letters.h"

#include "queue/amqp_bytes.h"
#include "queue/letter_properties.h"
#include "queue/link.h"

namespace sluice::queue {
namespace {

constexpr ChannelNumber kChannel = 1;
// Letters that are announced and do not come are held by somebody else.
constexpr std::chrono::milliseconds kQuiet{3000};
// What somebody else has just given back comes a moment later, and is not announced.
constexpr std::chrono::milliseconds kLate{300}, kLateInAll{2000};
constexpr std::chrono::milliseconds kGone{3000}, kLookAgain{50};

class AmqpLetterBox final : public LetterBox, private FrameSink {
 public:
  AmqpLetterBox(std::unique_ptr<Link> link, const Names& names)
      : link_(std::move(link)), queue_(names.dead()) {}
  Status prepare();
  // Nothing: there is no such queue, and no channel any more.
  Result<std::optional<QueueInfo>> look();
  std::uint64_t count() const noexcept override { return count_; }
  Result<std::optional<Stored>> next() override;
  Status remove(std::uint64_t tag) override;
  Status close() override;

 private:
  Status on_frame(const Frame& frame) override;
  Status protocol_error(std::string_view what) { return link_->die(lost(link_->peer(), what)); }
  Result<Link::Reply> request(MethodId id, const void* args, MethodId answer) {
    return link_->call(kChannel, id, args, answer, *this);
  }
  Error refused(const Link::Reply& reply) {
    return broker_error(link_->peer(), reply.code, reply.text, false).at("queue " + queue_);
  }

  std::unique_ptr<Link> link_;
  const std::string queue_;
  bool consuming_ = false;
  std::uint64_t count_ = 0, given_ = 0;
  std::optional<Time> late_until_;  // set when all that was announced has come
  std::deque<Stored> arrived_;
  std::optional<Stored> current_;  // under way
  std::uint64_t missing_ = 0;      // bytes of its body
  bool has_header_ = false;
};

Result<std::optional<QueueInfo>> AmqpLetterBox::look() {
  amqp_queue_declare_t args{};
  args.queue = amqp_bytes(queue_);
  args.passive = 1;
  SLUICE_TRY_ASSIGN(const auto reply,
                    request(AMQP_QUEUE_DECLARE_METHOD, &args, AMQP_QUEUE_DECLARE_OK_METHOD));
  if (!reply.closed) {
    const auto& found = reply.frame.as<amqp_queue_declare_ok_t>();
    return std::optional<QueueInfo>(QueueInfo{found.message_count, found.consumer_count});
  }
  Error error = refused(reply);
  if (reply.code == AMQP_NOT_FOUND && error.cls == ErrorClass::fatal)
    return std::optional<QueueInfo>();
  return error;
}

Status AmqpLetterBox::prepare() {
  const amqp_channel_open_t open{};
  SLUICE_TRY_ASSIGN(auto reply,
                    request(AMQP_CHANNEL_OPEN_METHOD, &open, AMQP_CHANNEL_OPEN_OK_METHOD));
  if (reply.closed) return refused(reply);
  // A consumer that has just ended is counted for a moment longer.
  const Time patience = system_clock().steady() + kGone;
  for (;;) {
    SLUICE_TRY_ASSIGN(const auto found, look());
    if (!found) return {};
    count_ = found->messages;
    if (found->consumers == 0) break;
    if (system_clock().steady() >= patience)
      return fatal(Errc::queue_topology,
                   "queue " + queue_ +
                       " has a consumer: another `sluice dead`, or a program of yours; its letters "
                       "cannot be told apart from the others. Try again when it has ended");
    SLUICE_TRY(link_->wait(system_clock().steady() + kLookAgain, nullptr));
  }
  // Consumed, not fetched one by one: the broker shows that somebody looks at them, and the status
  // line does not take those for gone.
  amqp_basic_consume_t consume{};
  consume.queue = amqp_bytes(queue_);
  consume.consumer_tag = amqp_bytes("sluice dead");
  SLUICE_TRY_ASSIGN(reply,
                    request(AMQP_BASIC_CONSUME_METHOD, &consume, AMQP_BASIC_CONSUME_OK_METHOD));
  if (reply.closed) return refused(reply);
  consuming_ = true;
  return {};
}

Status AmqpLetterBox::on_frame(const Frame& frame) {
  if (frame.channel != kChannel)
    return protocol_error("frame on channel " + std::to_string(frame.channel));
  if (frame.is(AMQP_BASIC_DELIVER_METHOD)) {
    if (current_) return protocol_error("method inside a message");
    current_.emplace();
    current_->tag = frame.as<amqp_basic_deliver_t>().delivery_tag;
    has_header_ = false;
    return {};
  }
  if (frame.is(AMQP_CHANNEL_CLOSE_METHOD)) {
    const auto& close = frame.as<amqp_channel_close_t>();
    Error error = broker_error(link_->peer(), close.reply_code, view(close.reply_text), false);
    return link_->leave(std::move(error).at("queue " + queue_));
  }
  if (frame.is(AMQP_BASIC_CANCEL_METHOD))
    return link_->leave(lost(link_->peer(), "queue " + queue_ + " was deleted or moved"));
  if (frame.kind == Frame::Kind::method)
    return protocol_error("method nobody waits for, " + std::to_string(frame.method));
  if (!current_ || has_header_ != (frame.kind == Frame::Kind::body))
    return protocol_error("content without a method");
  if (frame.kind == Frame::Kind::header) {
    current_->letter = read_letter(frame.properties());
    missing_ = frame.body_size;
    has_header_ = true;
  } else {
    if (frame.body.size() > missing_) return protocol_error("body longer than announced");
    current_->letter.body.append(frame.body);
    missing_ -= frame.body.size();
  }
  if (missing_ != 0) return {};
  arrived_.push_back(std::move(*current_));
  current_.reset();
  return {};
}

Result<std::optional<LetterBox::Stored>> AmqpLetterBox::next() {
  if (!consuming_) return std::optional<Stored>();
  const Time now = system_clock().steady();
  const bool late = given_ >= count_;
  if (late && !late_until_) late_until_ = now + kLateInAll;
  const Time deadline = late ? std::min(now + kLate, *late_until_) : now + kQuiet;
  for (;;) {
    if (!arrived_.empty()) {
      if (late && now >= *late_until_) break;  // there are new ones all the time
      std::optional<Stored> letter(std::move(arrived_.front()));
      arrived_.pop_front();
      count_ = std::max(count_, ++given_);
      return letter;
    }
    SLUICE_TRY_ASSIGN(const auto frame, link_->next_frame());
    if (frame) {
      SLUICE_TRY(on_frame(*frame));
      continue;
    }
    SLUICE_TRY_ASSIGN(const Link::Woken woken, link_->wait(deadline, nullptr));
    if (woken != Link::Woken::data) break;
  }
  return std::optional<Stored>();
}

Status AmqpLetterBox::remove(std::uint64_t tag) {
  amqp_basic_ack_t args{};
  args.delivery_tag = tag;
  return link_->send_method(kChannel, AMQP_BASIC_ACK_METHOD, &args);
}

Status AmqpLetterBox::close() {
  amqp_channel_close_t args{};
  args.reply_code = AMQP_REPLY_SUCCESS;
  args.reply_text = amqp_bytes("looked at");
  // Letters that are still on their way are passed over by call().
  SLUICE_TRY(request(AMQP_CHANNEL_CLOSE_METHOD, &args, AMQP_CHANNEL_CLOSE_OK_METHOD));
  return {};
}

}  // namespace

Result<std::unique_ptr<LetterBox>> LetterBox::open(const QueueOptions& options,
                                                   const Names& names) {
  Brokers brokers(options);
  SLUICE_TRY_ASSIGN(auto link, Link::open(brokers, names.exchange() + " sluice dead"));
  auto box = std::make_unique<AmqpLetterBox>(std::move(link), names);
  SLUICE_TRY(box->prepare());
  return std::unique_ptr<LetterBox>(std::move(box));
}

}  // namespace sluice::queue
