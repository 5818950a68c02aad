#include <algorithm>
#include <utility>

#include "sluice/base/clock.h"
#include "sluice/queue/letters.h"

#include "queue/amqp_bytes.h"
#include "queue/confirm_channel.h"
#include "queue/letter_properties.h"
#include "queue/link.h"

namespace sluice::queue {
namespace {

constexpr ChannelNumber kChannel = 1;
constexpr std::chrono::milliseconds kLookAround{100};  // for others, and whether we are to stop

class AmqpLetterSender final : public LetterSender, private FrameSink {
 public:
  AmqpLetterSender(std::unique_ptr<Link> link, const Names& names)
      : link_(std::move(link)), exchange_(names.exchange()), queue_(names.dead()) {}
  Status prepare() { return open_confirm_channel(*link_, kChannel, *this); }
  Status send(std::span<const Letter> letters, std::vector<Fate>& fates, const std::stop_token& st,
              std::chrono::milliseconds limit, const std::function<Status()>& serve) override;

 private:
  Status on_frame(const Frame& frame) override;
  Status settle(std::uint64_t tag, bool multiple, Fate fate);
  Status take_arrived();

  std::unique_ptr<Link> link_;
  const std::string exchange_, queue_;
  LetterProperties properties_;
  std::uint64_t sent_ = 0;  // delivery tags given out
  // Those of the letters under way: (tag, index), in order.
  std::vector<std::pair<std::uint64_t, std::size_t>> open_;
  std::vector<Fate>* fates_ = nullptr;
  bool came_back_ = false;  // since this send() began
};

// A return comes before the ack of its message, and says nothing of which it was: all that is open
// then is taken as returned.  Sent again, a letter may be there twice.
Status AmqpLetterSender::settle(std::uint64_t tag, bool multiple, Fate fate) {
  if (tag == 0 || tag > sent_)
    return link_->die(lost(link_->peer(), "confirmed a message that was not sent"));
  if (fate == Fate::confirmed && came_back_) fate = Fate::returned;
  std::erase_if(open_, [&](const auto& o) {
    const bool meant = multiple ? o.first <= tag : o.first == tag;
    if (meant) (*fates_)[o.second] = fate;
    return meant;
  });
  return {};
}

Status AmqpLetterSender::on_frame(const Frame& frame) {
  if (frame.channel != kChannel)
    return link_->die(lost(link_->peer(), "frame on channel " + std::to_string(frame.channel)));
  if (frame.kind != Frame::Kind::method) return {};  // what comes back is ours: we still have it
  switch (frame.method) {
    case AMQP_BASIC_ACK_METHOD: {
      const auto& ack = frame.as<amqp_basic_ack_t>();
      return settle(ack.delivery_tag, ack.multiple != 0, Fate::confirmed);
    }
    case AMQP_BASIC_NACK_METHOD: {
      const auto& nack = frame.as<amqp_basic_nack_t>();
      return settle(nack.delivery_tag, nack.multiple != 0, Fate::nacked);
    }
    case AMQP_BASIC_RETURN_METHOD: came_back_ = true; return {};
    case AMQP_CHANNEL_CLOSE_METHOD: {
      const auto& close = frame.as<amqp_channel_close_t>();
      Error error = broker_error(link_->peer(), close.reply_code, view(close.reply_text), false);
      return link_->leave(std::move(error).at("dead letter to " + queue_));
    }
    default:
      return link_->die(
          lost(link_->peer(), "method nobody waits for, " + std::to_string(frame.method)));
  }
}

Status AmqpLetterSender::take_arrived() {
  for (;;) {
    SLUICE_TRY_ASSIGN(const auto frame, link_->next_frame());
    if (!frame) return {};
    SLUICE_TRY(on_frame(*frame));
  }
}

Status AmqpLetterSender::send(std::span<const Letter> letters, std::vector<Fate>& fates,
                              const std::stop_token& st, std::chrono::milliseconds limit,
                              const std::function<Status()>& serve) {
  const Time deadline = system_clock().steady() + limit;
  fates.resize(letters.size(), Fate::unknown);
  fates_ = &fates;
  came_back_ = false;
  open_.clear();
  for (std::size_t i = 0; i < letters.size(); ++i) {
    if (fates[i] == Fate::confirmed) continue;
    fates[i] = Fate::unknown;
    amqp_basic_publish_t args{};
    args.exchange = amqp_bytes(exchange_);
    args.routing_key = amqp_bytes(queue_);
    args.mandatory = 1;
    SLUICE_TRY(link_->send_content(kChannel, args, properties_.write(letters[i]), letters[i].body));
    open_.emplace_back(++sent_, i);
  }
  for (;;) {
    SLUICE_TRY(take_arrived());
    if (open_.empty()) return {};
    if (st.stop_requested()) return stopped();
    if (system_clock().steady() >= deadline)
      return retry(Errc::queue_lost, link_->blocked() ? "the broker blocks publishing"
                                                      : "dead letters are not confirmed");
    SLUICE_TRY(serve());
    SLUICE_TRY(link_->wait(system_clock().steady() + kLookAround, nullptr));
  }
}

}  // namespace

Result<std::unique_ptr<LetterSender>> LetterSender::connect(Brokers& brokers, const Names& names) {
  SLUICE_TRY_ASSIGN(auto link, Link::open(brokers, names.exchange() + " dead letters"));
  auto sender = std::make_unique<AmqpLetterSender>(std::move(link), names);
  SLUICE_TRY(sender->prepare());
  return std::unique_ptr<LetterSender>(std::move(sender));
}

}  // namespace sluice::queue
