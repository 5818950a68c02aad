#include "queue/confirm_book.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace sluice::queue {
namespace {

using Kind = Outcome::Kind;

TEST(ConfirmBook, AnAckConfirmsItsPartitionOnly) {
  ConfirmBook book(4);
  book.sent(2);  // tag 1
  book.sent(0);  // tag 2
  std::vector<Outcome> out;
  EXPECT_TRUE(book.settle(2, false, true, out));
  ASSERT_EQ(out.size(), 1U);
  EXPECT_EQ(out[0].partition, 0U);
  EXPECT_EQ(out[0].kind, Kind::confirmed);
  EXPECT_TRUE(book.unconfirmed(2));
  EXPECT_FALSE(book.unconfirmed(0));
}

TEST(ConfirmBook, MultipleSettlesAllUpToTheTag) {
  ConfirmBook book(4);
  for (const std::uint32_t p : {3U, 1U, 0U, 2U}) book.sent(p);  // tags 1..4
  std::vector<Outcome> out;
  EXPECT_TRUE(book.settle(3, true, true, out));
  EXPECT_EQ(out.size(), 3U);
  EXPECT_TRUE(book.unconfirmed(2));
  EXPECT_FALSE(book.unconfirmed(3) || book.unconfirmed(1) || book.unconfirmed(0));
}

TEST(ConfirmBook, MultipleWithTagZeroSettlesAll) {
  ConfirmBook book(2);
  book.sent(0);
  book.sent(1);
  std::vector<Outcome> out;
  EXPECT_TRUE(book.settle(0, true, false, out));
  ASSERT_EQ(out.size(), 2U);
  EXPECT_EQ(out[0].kind, Kind::nacked);
  EXPECT_EQ(out[1].kind, Kind::nacked);
}

TEST(ConfirmBook, AReturnedMessageComesOutOnceAndAsReturned) {
  ConfirmBook book(2);
  book.sent(1);
  EXPECT_TRUE(book.returned(1, "312 NO_ROUTE"));
  std::vector<Outcome> out;
  EXPECT_TRUE(book.settle(1, false, true, out));
  EXPECT_TRUE(book.settle(1, true, true, out));  // again, inside a multiple
  ASSERT_EQ(out.size(), 1U);
  EXPECT_EQ(out[0].kind, Kind::returned);
  EXPECT_EQ(out[0].reason, "312 NO_ROUTE");
}

TEST(ConfirmBook, TheNextMessageOfAPartitionDoesNotInheritTheReturn) {
  ConfirmBook book(1);
  book.sent(0);
  ASSERT_TRUE(book.returned(0, "312 NO_ROUTE"));
  std::vector<Outcome> out;
  ASSERT_TRUE(book.settle(1, false, true, out));
  book.sent(0);
  ASSERT_TRUE(book.settle(2, false, true, out));
  ASSERT_EQ(out.size(), 2U);
  EXPECT_EQ(out[1].kind, Kind::confirmed);
  EXPECT_TRUE(out[1].reason.empty());
}

TEST(ConfirmBook, ALateConfirmOfASettledTagDoesNotTouchTheNextMessage) {
  ConfirmBook book(1);
  book.sent(0);
  std::vector<Outcome> out;
  ASSERT_TRUE(book.settle(1, false, true, out));
  book.sent(0);  // tag 2
  out.clear();
  EXPECT_TRUE(book.settle(1, false, true, out));
  EXPECT_TRUE(book.settle(1, true, true, out));
  EXPECT_TRUE(out.empty());
  EXPECT_TRUE(book.unconfirmed(0));
}

TEST(ConfirmBook, RefusesTagsAndReturnsThatNobodyWaitsFor) {
  ConfirmBook book(2);
  std::vector<Outcome> out;
  EXPECT_FALSE(book.settle(1, false, true, out));
  EXPECT_FALSE(book.settle(0, false, true, out));
  EXPECT_FALSE(book.returned(0, "x"));
  EXPECT_FALSE(book.returned(7, "x"));
  book.sent(0);
  EXPECT_FALSE(book.settle(2, true, true, out));
  EXPECT_TRUE(out.empty());
}

}  // namespace
}  // namespace sluice::queue
