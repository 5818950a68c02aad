#include "queue/frames.h"

#include <cstring>
#include <string>

#include "queue/amqp_bytes.h"

namespace sluice::queue {
namespace {

constexpr std::size_t kContentHeader = 12;  // class(2) weight(2) body size(8)

Error malformed(const std::string& what) {
  return retry(Errc::queue_lost,
               "not AMQP 0-9-1: " + what +
                   " (is queue.port the broker's AMQP port, and one without TLS? See queue.tls)");
}

// Writes v big-endian in n bytes.
void put_be(char* to, std::uint64_t v, std::size_t n) noexcept {
  for (std::size_t i = n; i-- > 0; v >>= 8U) to[i] = static_cast<char>(v & 0xFFU);
}

amqp_bytes_t span_of(Bytes b) noexcept {
  return amqp_bytes(as_chars(b));
}

}  // namespace

Result<std::optional<Frame>> FrameDecoder::decode(Bytes in) {
  if (in.size() < kFrameHeader) return std::optional<Frame>();
  ByteReader r(in);
  Frame f;
  const auto type = r.u8();
  f.channel = static_cast<ChannelNumber>(r.be<2>());
  const auto payload_size = r.be<4>();
  if (type != AMQP_FRAME_METHOD && type != AMQP_FRAME_HEADER && type != AMQP_FRAME_BODY &&
      type != AMQP_FRAME_HEARTBEAT)
    return malformed("frame type " + std::to_string(type));
  if (payload_size + kFrameOverhead > frame_max_)
    return malformed("frame of " + std::to_string(payload_size) + " bytes, agreed on " +
                     std::to_string(frame_max_));
  if (r.remaining() < payload_size + 1) return std::optional<Frame>();
  const Bytes payload = r.take(payload_size);
  if (r.u8() != AMQP_FRAME_END) return malformed("no frame end");
  f.size = payload_size + kFrameOverhead;
  recycle_amqp_pool(&pool_);
  ByteReader p(payload);
  switch (type) {
    case AMQP_FRAME_METHOD: {
      f.kind = Frame::Kind::method;
      f.method = static_cast<MethodId>(p.be<4>());
      if (!p.ok()) return malformed("method frame of " + std::to_string(payload_size) + " bytes");
      if (const int rc = amqp_decode_method(f.method, &pool_, span_of(p.rest()), &f.decoded);
          rc < 0)
        return malformed("method " + std::to_string(f.method) + ": " + amqp_error_string2(rc));
      break;
    }
    case AMQP_FRAME_HEADER: {
      f.kind = Frame::Kind::header;
      const auto class_id = static_cast<std::uint16_t>(p.be<2>());
      p.take(2);  // weight, always 0
      f.body_size = p.be<8>();
      if (!p.ok()) return malformed("content header of " + std::to_string(payload_size) + " bytes");
      if (class_id != AMQP_BASIC_CLASS)
        return malformed("content of class " + std::to_string(class_id));
      if (const int rc = amqp_decode_properties(class_id, &pool_, span_of(p.rest()), &f.decoded);
          rc < 0)
        return malformed(std::string("properties: ") + amqp_error_string2(rc));
      break;
    }
    case AMQP_FRAME_BODY:
      f.kind = Frame::Kind::body;
      f.body = as_chars(payload);
      break;
    default: f.kind = Frame::Kind::heartbeat; break;
  }
  return std::optional<Frame>(f);
}

std::optional<bool> FrameDecoder::blocked_by(Bytes in) {
  std::optional<bool> word;
  ByteReader r(in);
  for (;;) {
    const auto type = r.u8();
    const auto channel = r.be<2>();
    const auto size = r.be<4>();
    ByteReader payload(r.take(size));
    r.u8();
    if (!r.ok()) return word;
    if (type != AMQP_FRAME_METHOD || channel != 0) continue;
    const auto method = static_cast<MethodId>(payload.be<4>());
    if (method == AMQP_CONNECTION_BLOCKED_METHOD) word = true;
    if (method == AMQP_CONNECTION_UNBLOCKED_METHOD) word = false;
  }
}

void FrameEncoder::clear() noexcept {
  if (!text_.empty()) ::explicit_bzero(text_.data(), text_.size());
  text_.clear();
  pieces_.clear();
  iov_.clear();
}

void FrameEncoder::put_header(std::uint8_t type, ChannelNumber channel, std::size_t payload) {
  char* to = text_.room(kFrameHeader);
  to[0] = static_cast<char>(type);
  put_be(to + 1, channel, 2);
  put_be(to + 3, payload, 4);
  text_.commit(kFrameHeader);
}

// Completes a frame whose payload (`before` bytes and what rabbitmq-c wrote) lies behind room for
// the frame header.
Status FrameEncoder::encoded(int rc, char* frame, std::uint8_t type, ChannelNumber channel,
                             std::size_t before) {
  if (rc < 0) return fatal(Errc::internal, std::string("AMQP frame: ") + amqp_error_string2(rc));
  const std::size_t payload = before + static_cast<std::size_t>(rc);
  frame[0] = static_cast<char>(type);
  put_be(frame + 1, channel, 2);
  put_be(frame + 3, payload, 4);
  put_be(frame + kFrameHeader + payload, AMQP_FRAME_END, 1);
  text_.commit(payload + kFrameOverhead);
  return {};
}

Status FrameEncoder::add_method(ChannelNumber channel, MethodId id, const void* args) {
  char* frame = text_.room(frame_max_);
  put_be(frame + kFrameHeader, id, 4);
  const amqp_bytes_t room{frame_max_ - kFrameOverhead - 4, frame + kFrameHeader + 4};
  // rabbitmq-c only reads the arguments.
  const int rc = amqp_encode_method(id, const_cast<void*>(args), room);
  return encoded(rc, frame, AMQP_FRAME_METHOD, channel, 4);
}

Status FrameEncoder::add_content(ChannelNumber channel, const amqp_basic_properties_t& properties,
                                 std::string_view body) {
  char* frame = text_.room(frame_max_);
  put_be(frame + kFrameHeader, AMQP_BASIC_CLASS, 2);
  put_be(frame + kFrameHeader + 2, 0, 2);
  put_be(frame + kFrameHeader + 4, body.size(), 8);
  const amqp_bytes_t room{frame_max_ - kFrameOverhead - kContentHeader,
                          frame + kFrameHeader + kContentHeader};
  amqp_basic_properties_t copy = properties;
  const int rc = amqp_encode_properties(AMQP_BASIC_CLASS, &copy, room);
  if (rc < 0) {
    return fatal(Errc::queue_message, "message headers do not fit into an AMQP frame of " +
                                          std::to_string(frame_max_) +
                                          " bytes: " + amqp_error_string2(rc));
  }
  SLUICE_TRY(encoded(rc, frame, AMQP_FRAME_HEADER, channel, kContentHeader));
  const std::size_t most = frame_max_ - kFrameOverhead;
  while (!body.empty()) {
    const std::string_view part = body.substr(0, most);
    body.remove_prefix(part.size());
    put_header(AMQP_FRAME_BODY, channel, part.size());
    pieces_.push_back({text_.size(), part});
    text_.push_back(static_cast<char>(AMQP_FRAME_END));
  }
  return {};
}

void FrameEncoder::add_heartbeat() {
  put_header(AMQP_FRAME_HEARTBEAT, 0, 0);
  text_.push_back(static_cast<char>(AMQP_FRAME_END));
}

void FrameEncoder::add_protocol_header() {
  using std::string_view_literals::operator""sv;
  text_.append("AMQP\0\0\x09\x01"sv);  // 4.2.2: "AMQP", 0, then version 0-9-1
}

std::vector<iovec>& FrameEncoder::pieces() {
  iov_.clear();
  std::size_t done = 0;
  for (const Piece& p : pieces_) {
    iov_.push_back({text_.data() + done, p.text_end - done});
    done = p.text_end;
    iov_.push_back({const_cast<char*>(p.body.data()), p.body.size()});  // sendmsg() only reads
  }
  if (done < text_.size()) iov_.push_back({text_.data() + done, text_.size() - done});
  return iov_;
}

}  // namespace sluice::queue
