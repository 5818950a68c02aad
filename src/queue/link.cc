#include "queue/link.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>

#include <poll.h>
#include <sys/socket.h>

#include "sluice/base/clock.h"
#include "sluice/base/log.h"

#include "queue/amqp_bytes.h"

namespace sluice::queue {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kReadBytes = 256U << 10U;
// While a send waits for the broker, what it says is kept up to here: it may be waiting for us.
constexpr std::size_t kReadAheadBytes = 8U << 20U;
constexpr auto kCloseTimeout = 1000ms;

class IgnoringSink final : public FrameSink {
 public:
  Status on_frame(const Frame& /*frame*/) override { return {}; }
};

Time now() {
  return system_clock().steady();
}

// Takes n sent bytes off the front.
void advance(std::vector<iovec>& iov, std::size_t& first, std::size_t n) {
  while (first < iov.size() && n >= iov[first].iov_len) n -= iov[first++].iov_len;
  if (n == 0) return;
  iov[first].iov_base = static_cast<char*>(iov[first].iov_base) + n;
  iov[first].iov_len -= n;
}

}  // namespace

Link::Link(const QueueOptions& options)
    : peer_{options.host(), options.port(), options.user(), options.vhost()},
      timeout_(options.connect_timeout()),
      last_read_(now()),
      last_write_(last_read_),
      last_service_(last_read_) {}

Result<std::unique_ptr<Link>> Link::open(const QueueOptions& options, const std::string& role) {
  std::unique_ptr<Link> link(new Link(options));
  SLUICE_TRY_ASSIGN(link->fd_, connect_tcp(options.host(), options.port(), now() + link->timeout_));
  SLUICE_TRY(link->login(options, role));
  return link;
}

Link::~Link() {
  close();
}

void Link::close() noexcept {
  if (!fd_ || dead_ || eof_ || !logged_in_) return;
  timeout_ = std::min(timeout_, std::chrono::milliseconds(kCloseTimeout));
  amqp_connection_close_t args{};
  args.reply_code = AMQP_REPLY_SUCCESS;
  args.reply_text = amqp_bytes("stop");
  IgnoringSink sink;
  if (auto reply =
          call(0, AMQP_CONNECTION_CLOSE_METHOD, &args, AMQP_CONNECTION_CLOSE_OK_METHOD, sink);
      !reply)
    log::get("queue").debug("connection closed without the broker's answer reason={}",
                            reply.error().what);
}

Error Link::die(Error error) {
  if (!dead_) {
    dead_ = std::move(error);
    fd_.reset();  // the broker puts back what we held, now and not when somebody gets round to it
  }
  return *dead_;
}

Error Link::leave(Error error) {
  close();
  dead_.reset();  // what went wrong in closing says less
  return die(std::move(error));
}

void Link::fill() {
  if (used_ == in_.size()) {
    in_.clear();
    used_ = 0;
  } else if (used_ > 0 && in_.capacity() - in_.size() < kReadBytes) {
    const std::size_t left = in_.size() - used_;
    std::memmove(in_.data(), in_.data() + used_, left);
    in_.truncate(left);
    used_ = 0;
  }
  for (;;) {
    const auto n = ::recv(fd_.get(), in_.room(kReadBytes), kReadBytes, MSG_DONTWAIT);
    if (n > 0) {
      in_.commit(static_cast<std::size_t>(n));
      last_read_ = now();
      return;
    }
    if (n == 0) {
      eof_ = "the broker closed the connection";
      return;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN) eof_ = "read: " + errno_text(errno);
    return;
  }
}

