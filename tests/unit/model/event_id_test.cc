#include "sluice/model/event_id.h"

#include <limits>

#include <gtest/gtest.h>

namespace sluice {
namespace {

TEST(EventId, ReadsWhatItWrites) {
  constexpr auto kMost = std::numeric_limits<std::uint64_t>::max();
  for (const EventId& id :
       {EventId{}, EventId{1, 2, 3, 4, 5, 1}, EventId{0xFFFFFFFF, kMost, kMost, kMost, kMost, 1}}) {
    const auto back = EventId::parse(id.to_string());
    ASSERT_TRUE(back.ok()) << id.to_string();
    EXPECT_EQ(*back, id);
  }
  EXPECT_EQ((EventId{1, 2, 3, 4, 5, 1}).to_string(), "1.2.3.4.5.1");
}

TEST(EventId, IsOrderedMemberByMember) {
  const EventId base{2, 2, 2, 2, 2, 0};
  EXPECT_LT((EventId{1, 9, 9, 9, 9, 1}), base);
  EXPECT_LT((EventId{2, 1, 9, 9, 9, 1}), base);
  EXPECT_LT((EventId{2, 2, 1, 9, 9, 1}), base);
  EXPECT_LT((EventId{2, 2, 2, 1, 9, 1}), base);
  EXPECT_LT((EventId{2, 2, 2, 2, 1, 1}), base);
  EXPECT_LT(base, (EventId{2, 2, 2, 2, 2, 1}));
  EXPECT_LT(EventId{}, (EventId{1, 0, 0, 0, 0, 0}));
  EXPECT_TRUE(EventId{}.is_zero());
  EXPECT_FALSE(base.is_zero());
  EXPECT_EQ(base.transaction(), (TransactionId{2, 2, 2}));
}

TEST(EventId, RefusesWhatIsNone) {
  for (const char* text : {"", "1", "1.2.3.4.5", "1.2.3.4.5.0.0", "1.2.3.4.5.2", "1.2.3.4.5.",
                           "1.2.3.4.5.0 ", " 1.2.3.4.5.0", "1..3.4.5.0", "-1.2.3.4.5.0",
                           "4294967296.2.3.4.5.0", "1.2.3.4.18446744073709551616.0"}) {
    const auto id = EventId::parse(text);
    ASSERT_FALSE(id.ok()) << text;
    EXPECT_EQ(id.error().code, Errc::queue_message);
  }
}

TEST(Seq, WithARowIsAnEventId) {
  const auto seq = Seq::parse("1.2.3.4.1");
  ASSERT_TRUE(seq.ok());
  EXPECT_EQ(seq->with_row(7), (EventId{1, 2, 3, 4, 7, 1}));
  TextBuffer out;
  seq->append_to(out);
  EXPECT_EQ(out.view(), "1.2.3.4.1");
  EXPECT_FALSE(Seq::parse("1.2.3.4.5.1").ok());
  EXPECT_FALSE(Seq::parse("1.2.3.4.2").ok());
}

TEST(TransactionId, IsWrittenAndReadBack) {
  const TransactionId id{4294967295, 7, 18446744073709551615U};
  EXPECT_EQ(id.to_string(), "4294967295.7.18446744073709551615");
  const auto back = TransactionId::parse(id.to_string());
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(*back, id);
  for (const char* text : {"", "1.2", "1.2.3.4", "1.2.", "4294967296.2.3", " 1.2.3", "1.2.-3"}) {
    const auto bad = TransactionId::parse(text);
    ASSERT_FALSE(bad.ok()) << text;
    EXPECT_EQ(bad.error().code, Errc::position_damaged);
  }
}

}  // namespace
}  // namespace sluice
