#pragma once
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "sluice/base/result.h"
#include "sluice/base/text_buffer.h"
#include "sluice/base/unique_fd.h"
#include "sluice/base/wakeup.h"
#include "sluice/config/options.h"
#include "sluice/queue/connection.h"

#include "queue/broker_error.h"
#include "queue/frames.h"
#include "queue/tcp.h"

namespace sluice::queue {

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
// progress of a send, or by two heartbeats missed. After the first error (of class other than
// fatal/internal, fatal/queue_message) the link is dead and repeats it.
class Link {
 public:
  // Connects and logs in.  `role` is what the broker shows as the connection's name.
  // Errors: retry/queue_lost, fatal/queue_denied.
  static Result<std::unique_ptr<Link>> open(const QueueOptions& options, const std::string& role);
  // Says connection.close and waits shortly for the answer.
  ~Link();
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  const BrokerInfo& broker() const noexcept { return broker_; }
  const Peer& peer() const noexcept { return peer_; }
  ChannelNumber channel_max() const noexcept { return channel_max_; }
  std::chrono::milliseconds timeout() const noexcept { return timeout_; }
  // connection.blocked was the last word.
  bool blocked() const noexcept { return blocked_; }

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
  explicit Link(const QueueOptions& options);
  Status login(const QueueOptions& options, const std::string& role);  // handshake.cc
  Status start(const QueueOptions& options, const std::string& role);
  Status tune(const QueueOptions& options);
  Status open_vhost();
  // Waits for a method of channel 0 during the login.
  Result<Frame> await(MethodId id, const char* what);
  Status flush();  // sends what encoder_ holds
  Status wait_writable(Time deadline);
  void fill();  // one read of what the socket has
  Error write_error(int error);
  Status on_connection_frame(const Frame& frame, bool& passed_on);
  Status heartbeat(Time now);
  void close() noexcept;

  UniqueFd fd_;
  Peer peer_;
  BrokerInfo broker_;
  std::chrono::milliseconds timeout_;
  std::chrono::milliseconds heartbeat_{0};  // negotiated; 0 = none
  ChannelNumber channel_max_ = 0;
  bool logged_in_ = false;
  bool blocked_ = false;
  std::optional<Error> dead_;
  std::optional<std::string>
      eof_;  // why there will be no more bytes; told when those before it are used up
  FrameDecoder decoder_;
  FrameEncoder encoder_;
  TextBuffer in_;  // received; [0, used_) is done with
  std::size_t used_ = 0;
  Time last_read_, last_write_, last_service_;
};

}  // namespace sluice::queue
