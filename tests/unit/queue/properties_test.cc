#include "queue/properties.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "queue/amqp_bytes.h"
#include "queue/frames.h"

namespace sluice::queue {
namespace {

using ::testing::HasSubstr;

MessageHeaders sample() {
  MessageHeaders h;
  h.prev = {1, 3, 4000, 2, 9, 1};
  h.first = {1, 3, 4711, 0, 0, 0};
  h.last = {1, 3, 4711, 0, 7, 0};
  h.rows = 8;
  h.file = "binlog.000003";
  h.pos = 5000000000;
  h.gtid = "3e11fa47-71ca-11e1-9e33-c80aa9429562:23";
  h.commit_us = 1'693'995'485'123'456;
  return h;
}

// What comes out of the broker: the same properties, encoded and decoded.
class Wire {
 public:
  const amqp_basic_properties_t& pass(const amqp_basic_properties_t& properties) {
    FrameEncoder encoder;
    EXPECT_TRUE(encoder.add_content(1, properties, {}).ok());
    bytes_.clear();
    for (const iovec& p : encoder.pieces())
      bytes_.append(static_cast<const char*>(p.iov_base), p.iov_len);
    auto frame = decoder_.decode(as_bytes(bytes_));
    EXPECT_TRUE(frame.ok() && frame->has_value());
    frame_ = **frame;
    return frame_.properties();
  }

 private:
  FrameDecoder decoder_;
  std::string bytes_;
  Frame frame_;
};

TEST(Properties, HeadersComeBackAsTheyWere) {
  PropertiesWriter writer;
  Wire wire;
  const MessageHeaders h = sample();
  const auto back = read_properties(wire.pass(writer.write(h)));
  ASSERT_TRUE(back.ok()) << back.error().what;
  EXPECT_EQ(back->version, h.version);
  EXPECT_EQ(back->prev, h.prev);
  EXPECT_EQ(back->first, h.first);
  EXPECT_EQ(back->last, h.last);
  EXPECT_EQ(back->rows, h.rows);
  EXPECT_EQ(back->file, h.file);
  EXPECT_EQ(back->pos, h.pos);
  EXPECT_EQ(back->gtid, h.gtid);
  EXPECT_EQ(back->commit_us, h.commit_us);
}

TEST(Properties, ShowAPersistentMessageWithAReadableId) {
  PropertiesWriter writer;
  Wire wire;
  const auto& p = wire.pass(writer.write(sample()));
  EXPECT_EQ(p.delivery_mode, 2);
  EXPECT_EQ(view(p.content_type), "application/x-ndjson");
  EXPECT_EQ(view(p.message_id), "1.3.4711.0.7.0/8");
  ASSERT_TRUE((p._flags & AMQP_BASIC_TIMESTAMP_FLAG) != 0);
  EXPECT_EQ(p.timestamp, 1'693'995'485U);
}

TEST(Properties, NoTimestampWhenTheCommitTimeIsUnknown) {
  PropertiesWriter writer;
  MessageHeaders h = sample();
  h.commit_us = 0;
  EXPECT_EQ(writer.write(h)._flags & AMQP_BASIC_TIMESTAMP_FLAG, 0U);
}

TEST(Properties, AnyMissingHeaderIsPoisonAndNamed) {
  PropertiesWriter writer;
  const amqp_basic_properties_t whole = writer.write(sample());
  for (int gone = 0; gone < whole.headers.num_entries; ++gone) {
    std::vector<amqp_table_entry_t> entries;
    for (int i = 0; i < whole.headers.num_entries; ++i)
      if (i != gone) entries.push_back(whole.headers.entries[i]);
    amqp_basic_properties_t p = whole;
    p.headers = {static_cast<int>(entries.size()), entries.data()};
    const auto back = read_properties(p);
    ASSERT_FALSE(back.ok());
    EXPECT_EQ(back.error().cls, ErrorClass::poison);
    EXPECT_EQ(back.error().code, Errc::queue_message);
    EXPECT_THAT(back.error().what, HasSubstr(std::string(view(whole.headers.entries[gone].key))));
  }
}

TEST(Properties, AnIllTypedHeaderIsPoison) {
  PropertiesWriter writer;
  const amqp_basic_properties_t whole = writer.write(sample());
  for (int bad = 0; bad < whole.headers.num_entries; ++bad) {
    std::vector<amqp_table_entry_t> entries(whole.headers.entries,
                                            whole.headers.entries + whole.headers.num_entries);
    auto& value = entries[static_cast<std::size_t>(bad)].value;
    const bool text = value.kind == AMQP_FIELD_KIND_UTF8;
    value = text ? int_entry("", 1).value : text_entry("", "1").value;
    amqp_basic_properties_t p = whole;
    p.headers = {static_cast<int>(entries.size()), entries.data()};
    const auto back = read_properties(p);
    ASSERT_FALSE(back.ok()) << bad;
    EXPECT_EQ(back.error().cls, ErrorClass::poison) << bad;
  }
}

TEST(Properties, NoHeadersAtAllIsPoison) {
  const auto back = read_properties(amqp_basic_properties_t{});
  ASSERT_FALSE(back.ok());
  EXPECT_EQ(back.error().cls, ErrorClass::poison);
}

TEST(Properties, TextThatIsNoEventIdIsPoison) {
  PropertiesWriter writer;
  const amqp_basic_properties_t whole = writer.write(sample());
  std::vector<amqp_table_entry_t> entries(whole.headers.entries,
                                          whole.headers.entries + whole.headers.num_entries);
  entries[1] = text_entry("prev", "1.2.three");
  amqp_basic_properties_t p = whole;
  p.headers = {static_cast<int>(entries.size()), entries.data()};
  const auto back = read_properties(p);
  ASSERT_FALSE(back.ok());
  EXPECT_EQ(back.error().cls, ErrorClass::poison);
}

TEST(Properties, NegativeCountsArePoison) {
  PropertiesWriter writer;
  MessageHeaders h = sample();
  const amqp_basic_properties_t whole = writer.write(h);
  std::vector<amqp_table_entry_t> entries(whole.headers.entries,
                                          whole.headers.entries + whole.headers.num_entries);
  entries[4] = int_entry("rows", -1);
  amqp_basic_properties_t p = whole;
  p.headers = {static_cast<int>(entries.size()), entries.data()};
  const auto back = read_properties(p);
  ASSERT_FALSE(back.ok());
  EXPECT_EQ(back.error().cls, ErrorClass::poison);
}

TEST(Properties, ALaterVersionStopsAndSaysSo) {
  PropertiesWriter writer;
  MessageHeaders h = sample();
  h.version = kFormatVersion + 1;
  const auto back = read_properties(writer.write(h));
  ASSERT_FALSE(back.ok());
  EXPECT_EQ(back.error().cls, ErrorClass::fatal);
  EXPECT_EQ(back.error().code, Errc::queue_message);
  EXPECT_THAT(back.error().what, HasSubstr("later version"));
}

}  // namespace
}  // namespace sluice::queue
