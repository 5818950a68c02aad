#include "sluice/queue/letters.h"

#include <gmock/gmock.h>

#include "integration/queue/broker.h"
#include "queue/amqp_bytes.h"

namespace sluice::queue {
namespace {

using Fate = LetterSender::Fate;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Letters : public BrokerTest {
 protected:
  const std::function<Status()> serve = [] { return Status(); };
  static std::vector<Letter> some(std::uint64_t first, std::uint64_t count) {
    std::vector<Letter> out(count);
    for (std::uint64_t i = 0; i < count; ++i) {
      out[i].reason = "WRONGTYPE";
      out[i].table = "shop.user";
      out[i].id = {1, 1, first + i, 0, 0, 0};
      out[i].body = "letter " + std::to_string(first + i) + "\n";
    }
    return out;
  }
  std::unique_ptr<LetterSender> sender() {
    Brokers brokers(options);
    auto s = LetterSender::connect(brokers, names);
    EXPECT_TRUE(s.ok()) << to_string(s.error());
    return s.ok() ? std::move(s).value() : nullptr;
  }
  std::unique_ptr<LetterBox> box() {
    auto b = LetterBox::open(options, names);
    EXPECT_TRUE(b.ok()) << to_string(b.error());
    return b.ok() ? std::move(b).value() : nullptr;
  }
  static std::vector<LetterBox::Stored> all(LetterBox& b) {
    std::vector<LetterBox::Stored> out;
    for (;;) {
      auto next = b.next();
      EXPECT_TRUE(next.ok());
      if (!next.ok() || !*next) return out;
      out.push_back(std::move(**next));
    }
  }
  static std::vector<std::uint64_t> places(const std::vector<LetterBox::Stored>& letters) {
    std::vector<std::uint64_t> out;
    for (const auto& l : letters) out.push_back(l.letter.id.pos);
    return out;
  }
};

TEST_P(Letters, StayInTheirOrderHoweverOftenTheyAreLookedAtAndOnlyWhatIsRemovedGoes) {
  const auto admin = declared();
  ASSERT_NE(admin, nullptr);
  const auto s = sender();
  ASSERT_NE(s, nullptr);
  std::vector<Fate> fates;
  ASSERT_TRUE(s->send(some(1, 5), fates, {}, 10s, serve).ok());
  EXPECT_THAT(fates, Each(Fate::confirmed));
  for (int look = 0; look < 21; ++look) {  // more than the delivery limit of 4.x
    const auto b = box();
    ASSERT_NE(b, nullptr);
    ASSERT_THAT(places(all(*b)), ElementsAre(1, 2, 3, 4, 5)) << "look " << look;
    ASSERT_TRUE(b->close().ok());
  }
  {
    const auto b = box();
    ASSERT_NE(b, nullptr);
    const auto letters = all(*b);
    ASSERT_EQ(letters.size(), 5U);
    EXPECT_EQ(letters[1].letter.body, "letter 2\n");
    EXPECT_EQ(letters[1].letter.table, "shop.user");
    const auto info = admin->inspect(names.dead());
    ASSERT_TRUE(info.ok() && *info);
    EXPECT_EQ((*info)->consumers, 1U) << "seen by the status line while they are held";
    ASSERT_TRUE(b->remove(letters[1].tag).ok());
    ASSERT_TRUE(b->remove(letters[3].tag).ok());
    ASSERT_TRUE(b->close().ok());
  }
  const auto b = box();
  ASSERT_NE(b, nullptr);
  EXPECT_THAT(places(all(*b)), ElementsAre(1, 3, 5));
}

TEST_P(Letters, OneAtATimeLooksAtThem) {
  const auto admin = declared();
  ASSERT_NE(admin, nullptr);
  const auto first = box();
  ASSERT_NE(first, nullptr);
  const auto second = LetterBox::open(options, names);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, Errc::queue_topology);
  EXPECT_THAT(second.error().what, HasSubstr("has a consumer"));
}

TEST_P(Letters, WithoutAQueueThereIsNone) {
  const auto b = box();
  ASSERT_NE(b, nullptr);
  EXPECT_EQ(b->count(), 0U);
  EXPECT_TRUE(all(*b).empty());
}

TEST_P(Letters, WhatCannotBeRoutedComesBackAndIsSentAgain) {
  const auto admin = declared();
  ASSERT_NE(admin, nullptr);
  ASSERT_TRUE(admin->remove_queue(names.dead()).ok());
  const auto s = sender();
  ASSERT_NE(s, nullptr);
  const auto letters = some(1, 3);
  std::vector<Fate> fates;
  ASSERT_TRUE(s->send(letters, fates, {}, 10s, serve).ok());
  EXPECT_THAT(fates, Each(Fate::returned));
  ASSERT_TRUE(admin->declare(names, std::vector<bool>(names.partitions, true)).ok());
  ASSERT_TRUE(s->send(letters, fates, {}, 10s, serve).ok());
  EXPECT_THAT(fates, Each(Fate::confirmed));
  const auto b = box();
  ASSERT_NE(b, nullptr);
  EXPECT_THAT(places(all(*b)), ElementsAre(1, 2, 3));
}

TEST_P(Letters, AFullQueueNacksAndOnlyWhatWasNotTakenIsSentAgain) {
  Outsider outsider(options);
  outsider.declare_exchange(names.exchange());
  outsider.declare_queue(names.dead(),
                         {text_entry("x-queue-type", "classic"), int_entry("x-max-length", 1),
                          text_entry("x-overflow", "reject-publish")});
  outsider.bind(names.dead(), names.exchange());
  const auto s = sender();
  ASSERT_NE(s, nullptr);
  const auto letters = some(1, 2);
  std::vector<Fate> fates;
  ASSERT_TRUE(s->send(std::span(letters).first(1), fates, {}, 10s, serve).ok());
  fates.resize(2, Fate::unknown);
  ASSERT_TRUE(s->send(letters, fates, {}, 10s, serve).ok());
  EXPECT_THAT(fates, ElementsAre(Fate::confirmed, Fate::nacked));
  {
    const auto b = box();
    ASSERT_NE(b, nullptr);
    const auto there = all(*b);
    ASSERT_THAT(places(there), ElementsAre(1));
    ASSERT_TRUE(b->remove(there[0].tag).ok());
    ASSERT_TRUE(b->close().ok());
  }
  ASSERT_TRUE(s->send(letters, fates, {}, 10s, serve).ok());
  EXPECT_THAT(fates, Each(Fate::confirmed));
  const auto b = box();
  ASSERT_NE(b, nullptr);
  EXPECT_THAT(places(all(*b)), ElementsAre(2)) << "the first was not sent again";
}

SLUICE_ON_BOTH_BROKERS(Letters);

}  // namespace
}  // namespace sluice::queue
