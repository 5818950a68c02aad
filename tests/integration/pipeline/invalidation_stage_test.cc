#include "pipeline/invalidation_stage.h"

#include <gmock/gmock.h>

#include "sluice/config/load.h"

#include "integration/redis/servers.h"
#include "unit/pipeline/fakes.h"

namespace sluice::pipeline {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;

class Invalidations : public redis::OnServer {
 protected:
  // By the name of the test's process: others use the server too.
  void SetUp() override {
    OnServer::SetUp();
    if (IsSkipped()) return;
    instance_ = "it" + std::to_string(::getpid());
    list_ = "sluice:" + instance_ + ":invalidations";
    LoadResult loaded = load_text("instance: " + instance_ +
                                      "\ntables: [{match: 'a\\.b', mappings: [{type: invalidate, "
                                      "again_after: 2s}]}]\n",
                                  "test.yaml", [](const std::string&) { return std::nullopt; });
    options_of_daemon_ = std::move(loaded.options);
    ASSERT_TRUE(options_of_daemon_);
    stage_.emplace([]() -> Result<std::unique_ptr<redis::Connection>> { return stopped(); },
                   *options_of_daemon_, [] { return true; }, clock_);
  }
  void TearDown() override {
    if (first_) ask({"DEL", list_});
    OnServer::TearDown();
  }
  redis::Reply ask(std::initializer_list<std::string_view> words) {
    auto reply = connection().command(words);
    EXPECT_TRUE(reply.ok());
    return reply ? std::move(reply).value() : redis::Reply{};
  }
  void due(std::int64_t ms, const std::string& id, const std::string& key) {
    ask({"ZADD", list_, std::to_string(ms), id + " " + key});
  }
  std::int64_t now_ms() const { return clock_.wall_us() / 1000; }

  testing::FakeClock clock_;
  std::string instance_, list_;
  std::unique_ptr<Options> options_of_daemon_;
  std::optional<InvalidationStage> stage_;
};
INSTANTIATE_TEST_SUITE_P(Servers, Invalidations,
                         ::testing::Values("SLUICE_TEST_REDIS7", "SLUICE_TEST_REDIS8"),
                         redis::server_name);

TEST_P(Invalidations, DeleteWhatIsDueAndNothingElse) {
  const std::string now = key("a key of two"), later = key("later");
  ask({"SET", now, "old"});
  ask({"SET", later, "old"});
  due(now_ms(), "1-2-3", now);
  due(now_ms() + 1000, "1-2-4", now);
  due(now_ms() + 1000, "1-2-4", later);
  ASSERT_TRUE(stage_->sweep(connection()).ok());
  EXPECT_EQ(ask({"EXISTS", now, later}).integer, 1);
  EXPECT_EQ(ask({"ZCARD", list_}).integer, 2) << "the same key once more has a time of its own";
  clock_.go(std::chrono::milliseconds(1000));
  ask({"SET", now, "old again"});
  ASSERT_TRUE(stage_->sweep(connection()).ok());
  EXPECT_EQ(ask({"EXISTS", now, later}).integer, 0);
  EXPECT_EQ(ask({"EXISTS", list_}).integer, 0);
}

TEST_P(Invalidations, MoreThanOneHandful) {
  for (int i = 0; i < 1234; ++i) {
    ask({"SET", key(std::to_string(i)), "old"});
    due(now_ms() - i, "1-2-" + std::to_string(i), key(std::to_string(i)));
  }
  ASSERT_TRUE(stage_->sweep(connection()).ok());
  EXPECT_EQ(ask({"EXISTS", list_}).integer, 0);
  EXPECT_TRUE(ask({"KEYS", key("*")}).items.empty());
}

TEST_P(Invalidations, AListThatIsNoneIsAnError) {
  ask({"SET", list_, "not a list"});
  const Status s = stage_->sweep(connection());
  ASSERT_FALSE(s.ok());
  EXPECT_THAT(s.error().what, HasSubstr("WRONGTYPE"));
}

TEST_P(Invalidations, TheIntervalIsAFractionOfTheShortestTime) {
  EXPECT_EQ(stage_->every(), std::chrono::milliseconds(500));
}

}  // namespace
}  // namespace sluice::pipeline