Status Link::on_connection_frame(const Frame& frame, bool& passed_on) {
  passed_on = false;
  if (frame.kind == Frame::Kind::heartbeat) return {};
  if (frame.kind != Frame::Kind::method) return die(lost(peer_, "content on channel 0"));
  switch (frame.method) {
    case AMQP_CONNECTION_CLOSE_METHOD: {
      const auto& close = frame.as<amqp_connection_close_t>();
      Error error = broker_error(peer_, close.reply_code, view(close.reply_text), !logged_in_);
      // The answer is a courtesy: the broker closes anyway.
      encoder_.clear();
      const amqp_connection_close_ok_t ok{};
      if (encoder_.add_method(0, AMQP_CONNECTION_CLOSE_OK_METHOD, &ok).ok()) {
        const iovec piece = encoder_.pieces().front();
        [[maybe_unused]] const auto n =
            ::send(fd_.get(), piece.iov_base, piece.iov_len, MSG_NOSIGNAL | MSG_DONTWAIT);
      }
      return die(std::move(error));
    }
    case AMQP_CONNECTION_BLOCKED_METHOD:
      if (!blocked_) {
        log::get("queue").warn("broker blocks publishing broker={} reason={}", peer_.name(),
                               view(frame.as<amqp_connection_blocked_t>().reason));
      }
      blocked_ = true;
      return {};
    case AMQP_CONNECTION_UNBLOCKED_METHOD:
      if (blocked_) log::get("queue").info("broker takes messages again broker={}", peer_.name());
      blocked_ = false;
      return {};
    default:
      passed_on = true;  // an answer somebody waits for
      return {};
  }
}

Result<std::optional<Frame>> Link::next_frame() {
  for (;;) {
    if (dead_) return *dead_;
    auto frame = decoder_.decode(as_bytes(in_.view().substr(used_)));
    if (!frame) return die(lost(peer_, frame.error().what));
    if (!*frame) {
      if (eof_) return die(lost(peer_, *eof_));
      return std::optional<Frame>();
    }
    used_ += (*frame)->size;
    if ((*frame)->channel != 0) return frame;
    bool passed_on = false;
    SLUICE_TRY(on_connection_frame(**frame, passed_on));
    if (passed_on) return frame;
  }
}

Status Link::heartbeat(Time t) {
  // Twice an interval, and only when nothing else was said (4.2.7).
  if (heartbeat_ == 0ms || t < last_write_ + heartbeat_ / 2) return {};
  pollfd p{fd_.get(), POLLOUT, 0};
  // A socket that takes nothing still has bytes of ours on their way: they count as a heartbeat.
  if (::poll(&p, 1, 0) <= 0 || (p.revents & POLLOUT) == 0) return {};
  encoder_.clear();
  encoder_.add_heartbeat();
  return flush();
}

bool Link::wants_service() const {
  return heartbeat_ > 0ms && now() >= last_service_ + heartbeat_ / 4;
}

Result<Link::Woken> Link::wait(Time deadline, const Wakeup* wake) {
  for (;;) {
    if (dead_) return *dead_;
    if (eof_) return Woken::data;  // next_frame() tells
    Time t = now();
    last_service_ = t;
    SLUICE_TRY(heartbeat(t));
    Time until = deadline;
    if (heartbeat_ > 0ms) {
      // A full socket leaves last_write_ in the past: look again in a while, not at once.
      until = std::min({until, std::max(last_write_ + heartbeat_ / 2, t + heartbeat_ / 4),
                        std::max(t, last_read_ + 2 * heartbeat_)});
    }
    std::array<pollfd, 2> p{
        {{fd_.get(), POLLIN, 0}, {wake != nullptr ? wake->fd() : -1, POLLIN, 0}}};
    const int n = ::poll(p.data(), p.size(), poll_ms(t, until));
    if (n < 0 && errno != EINTR) return die(lost(peer_, "poll: " + errno_text(errno)));
    if (n > 0 && p[0].revents != 0) {
      fill();
      return Woken::data;
    }
    if (n > 0) return Woken::wake;
    t = now();
    if (heartbeat_ > 0ms && t >= last_read_ + 2 * heartbeat_ && n == 0) {
      return die(lost(peer_, "no sign of life for " + std::to_string((2 * heartbeat_).count()) +
                                 " ms (queue.heartbeat)"));
    }
    if (t >= deadline) return Woken::timeout;
  }
}

