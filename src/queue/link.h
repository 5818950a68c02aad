#pragma once
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "sluice/base/result.h"
#include "sluice/base/text_buffer.h"
#include "sluice/base/wakeup.h"
#include "sluice/config/options.h"
#include "sluice/net/stream.h"
#include "sluice/queue/brokers.h"
#include "sluice/queue/connection.h"

#include "queue/broker_error.h"
#include "queue/frames.h"

namespace sluice::queue {

using net::Time;

// Takes the frames that arrive on channels while a link waits for something else.
class FrameSink {
 public:
  virtual ~FrameSink() = default;
  virtual Status on_frame(const Frame& frame) = 0;
};

// One AMQP connection: socket, login, heartbeats, and frames in and out.  Belongs to one thread.
//
// rabbitmq-c codes and decodes methods, tables and properties; the bytes travel here, because its
// own I/O sends heartbeats only inside its calls, waits without an end for a socket that takes no
// bytes, and reads nothing meanwhile. Every wait ends: by its deadline, by `timeout` without any
// progress of a send (unless the broker blocks us), or by two heartbeats missed. After the first
// error (of class other than fatal/internal, fatal/queue_message) the link is dead and repeats it.
class Link {
 public:
  // Connects to the first of `brokers` that answers and logs in; each has queue.connect_timeout.
  // `role` is what the broker shows as the connection's name.  Errors: retry/queue_lost with what
  // is wrong with each host; fatal/queue_denied at once for a login that is refused;
  // fatal/queue_tls when no host is encrypted as we want it; stopped.
  static Result<std::unique_ptr<Link>> open(Brokers& brokers, const std::string& role);
  // Says connection.close and waits shortly for the answer.
  ~Link();
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  const BrokerInfo& broker() const noexcept { return broker_; }
  const Peer& peer() const noexcept { return peer_; }
  ChannelNumber channel_max() const noexcept { return channel_max_; }
  std::chrono::milliseconds timeout() const noexcept { return timeout_; }
  // As negotiated: each side sends something at least twice in this time.  0: none.
  std::chrono::milliseconds heartbeat_time() const noexcept { return heartbeat_; }
  // connection.blocked was the last word.  A send that the broker does not take any more then is
  // kept here and goes on in wait(): do not send more, or memory grows.
  bool blocked() const noexcept { return blocked_ || !stalled_.empty(); }

  // The next frame that has arrived completely and is not the connection's own business (heartbeat,
  // blocked); nothing when there is none.  Valid until the next call of any member: a send may
  // read, too.  Errors: the connection is gone.
  Result<std::optional<Frame>> next_frame();

  enum class Woken : std::uint8_t { data, wake, timeout };
  // Waits for bytes from the broker, reads them, and serves heartbeats.  `wake` may be null; it is
  // not cleared.
  Result<Woken> wait(Time deadline, const Wakeup* wake);
  // Some time has passed without wait(): heartbeats want to be served.
  bool wants_service() const;

  Status send_method(ChannelNumber channel, MethodId id, const void* args);
  // basic.publish and its content, as one write.
  Status send_content(ChannelNumber channel, const amqp_basic_publish_t& publish,
                      const amqp_basic_properties_t& properties, std::string_view body);

  // The answer to a request.  closed: the broker closed the channel instead (channel.close-ok is
  // sent).
  struct Reply {
    Frame frame;  // valid until the next call of any member
    bool closed = false;
    std::uint16_t code = 0;
    std::string text;
  };
  // Sends a request and waits up to timeout() for `answer` on the same channel; other frames go to
  // `sink`. Errors: the connection is gone.
  Result<Reply> call(ChannelNumber channel, MethodId id, const void* args, MethodId answer,
                     FrameSink& sink);

  // Makes the link dead at once.  Returns the error.
  Error die(Error error);
  // As die(), but takes leave of the broker first.
  Error leave(Error error);

 private:
  Link(const QueueOptions& options, const HostPort& host);
  static Result<std::unique_ptr<Link>> open_one(const QueueOptions& options, const HostPort& host,
                                                const std::string& role);
  Status login(const QueueOptions& options, const std::string& role);  // handshake.cc
  Status start(const QueueOptions& options, const std::string& role);
  Status tune(const QueueOptions& options);
  Status open_vhost();
  // Waits for a method of channel 0 during the login.
  Result<Frame> await(MethodId id, const char* what);
  Status flush();  // sends what encoder_ holds
  // False: the broker blocks us, which may last.
  Result<bool> wait_writable(Time deadline);
  Status send_stalled();
  void fill();  // one read of what the socket has
  Error write_error(const Error& error);
  Status on_connection_frame(const Frame& frame, bool& passed_on);
  Status heartbeat(Time now);
  void close() noexcept;

  std::unique_ptr<net::Stream> stream_;
  Peer peer_;
  BrokerInfo broker_;
  std::chrono::milliseconds timeout_;
  std::chrono::milliseconds heartbeat_{0};  // negotiated; 0 = none
  ChannelNumber channel_max_ = 0;
  bool logged_in_ = false;
  bool blocked_ = false;
  std::optional<Error> dead_;
  std::optional<Error> eof_;  // why there are no more bytes; told when those before it are used up
  FrameDecoder decoder_;
  FrameEncoder encoder_;
  TextBuffer stalled_;  // what a blocking broker has not taken of a send
  TextBuffer in_;       // received; [0, used_) is done with
  std::size_t used_ = 0;
  Time last_read_, last_write_, last_service_;
};

}  // namespace sluice::queue
