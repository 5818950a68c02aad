#include "queue/frames.h"

#include <cstring>
#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "queue/amqp_bytes.h"

namespace sluice::queue {
namespace {

using namespace std::string_view_literals;

std::string bytes_of(FrameEncoder& encoder) {
  std::string all;
  for (const iovec& piece : encoder.pieces())
    all.append(static_cast<const char*>(piece.iov_base), piece.iov_len);
  return all;
}

std::string ack_frame(std::uint64_t tag, bool multiple) {
  FrameEncoder encoder;
  amqp_basic_ack_t args{};
  args.delivery_tag = tag;
  args.multiple = multiple ? 1 : 0;
  EXPECT_TRUE(encoder.add_method(3, AMQP_BASIC_ACK_METHOD, &args).ok());
  return bytes_of(encoder);
}

TEST(FrameEncoder, MethodFrameIsByteForByteWhatTheStandardSays) {
  // method frame, channel 3, 13 bytes: class 60, method 80, tag 258, multiple
  EXPECT_EQ(
      ack_frame(258, true),
      "\x01\x00\x03\x00\x00\x00\x0d\x00\x3c\x00\x50\x00\x00\x00\x00\x00\x00\x01\x02\x01\xce"sv);
}

std::string blocked_frame(bool blocked) {
  FrameEncoder encoder;
  amqp_connection_blocked_t why{};
  why.reason = amqp_bytes("low on memory");
  const amqp_connection_unblocked_t over{};
  EXPECT_TRUE((blocked ? encoder.add_method(0, AMQP_CONNECTION_BLOCKED_METHOD, &why)
                       : encoder.add_method(0, AMQP_CONNECTION_UNBLOCKED_METHOD, &over))
                  .ok());
  return bytes_of(encoder);
}

TEST(FrameDecoder, TheLastWordOnBlockingIsFoundBehindOtherFrames) {
  const auto word = [](const std::string& bytes) {
    return FrameDecoder::blocked_by(as_bytes(std::string_view(bytes)));
  };
  const std::string ack = ack_frame(1, false), blocked = blocked_frame(true);
  EXPECT_EQ(word(""), std::nullopt);
  EXPECT_EQ(word(ack + ack), std::nullopt);
  EXPECT_EQ(word(ack + blocked + ack), true);
  EXPECT_EQ(word(blocked + ack + blocked_frame(false)), false);
  EXPECT_EQ(word(blocked + blocked_frame(false) + blocked), true);
  for (std::size_t cut = 0; cut < blocked.size(); ++cut)
    EXPECT_EQ(word(ack + blocked.substr(0, cut)), std::nullopt) << cut;
}

TEST(FrameEncoder, HeartbeatAndProtocolHeader) {
  FrameEncoder encoder;
  encoder.add_heartbeat();
  EXPECT_EQ(bytes_of(encoder), "\x08\x00\x00\x00\x00\x00\x00\xce"sv);
  encoder.clear();
  encoder.add_protocol_header();
  EXPECT_EQ(bytes_of(encoder), "AMQP\x00\x00\x09\x01"sv);
}

TEST(FrameEncoder, CutsABodyAtFrameMaxAndDoesNotCopyIt) {
  FrameEncoder encoder;
  encoder.set_frame_max(4096);
  std::string body(10000, 'b');
  body[4087] = '1';
  body[4088] = '2';
  amqp_basic_properties_t properties{};
  ASSERT_TRUE(encoder.add_content(1, properties, body).ok());
  std::size_t inside = 0;
  for (const iovec& piece : encoder.pieces()) {
    const auto* at = static_cast<const char*>(piece.iov_base);
    if (at >= body.data() && at < body.data() + body.size()) inside += piece.iov_len;
  }
  EXPECT_EQ(inside, body.size());

  FrameDecoder decoder;
  decoder.set_frame_max(4096);
  const std::string wire = bytes_of(encoder);
  std::string_view rest = wire;
  std::string joined;
  std::vector<std::size_t> sizes;
  while (!rest.empty()) {
    auto frame = decoder.decode(as_bytes(rest));
    ASSERT_TRUE(frame.ok() && frame->has_value());
    rest.remove_prefix((*frame)->size);
    if ((*frame)->kind == Frame::Kind::header) {
      EXPECT_EQ((*frame)->body_size, body.size());
    }
    if ((*frame)->kind != Frame::Kind::body) continue;
    sizes.push_back((*frame)->size);
    joined += (*frame)->body;
  }
  EXPECT_EQ(joined, body);
  EXPECT_THAT(sizes, ::testing::ElementsAre(4096, 4096, 10000 - 2 * 4088 + 8));
}

TEST(FrameEncoder, AnEmptyBodyHasNoBodyFrame) {
  FrameEncoder encoder;
  ASSERT_TRUE(encoder.add_content(1, amqp_basic_properties_t{}, {}).ok());
  EXPECT_EQ(
      bytes_of(encoder),
      "\x02\x00\x01\x00\x00\x00\x0e\x00\x3c\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xce"sv);
}

TEST(FrameEncoder, HeadersThatDoNotFitIntoAFrameAreAnError) {
  FrameEncoder encoder;
  encoder.set_frame_max(4096);
  const std::string long_text(5000, 'x');
  amqp_table_entry_t entry = text_entry("gtid", long_text);
  amqp_basic_properties_t properties{};
  properties._flags = AMQP_BASIC_HEADERS_FLAG;
  properties.headers = {1, &entry};
  const auto status = encoder.add_content(1, properties, "x");
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, Errc::queue_message);
}

TEST(FrameDecoder, WaitsForEveryByteOfAFrame) {
  FrameDecoder decoder;
  const std::string whole = ack_frame(7, false) + "\x08";
  for (std::size_t n = 0; n + 1 < whole.size(); ++n) {
    auto frame = decoder.decode(as_bytes(std::string_view(whole).substr(0, n)));
    ASSERT_TRUE(frame.ok()) << n;
    EXPECT_FALSE(frame->has_value()) << n;
  }
  auto frame = decoder.decode(as_bytes(whole));
  ASSERT_TRUE(frame.ok() && frame->has_value());
  EXPECT_EQ((*frame)->size, whole.size() - 1);
  EXPECT_EQ((*frame)->channel, 3);
  ASSERT_TRUE((*frame)->is(AMQP_BASIC_ACK_METHOD));
  EXPECT_EQ((*frame)->as<amqp_basic_ack_t>().delivery_tag, 7U);
}

TEST(FrameDecoder, RefusesBytesThatAreNoFrame) {
  const std::pair<const char*, std::string_view> cases[] = {
      {"another protocol's greeting", "AMQP\x00\x00\x09\x01"sv},
      {"a TLS alert", "\x15\x03\x01\x00\x02\x02\x46"sv},
      {"no frame end", "\x08\x00\x00\x00\x00\x00\x00\x00"sv},
      {"a method frame without a method", "\x01\x00\x01\x00\x00\x00\x00\xce"sv},
      {"a method frame of three bytes", "\x01\x00\x01\x00\x00\x00\x03\x00\x3c\x00\xce"sv},
      {"an unknown method", "\x01\x00\x01\x00\x00\x00\x04\x00\x3c\x7f\x7f\xce"sv},
      {"a method cut short", "\x01\x00\x01\x00\x00\x00\x06\x00\x3c\x00\x50\x00\x00\xce"sv},
      {"a content header of four bytes", "\x02\x00\x01\x00\x00\x00\x04\x00\x3c\x00\x00\xce"sv},
      {"content of another class",
       "\x02\x00\x01\x00\x00\x00\x0e\x00\x0a\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xce"sv},
      {"a frame above frame_max, at its header", "\x03\x00\x01\x7f\xff\xff\xff"sv},
  };
  for (const auto& [what, bytes] : cases) {
    FrameDecoder decoder;
    const auto frame = decoder.decode(as_bytes(bytes));
    ASSERT_FALSE(frame.ok()) << what;
    EXPECT_EQ(frame.error().code, Errc::queue_lost) << what;
  }
}

// A deliver frame with its strings and a content header with every kind of field, one byte changed
// at a time: the decoder may refuse or accept, but reads nothing outside (the sanitizers watch; the
// input lies at the end of its own allocation).
TEST(FrameDecoder, SurvivesEveryChangedByte) {
  FrameEncoder encoder;
  amqp_basic_deliver_t deliver{};
  deliver.consumer_tag = amqp_bytes("tag");
  deliver.delivery_tag = 1;
  deliver.exchange = amqp_bytes("sluice.main");
  deliver.routing_key = amqp_bytes("sluice.main.p16.3");
  ASSERT_TRUE(encoder.add_method(1, AMQP_BASIC_DELIVER_METHOD, &deliver).ok());
  std::vector<std::string> wires{bytes_of(encoder)};
  encoder.clear();
  amqp_table_entry_t entries[] = {text_entry("prev", "1.2.3.4.5.0"), int_entry("rows", 5),
                                  flag_entry("on", true)};
  amqp_basic_properties_t properties{};
  properties._flags =
      AMQP_BASIC_HEADERS_FLAG | AMQP_BASIC_MESSAGE_ID_FLAG | AMQP_BASIC_CONTENT_TYPE_FLAG;
  properties.headers = {3, entries};
  properties.message_id = amqp_bytes("1.2.3.4.5.0/5");
  properties.content_type = amqp_bytes("application/x-ndjson");
  ASSERT_TRUE(encoder.add_content(1, properties, {}).ok());
  wires.push_back(bytes_of(encoder));
  std::size_t accepted = 0;
  std::size_t refused = 0;
  for (const std::string& wire : wires) {
    for (std::size_t i = 0; i < wire.size(); ++i) {
      for (int value = 0; value < 256; ++value) {
        const std::unique_ptr<char[]> copy(new char[wire.size()]);
        std::memcpy(copy.get(), wire.data(), wire.size());
        copy[i] = static_cast<char>(value);
        FrameDecoder decoder;
        const auto frame = decoder.decode(as_bytes(std::string_view(copy.get(), wire.size())));
        ++(frame.ok() ? accepted : refused);
      }
    }
  }
  EXPECT_GT(accepted, 0U);
  EXPECT_GT(refused, 0U);
}

}  // namespace
}  // namespace sluice::queue
