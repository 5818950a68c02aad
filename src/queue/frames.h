#pragma once
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include <amqp.h>
#include <amqp_framing.h>
#include <sys/uio.h>

#include "sluice/base/byte_reader.h"
#include "sluice/base/result.h"
#include "sluice/base/text_buffer.h"

namespace sluice::queue {

// AMQP 0-9-1, 4.2.3: type(1) channel(2) size(4) payload(size) 0xCE
inline constexpr std::size_t kFrameHeader = 7;
inline constexpr std::size_t kFrameOverhead = 8;

using ChannelNumber = std::uint16_t;
using MethodId = std::uint32_t;

// One received frame.  Views into the input, decoded parts in the decoder's pool: valid until the
// next decode() and as long as the input is.
struct Frame {
  enum class Kind : std::uint8_t { method, header, body, heartbeat };
  Kind kind = Kind::heartbeat;
  ChannelNumber channel = 0;
  MethodId method = 0;          // method
  void* decoded = nullptr;      // method: its amqp_*_t; header: amqp_basic_properties_t
  std::uint64_t body_size = 0;  // header
  std::string_view body;        // body
  std::size_t size = 0;         // bytes on the wire

  bool is(MethodId id) const noexcept { return kind == Kind::method && method == id; }
  template <class T>
  const T& as() const noexcept {
    return *static_cast<const T*>(decoded);
  }
  const amqp_basic_properties_t& properties() const noexcept {
    return as<amqp_basic_properties_t>();
  }
};

// Cuts the byte stream into frames.  rabbitmq-c decodes methods and properties; the frame's own
// bytes are checked here, because rabbitmq-c 0.11 computes a method's length before it knows that
// there is one.
class FrameDecoder {
 public:
  FrameDecoder() { init_amqp_pool(&pool_, 4096); }
  ~FrameDecoder() { empty_amqp_pool(&pool_); }
  FrameDecoder(const FrameDecoder&) = delete;
  FrameDecoder& operator=(const FrameDecoder&) = delete;

  void set_frame_max(std::size_t bytes) noexcept { frame_max_ = bytes; }
  // The frame `in` begins with, nothing when it is not complete yet.  Errors: retry/queue_lost for
  // bytes that are no AMQP.
  Result<std::optional<Frame>> decode(Bytes in);
  // The last word on blocking in the frames of `in`, which are not decoded yet: true for
  // connection.blocked, false for connection.unblocked.
  static std::optional<bool> blocked_by(Bytes in);

 private:
  amqp_pool_t pool_{};
  std::size_t frame_max_ = AMQP_FRAME_MIN_SIZE;
};

// Builds outgoing frames.  What pieces() shows is valid until the next clear(); bodies are referred
// to, not copied.
class FrameEncoder {
 public:
  void set_frame_max(std::size_t bytes) noexcept { frame_max_ = bytes; }
  std::size_t frame_max() const noexcept { return frame_max_; }
  // Wipes what was built; the bytes of a login too.
  void clear() noexcept;
  // Errors: fatal/internal when it does not fit into one frame.
  Status add_method(ChannelNumber channel, MethodId id, const void* args);
  // basic.publish's header and body.  `body` must stay until the pieces are sent.  Errors:
  // fatal/queue_message when the properties do not fit into one frame.
  Status add_content(ChannelNumber channel, const amqp_basic_properties_t& properties,
                     std::string_view body);
  void add_heartbeat();
  void add_protocol_header();
  std::vector<iovec>& pieces();

 private:
  struct Piece {  // a stretch of text_, then a stretch of a body
    std::size_t text_end;
    std::string_view body;
  };
  Status encoded(int rc, char* frame, std::uint8_t type, ChannelNumber channel, std::size_t before);
  void put_header(std::uint8_t type, ChannelNumber channel, std::size_t payload);
  std::size_t frame_max_ = AMQP_FRAME_MIN_SIZE;
  TextBuffer text_;
  std::vector<Piece> pieces_;
  std::vector<iovec> iov_;
};

}  // namespace sluice::queue
