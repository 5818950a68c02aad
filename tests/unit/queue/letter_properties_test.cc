#include "queue/letter_properties.h"

#include <gtest/gtest.h>

#include "queue/amqp_bytes.h"

namespace sluice::queue {
namespace {

Letter sample() {
  Letter l;
  l.reason = "WRONGTYPE";
  l.error = "WRONGTYPE Operation against a key holding the wrong kind of value";
  l.file = "binlog.000003";
  l.pos = 5'000'000'000;
  l.gtid = "0-1-23";
  l.table = "shop.user";
  l.key = "shop:user:a\\:b";
  l.id = {1, 3, 5'000'000'000, 2, 9, 1};
  l.partition = 7;
  l.commit_us = 1'693'995'485'123'456;
  l.refused_us = 1'693'995'486'000'001;
  return l;
}

TEST(LetterProperties, HeadersComeBackAsTheyWere) {
  const Letter l = sample();
  LetterProperties writer;
  const amqp_basic_properties_t& properties = writer.write(l);
  EXPECT_EQ(properties.delivery_mode, 2);
  EXPECT_EQ(properties.timestamp, 1'693'995'486U);
  const Letter back = read_letter(properties);
  EXPECT_EQ(back.reason, l.reason);
  EXPECT_EQ(back.error, l.error);
  EXPECT_EQ(back.file, l.file);
  EXPECT_EQ(back.pos, l.pos);
  EXPECT_EQ(back.gtid, l.gtid);
  EXPECT_EQ(back.table, l.table);
  EXPECT_EQ(back.key, l.key);
  EXPECT_EQ(back.id, l.id);
  EXPECT_EQ(back.partition, l.partition);
  EXPECT_EQ(back.commit_us, l.commit_us);
  EXPECT_EQ(back.refused_us, l.refused_us);
  EXPECT_TRUE(back.is_row);
}

TEST(LetterProperties, AWholeMessageIsToldFromARow) {
  Letter l = sample();
  l.is_row = false;
  LetterProperties writer;
  EXPECT_FALSE(read_letter(writer.write(l)).is_row);
}

// A message of somebody else in the queue does not hide those behind it.
TEST(LetterProperties, WhatIsMissingOrOfAnotherTypeIsEmpty) {
  const amqp_basic_properties_t nothing{};
  const Letter bare = read_letter(nothing);
  EXPECT_EQ(bare.reason, "");
  EXPECT_FALSE(bare.is_row);
  std::array<amqp_table_entry_t, 3> entries{int_entry("reason", 5), text_entry("pos", "x"),
                                            text_entry("id", "not.an.id")};
  amqp_basic_properties_t odd{};
  odd._flags = AMQP_BASIC_HEADERS_FLAG;
  odd.headers = {3, entries.data()};
  const Letter letter = read_letter(odd);
  EXPECT_EQ(letter.reason, "");
  EXPECT_EQ(letter.pos, 0U);
  EXPECT_TRUE(letter.id.is_zero());
}

}  // namespace
}  // namespace sluice::queue