Status Link::wait_writable(Time deadline) {
  for (;;) {
    const bool listen = !eof_ && in_.size() - used_ < kReadAheadBytes;
    pollfd p{fd_.get(), static_cast<short>(listen ? POLLOUT | POLLIN : POLLOUT), 0};
    const int n = ::poll(&p, 1, poll_ms(now(), deadline));
    if (n < 0) {
      if (errno == EINTR) continue;
      return die(lost(peer_, "poll: " + errno_text(errno)));
    }
    if (n == 0) {
      return die(lost(peer_, "takes no bytes for " + std::to_string(timeout_.count()) +
                                 " ms (memory or disk alarm of the broker, or a dead network)"));
    }
    if (listen && (p.revents & POLLIN) != 0) fill();
    if ((p.revents & (POLLOUT | POLLERR | POLLHUP)) != 0) return {};
  }
}

// The broker may have said why before it hung up.
Error Link::write_error(int error) {
  if (!eof_) fill();
  for (;;) {
    auto frame = next_frame();
    if (!frame) return std::move(frame).error();
    if (!*frame) return die(lost(peer_, "write: " + errno_text(error)));
  }
}

Status Link::flush() {
  auto& iov = encoder_.pieces();
  std::size_t first = 0;
  while (first < iov.size()) {
    msghdr message{};
    message.msg_iov = &iov[first];
    message.msg_iovlen = std::min<std::size_t>(iov.size() - first, IOV_MAX);
    const auto n = ::sendmsg(fd_.get(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n > 0) {
      advance(iov, first, static_cast<std::size_t>(n));
      continue;
    }
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno != EAGAIN) {
      const int error = errno;
      encoder_.clear();
      return write_error(error);
    }
    SLUICE_TRY(wait_writable(now() + timeout_));
  }
  last_write_ = now();
  encoder_.clear();
  return {};
}

Status Link::send_method(ChannelNumber channel, MethodId id, const void* args) {
  if (dead_) return *dead_;
  encoder_.clear();
  SLUICE_TRY(encoder_.add_method(channel, id, args));
  return flush();
}

Status Link::send_content(ChannelNumber channel, const amqp_basic_publish_t& publish,
                          const amqp_basic_properties_t& properties, std::string_view body) {
  if (dead_) return *dead_;
  encoder_.clear();
  SLUICE_TRY(encoder_.add_method(channel, AMQP_BASIC_PUBLISH_METHOD, &publish));
  SLUICE_TRY(encoder_.add_content(channel, properties, body));
  return flush();
}

Result<Link::Reply> Link::call(ChannelNumber channel, MethodId id, const void* args,
                               MethodId answer, FrameSink& sink) {
  SLUICE_TRY(send_method(channel, id, args));
  const Time deadline = now() + timeout_;
  for (;;) {
    SLUICE_TRY_ASSIGN(auto frame, next_frame());
    if (!frame) {
      SLUICE_TRY_ASSIGN(const Woken woken, wait(deadline, nullptr));
      if (woken == Woken::timeout) {
        return die(lost(peer_, std::string("no answer to ") + amqp_method_name(id) + " for " +
                                   std::to_string(timeout_.count()) + " ms"));
      }
      continue;
    }
    if (frame->channel == channel && frame->is(answer)) return Reply{*frame, false, 0, {}};
    if (channel != 0 && frame->channel == channel && frame->is(AMQP_CHANNEL_CLOSE_METHOD)) {
      const auto& close = frame->as<amqp_channel_close_t>();
      Reply reply{*frame, true, close.reply_code, std::string(view(close.reply_text))};
      const amqp_channel_close_ok_t ok{};
      SLUICE_TRY(send_method(channel, AMQP_CHANNEL_CLOSE_OK_METHOD, &ok));
      // Both sides closed at once: ours is answered too, and until then the number is taken.
      if (id != AMQP_CHANNEL_CLOSE_METHOD) return reply;
      continue;
    }
    SLUICE_TRY(sink.on_frame(*frame));
  }
}

}  // namespace sluice::queue
