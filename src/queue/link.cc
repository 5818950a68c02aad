#include "queue/link.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <poll.h>

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

// An error of the stream in our words.
Error stream_error(const Peer& peer, const Error& error) {
  if (error.cls == ErrorClass::retry) return lost(peer, error.what);
  return fatal(Errc::queue_tls, peer.name() + ": " + error.what);
}

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

Link::Link(const QueueOptions& options, const HostPort& host)
    : peer_{host.host, host.port, options.user(), options.vhost()},
      timeout_(options.connect_timeout()),
      last_read_(now()),
      last_write_(last_read_),
      last_service_(last_read_) {}

Result<std::unique_ptr<Link>> Link::open_one(const QueueOptions& options, const HostPort& host,
                                             const std::string& role) {
  std::unique_ptr<Link> link(new Link(options, host));
  auto stream = net::connect({host.host, host.port, &options.tls, "queue"}, now() + link->timeout_);
  if (!stream) return stream_error(link->peer_, stream.error());
  link->stream_ = std::move(stream).value();
  SLUICE_TRY(link->login(options, role));
  return link;
}

Result<std::unique_ptr<Link>> Link::open(Brokers& brokers, const std::string& role) {
  std::optional<Error> failed;
  for (const HostPort& host : brokers.order()) {
    if (failed && brokers.stopping()) return stopped();
    auto link = open_one(brokers.options(), host, role);
    if (link) {
      brokers.connected(host);
      if (failed) log::get("queue").warn("brokers passed over error=\"{}\"", failed->what);
      log::get("queue").info("connected to the broker broker={} as=\"{}\"", host.to_string(0),
                             role);
      return link;
    }
    Error& error = link.error();
    // The brokers of a cluster have the same users, and each its own certificate.
    if (error.cls != ErrorClass::retry && error.code != Errc::queue_tls) return std::move(error);
    if (!failed) {
      failed = std::move(error);
      continue;
    }
    if (failed->cls != ErrorClass::retry) {
      failed->cls = error.cls;
      failed->code = error.code;
    }
    failed->what += "; " + error.what;
  }
  return std::move(*failed);  // there is at least one broker
}

Link::~Link() {
  close();
}

void Link::close() noexcept {
  if (!stream_ || dead_ || eof_ || !logged_in_ || !stalled_.empty()) return;
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
    stream_
        .reset();  // the broker puts back what we held, now and not when somebody gets round to it
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
  const auto read = stream_->read({in_.room(kReadBytes), kReadBytes});
  if (!read) {
    eof_ = stream_error(peer_, read.error());
  } else if (read->closed) {
    eof_ = lost(peer_, "the broker closed the connection");
  } else if (read->bytes != 0) {
    in_.commit(read->bytes);
    last_read_ = now();
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
        [[maybe_unused]] const auto sent = stream_->write(encoder_.pieces());
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
      if (eof_) return die(*eof_);
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
  if (heartbeat_ == 0ms || t < last_write_ + heartbeat_ / 2 || !stalled_.empty()) return {};
  pollfd p{stream_->fd(), POLLOUT, 0};
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
    if (stream_->has_received()) {
      fill();
      return Woken::data;
    }
    Time t = now();
    last_service_ = t;
    SLUICE_TRY(heartbeat(t));
    Time until = deadline;
    if (heartbeat_ > 0ms) {
      // A full socket leaves last_write_ in the past: look again in a while, not at once.
      until = std::min({until, std::max(last_write_ + heartbeat_ / 2, t + heartbeat_ / 4),
                        std::max(t, last_read_ + 2 * heartbeat_)});
    }
    const short none = 0, read = stream_->read_events(),
                write = stalled_.empty() ? none : stream_->write_events();
    std::array<pollfd, 2> p{{{stream_->fd(), static_cast<short>(read | write), 0},
                             {wake != nullptr ? wake->fd() : -1, POLLIN, 0}}};
    const int n = ::poll(p.data(), p.size(), net::poll_ms(t, until));
    if (n < 0 && errno != EINTR) return die(lost(peer_, "poll: " + net::errno_text(errno)));
    if (n > 0 && (p[0].revents & write) != 0) SLUICE_TRY(send_stalled());
    if (n > 0 && (p[0].revents & (read | POLLERR | POLLHUP)) != 0) {
      fill();
      return Woken::data;
    }
    if (n > 0 && p[1].revents != 0) return Woken::wake;
    t = now();
    if (heartbeat_ > 0ms && t >= last_read_ + 2 * heartbeat_ && n == 0) {
      return die(lost(peer_, "no sign of life for " + std::to_string((2 * heartbeat_).count()) +
                                 " ms (queue.heartbeat)"));
    }
    if (t >= deadline) return Woken::timeout;
  }
}

Result<bool> Link::wait_writable(Time deadline) {
  for (;;) {
    // It may be said in what is not decoded yet: the caller wants to send, not to hear.
    if (FrameDecoder::blocked_by(as_bytes(in_.view().substr(used_))).value_or(blocked_))
      return false;
    const bool listen = !eof_ && in_.size() - used_ < kReadAheadBytes;
    const short none = 0, write = stream_->write_events(),
                read = listen ? stream_->read_events() : none;
    pollfd p{stream_->fd(), static_cast<short>(write | read), 0};
    const int n = ::poll(&p, 1, net::poll_ms(now(), deadline));
    if (n < 0) {
      if (errno == EINTR) continue;
      return die(lost(peer_, "poll: " + net::errno_text(errno)));
    }
    if (n == 0) {
      return die(lost(peer_, "takes no bytes for " + std::to_string(timeout_.count()) +
                                 " ms (an overloaded broker, or a dead network)"));
    }
    if ((p.revents & (write | POLLERR | POLLHUP)) != 0) {
      if ((p.revents & read) != 0) fill();
      return true;
    }
    if ((p.revents & read) != 0) fill();
  }
}

// The broker may have said why before it hung up.
Error Link::write_error(const Error& error) {
  if (!eof_) fill();
  for (;;) {
    auto frame = next_frame();
    if (!frame) return std::move(frame).error();
    if (!*frame) return die(stream_error(peer_, error));
  }
}

Status Link::send_stalled() {
  if (stalled_.empty()) return {};
  const iovec all{stalled_.data(), stalled_.size()};
  auto sent = stream_->write({&all, 1});
  if (!sent) return write_error(sent.error());
  if (sent->bytes == 0) return {};
  last_write_ = now();
  const std::size_t left = stalled_.size() - sent->bytes;
  std::memmove(stalled_.data(), stalled_.data() + sent->bytes, left);
  stalled_.truncate(left);
  if (left == 0) stalled_.release();  // a large row may have grown it
  return {};
}

Status Link::flush() {
  auto& iov = encoder_.pieces();
  std::size_t first = 0;
  SLUICE_TRY(send_stalled());
  while (first < iov.size() && stalled_.empty()) {
    auto sent = stream_->write(std::span(iov).subspan(first));
    if (!sent) {
      encoder_.clear();
      return write_error(sent.error());
    }
    if (sent->bytes > 0) {
      advance(iov, first, sent->bytes);
      continue;
    }
    SLUICE_TRY_ASSIGN(const bool writable, wait_writable(now() + timeout_));
    if (!writable) break;
  }
  for (; first < iov.size(); ++first)
    stalled_.append({static_cast<const char*>(iov[first].iov_base), iov[first].iov_len});
  if (stalled_.empty()) last_write_ = now();
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
