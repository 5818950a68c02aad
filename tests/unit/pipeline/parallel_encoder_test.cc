#include "pipeline/parallel_encoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/pipeline/assembly.h"

namespace sluice::pipeline {
namespace {

using testing::Binlog;
using testing::rows_from;

// ROWS events of table `t`, whose column `v` has a name as long as a test wants it.
class ParallelEncoderTest : public ::testing::Test {
 protected:
  void write(int events, int rows) {
    for (int i = 0; i < events; ++i) binlog_.insert(rows_from(i * rows, rows));
  }
  void add_all(ParallelEncoder& encoder, const std::string& column) {
    testing::FakeSchemas schemas;
    schemas.second_column = column;
    binlog::EventFramer framer(binlog::ChecksumAlg::off, false);
    std::shared_ptr<const event::TablePlan> plan;
    std::uint64_t ordinal = 0;
    for (const std::string& packet : binlog_.dump()) {
      const auto event = framer.frame(as_bytes(packet));
      ASSERT_TRUE(event.ok());
      if (event->header.type == binlog::EventType::table_map) {
        auto map = binlog::TableMap::decode(event->body, *framer.format());
        ASSERT_TRUE(map.ok());
        auto made = event::TablePlan::make(std::move(map).value(), *schemas.read_table("shop", "t"),
                                           {}, {});
        ASSERT_TRUE(made.ok());
        plan = std::move(made).value();
      } else if (binlog::is_rows_event(event->header.type)) {
        body_bytes_ = event->body.size();
        ASSERT_TRUE(encoder.holds(body_bytes_));
        event::LineContext context;
        context.seq = {1, 1, 4, ordinal, 0};
        context.gtid = "0-7-1";
        const Status s = encoder.add(event->header.type, event->body, *framer.format(), plan,
                                     context, 1000 + ordinal);
        ASSERT_TRUE(s.ok());
        ++ordinal;
        EXPECT_LE((ordinal - taken_) * body_bytes_, settings_.bytes / 9) << "with the threads";
      }
    }
    ASSERT_TRUE(encoder.settle().ok());
    EXPECT_EQ(taken_, ordinal);
  }
  ParallelEncoder::Take take() {
    return [this](EncodeJob& job) {
      for (const EncodeJob::Item& item : job.items) {
        EXPECT_EQ(item.ordinal, taken_++) << "order";
        EXPECT_EQ(item.start, 1000 + item.ordinal);
      }
      EXPECT_TRUE(job.status.ok());
      jobs_ += 1;
      left_ += job.items.size() - job.encoded;
      longest_ = std::max(longest_, job.text.size());
      return Status();
    };
  }

  Binlog binlog_{Flavor::mysql};
  ParallelEncoder::Settings settings_{.threads = 2, .bytes = 200'000};
  std::size_t body_bytes_ = 0;
  std::uint64_t taken_ = 0, left_ = 0, jobs_ = 0;
  std::size_t longest_ = 0;
};

TEST_F(ParallelEncoderTest, HoldsNoMoreThanItMay) {
  binlog_.table_map("t");
  write(500, 20);
  ParallelEncoder encoder(settings_, take());
  // Six jobs, each with events and eight times as much of lines.
  EXPECT_TRUE(encoder.holds(200'000 / 6 / 9));
  EXPECT_FALSE(encoder.holds(200'000 / 6 / 9 + 1));
  add_all(encoder, "v");
  EXPECT_EQ(left_, 0U);
  EXPECT_GE(jobs_, 500 * body_bytes_ / (200'000 / 6 / 9));
  EXPECT_LE(longest_, 200'000 / 6U);
}

// Lines may be many times as long as their events: what is too much is not made by the thread.
TEST_F(ParallelEncoderTest, LeavesToTheTakerWhatMakesTooMuchOfItself) {
  binlog_.table_map("t");
  for (int i = 0; i < 500; ++i) binlog_.insert({{2 * i, std::nullopt}, {2 * i + 1, std::nullopt}});
  ParallelEncoder encoder(settings_, take());
  add_all(encoder, std::string(64, 'v'));
  EXPECT_GT(left_, 0U);
  EXPECT_LT(left_, 500U);
  EXPECT_GT(longest_, 8 * (200'000 / 6U / 9));
  EXPECT_LE(longest_, 8 * (200'000 / 6U / 9) + 1000) << "one event more";
}

TEST_F(ParallelEncoderTest, JobsHaveAMostSizeHoweverMuchThereMayBe) {
  settings_.bytes = std::size_t{1} << 30;
  const ParallelEncoder encoder(settings_, take());
  EXPECT_TRUE(encoder.holds(settings_.job_bytes));
  EXPECT_FALSE(encoder.holds(settings_.job_bytes + 1));
}

}  // namespace
}  // namespace sluice::pipeline
