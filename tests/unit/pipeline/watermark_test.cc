#include <gtest/gtest.h>

#include "pipeline/watermark_stage.h"
#include "unit/pipeline/fake_redis.h"

namespace sluice::pipeline {
namespace {

using Records = std::vector<std::optional<position::AppliedRecord>>;

position::AppliedRecord at(std::uint64_t file, std::uint64_t pos, std::int64_t es_ms = 0,
                           std::uint32_t epoch = 1) {
  position::AppliedRecord r;
  r.tick = {epoch, file, pos, "binlog.00000" + std::to_string(file), "set", es_ms};
  return r;
}

TEST(LowestTick, IsTheSmallestPlaceOverAllPartitions) {
  const Records records = {at(2, 10), at(1, 900), at(2, 5)};
  const auto lowest = lowest_tick(records);
  ASSERT_TRUE(lowest);
  EXPECT_EQ(lowest->file_number, 1u);
  EXPECT_EQ(lowest->pos, 900u);
  EXPECT_EQ(lowest->gtid_set, "set");
}

TEST(LowestTick, AnEarlierEpochIsLowerWhateverItsFile) {
  EXPECT_EQ(lowest_tick({at(1, 4, 0, 2), at(9, 900, 0, 1)})->epoch, 1u);
}

TEST(LowestTick, OfEqualPlacesTheEarlierTimeCounts) {
  EXPECT_EQ(lowest_tick({at(1, 4, 300), at(1, 4, 100), at(1, 4, 200)})->es_ms, 100);
  EXPECT_EQ(lowest_tick({at(1, 4, 300), at(1, 5, 100)})->es_ms, 300)
      << "of the lowest place, not of all";
}

TEST(LowestTick, IsUnknownWhileAPartitionHasNone) {
  EXPECT_FALSE(lowest_tick({at(1, 4), std::nullopt}));
  EXPECT_FALSE(lowest_tick({at(1, 4), position::AppliedRecord{}})) << "rows, and no tick yet";
  EXPECT_FALSE(lowest_tick({}));
}

TEST(ReadApplied, TellsAnEmptyPartitionFromOneThatIsThere) {
  testing::FakeRedis server;
  TextBuffer text;
  position::append(text, at(1, 4));
  server.put(position::applied_key("main", 3, 1), std::string(text.view()));
  testing::FakeRedisConnection redis(server);
  const auto records = read_applied(redis, "main", 3);
  ASSERT_TRUE(records.ok());
  ASSERT_EQ(records->size(), 3u);
  EXPECT_FALSE((*records)[0]);
  EXPECT_EQ((*records)[1]->tick.pos, 4u);
}

TEST(ReadApplied, ADamagedRecordIsAnErrorAndTheConnectionStaysUsable) {
  testing::FakeRedis server;
  server.put(position::applied_key("main", 3, 0), "{");
  testing::FakeRedisConnection redis(server);
  const auto records = read_applied(redis, "main", 3);
  ASSERT_FALSE(records.ok());
  EXPECT_EQ(records.error().code, Errc::position_damaged);
  const auto reply = redis.command({"TYPE", "x"});
  ASSERT_TRUE(reply.ok());
  EXPECT_EQ(reply->text, "none") << "all three replies were read";
}

}  // namespace
}  // namespace sluice::pipeline
