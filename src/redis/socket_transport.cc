#include <array>
#include <cerrno>
#include <chrono>

#include <poll.h>

#include "sluice/base/clock.h"
#include "sluice/base/wakeup.h"
#include "sluice/net/stream.h"

#include "transport.h"

namespace sluice::redis {
namespace {

// An error of the stream in our words: what TLS refuses does not pass by itself.
Error lost(Error error) {
  error.code = error.cls == ErrorClass::retry ? Errc::redis_lost : Errc::redis_denied;
  return error;
}

class SocketTransport final : public Transport {
 public:
  explicit SocketTransport(std::unique_ptr<net::Stream> stream) : stream_(std::move(stream)) {}

  Result<Transfer> read(std::span<char> into) override { return told(stream_->read(into)); }

  Result<Transfer> write(std::string_view bytes) override {
    // writev() and its kin only read.
    const iovec piece{const_cast<char*>(bytes.data()), bytes.size()};
    return told(stream_->write({&piece, 1}));
  }

  Result<Wake> wait(bool to_write, Duration timeout) override {
    if (stream_->has_received()) return Wake::ready;
    const auto deadline = system_clock().steady() + timeout;
    const auto events =
        static_cast<short>(stream_->read_events() | (to_write ? stream_->write_events() : 0));
    std::array<pollfd, 2> fds{{{stream_->fd(), events, 0}, {wakeup_.fd(), POLLIN, 0}}};
    for (;;) {
      const int n = ::poll(fds.data(), fds.size(), net::poll_ms(system_clock().steady(), deadline));
      if (n == 0) return Wake::timeout;
      if (n > 0) return fds[1].revents != 0 ? Wake::interrupted : Wake::ready;
      if (errno != EINTR) return retry(Errc::redis_lost, "poll: " + net::errno_text(errno));
    }
  }

  void interrupt() noexcept override { wakeup_.notify(); }

 private:
  static Result<Transfer> told(const Result<net::Stream::Transfer>& transfer) {
    if (!transfer) return lost(transfer.error());
    return Transfer{transfer->bytes, transfer->closed};
  }

  std::unique_ptr<net::Stream> stream_;
  Wakeup wakeup_;
};

}  // namespace

Result<std::unique_ptr<Transport>> connect_socket(const RedisOptions& options, const Endpoint& at,
                                                  Duration timeout) {
  const auto deadline = system_clock().steady() + timeout;
  auto stream =
      at.socket.empty()
          ? net::connect({at.address.host, at.address.port, &options.tls, "redis"}, deadline)
          : net::connect_unix(at.socket, deadline);
  if (stream)
    return std::unique_ptr<Transport>(std::make_unique<SocketTransport>(std::move(stream).value()));
  if (stream.error().code == Errc::config_invalid)
    return std::move(stream).error().at("redis.socket");
  return lost(std::move(stream).error());
}

}  // namespace sluice::redis
