#include "pipeline/source_stage.h"

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include "unit/pipeline/assembly.h"

namespace sluice::pipeline {
namespace {

using position::AppliedRecord;
using testing::Binlog;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::uint32_t kPartitions = 2;

// Packets, and then an error or silence.
class Packets final : public binlog::EventSource {
 public:
  Packets(std::vector<std::string> packets, std::optional<Error> end)
      : packets_(std::move(packets)), end_(std::move(end)) {}
  Result<Bytes> next() override {
    std::unique_lock lock(mu_);
    if (at_ < packets_.size()) return as_bytes(packets_[at_++]);
    if (end_) return *end_;
    changed_.wait(lock, [this] { return interrupted_; });
    return stopped();
  }
  bool ready() override { return at_ < packets_.size(); }
  void interrupt() override {
    const std::lock_guard lock(mu_);
    interrupted_ = true;
    changed_.notify_all();
  }
  binlog::ChecksumAlg announced_checksum() const override { return binlog::ChecksumAlg::off; }

 private:
  std::vector<std::string> packets_;
  std::optional<Error> end_;
  std::size_t at_ = 0;
  std::mutex mu_;
  std::condition_variable changed_;
  bool interrupted_ = false;
};

// Broker, appliers and Redis in one thread: what the outbox has is confirmed and applied at once.
class FakeSink {
 public:
  explicit FakeSink(Outbox& outbox, Wakeup& wakeup)
      : thread_([this, &outbox, &wakeup](const std::stop_token& st) { run(outbox, wakeup, st); }),
        wakeup_(&wakeup) {}
  ~FakeSink() {
    thread_.request_stop();
    wakeup_->notify();
  }
  void seed(std::uint32_t partition, AppliedRecord record) {
    const std::lock_guard lock(mu_);
    records_[partition] = std::move(record);
  }
  std::vector<std::optional<AppliedRecord>> records() {
    const std::lock_guard lock(mu_);
    return records_;
  }
  std::vector<EventId> applied() {
    const std::lock_guard lock(mu_);
    return applied_;
  }
  // Until this many rows were applied; false when they do not come.
  bool wait_for_rows(std::size_t count) {
    std::unique_lock lock(mu_);
    return changed_.wait_for(lock, std::chrono::seconds(20),
                             [&] { return applied_.size() >= count; });
  }

 private:
  void run(Outbox& outbox, Wakeup& wakeup, const std::stop_token& st) {
    event::LineReader reader(false);
    while (!st.stop_requested()) {
      pollfd wait{wakeup.fd(), POLLIN, 0};
      ::poll(&wait, 1, 5);
      wakeup.clear();
      outbox.tick(1);
      for (std::uint32_t p = 0; p < kPartitions; ++p)
        while (const OutgoingMessage* m = outbox.take(p)) {
          apply(reader, p, *m);
          outbox.confirmed(p);
        }
    }
  }
  void apply(event::LineReader& reader, std::uint32_t p, const OutgoingMessage& m) {
    const std::lock_guard lock(mu_);
    auto& record = records_[p];
    if (!record) record.emplace();
    EXPECT_LE(m.headers.prev, record->id);
    reader.open(m.body.view());
    for (;;) {
      auto view = reader.next();
      ASSERT_TRUE(view.ok());
      if (*view == nullptr) break;
      if ((*view)->kind == ChangeKind::tick)
        record->tick = {(*view)->seq.epoch,         (*view)->seq.file,          (*view)->pos,
                        std::string((*view)->file), std::string((*view)->gtid), (*view)->es_ms};
      for (const auto& row : (*view)->rows) {
        const EventId id = (*view)->seq.with_row(row.index);
        if (id <= record->id) continue;
        record->ordinal = record->gtid == (*view)->gtid ? record->ordinal + 1 : 1;
        record->gtid = (*view)->gtid;
        record->id = id;
        applied_.push_back(id);
      }
    }
    changed_.notify_all();
  }

  std::mutex mu_;
  std::condition_variable changed_;
  std::vector<std::optional<AppliedRecord>> records_{kPartitions};
  std::vector<EventId> applied_;
  std::jthread thread_;
  Wakeup* wakeup_;
};

// One server of the source.
struct Server {
  position::SourceState identity;
  Binlog binlog{Flavor::mysql};
  std::atomic<bool> up{true};
  std::atomic<bool> cut{false};     // its dumps end
  std::uint64_t behind_begins = 4;  // where a dump behind a set goes on
  std::optional<TrailEnd> trail_end;
  std::vector<std::string> behind_tail;  // the same of one behind a set
  std::optional<Error> breaks;           // what its dumps end in
  std::vector<std::string> tail;         // what a dump sends behind the binlog
  std::optional<BinlogPosition> end;     // where the binlog is said to end; else where it does
  std::optional<Binlog> reset;           // what dumps send from the second one on
  std::atomic<int> dumps{0}, looks{0};
  std::atomic<ErrorClass> check{ErrorClass::stopped};  // stopped: it has all
};

class SourceStageTest : public testing::AssemblerTest {
 protected:
  SourceStageTest() {
    settings_.partitions = kPartitions;
    std::filesystem::remove_all(folder_);
    for (const char* name : {"aaaa", "bbbb"}) {
      auto s = std::make_unique<Server>();
      s->identity = {"mysql", name, 1, 0, "binlog", 0, 0};
      servers_.push_back(std::move(s));
    }
    state_.instance = "main";
    state_.layout = {kPartitions, "x"};
    state_.source = servers_[0]->identity;
    state_.position = {Binlog::file_name(1), 4};
    state_.last.resize(kPartitions);
  }
  ~SourceStageTest() override {
    stop_.request_stop();
    if (thread_.joinable()) thread_.join();
    sink_.reset();
    checkpoint_.reset();
    std::filesystem::remove_all(folder_);
  }

  void prepare() {
    auto store = position::Store::open(folder_);
    ASSERT_TRUE(store.ok());
    const auto nothing = [](const schema::Place&) { return Status(); };
    checkpoint_.emplace(std::move(store).value(), state_, clock_,
                        Checkpoint::Hooks{nothing, nothing});
    auto gtids = GtidSet::parse(Flavor::mysql, state_.gtid_set);
    ASSERT_TRUE(gtids.ok());
    outbox_.emplace(
        Outbox::Settings{kPartitions, 1u << 20, 48u << 20},
        RestartPoint{file_of(state_), state_.position.pos, state_.gtid_set, state_.last}, *gtids,
        wakeup_);
    outbox_->set_stop(stop_.get_token());
    catalog_.emplace(schemas_);
    held_.emplace(folder_ / "xa", 1u << 20);
    assembler_.emplace(settings_, filter_, *catalog_, *outbox_, *held_, counters_, clock_);
    SourceStage::Dependencies deps;
    deps.hosts = servers_.size();
    deps.name = [](std::size_t host) { return "host" + std::to_string(host); };
    deps.identify = [this](std::size_t host) -> Result<position::SourceState> {
      if (!servers_[host]->up) return retry(Errc::mysql_lost, "down");
      return servers_[host]->identity;
    };
    deps.open = [this](std::size_t host, const BinlogPosition& from) -> SourceStage::Stream {
      Server& server = *servers_[host];
      if (++server.dumps > 1 && server.reset) return stream(host, server.reset->dump(from));
      auto packets = server.binlog.dump(from);
      packets.insert(packets.end(), server.tail.begin(), server.tail.end());
      return stream(host, std::move(packets));
    };
    deps.open_behind = [this](std::size_t host, const GtidSet& set) -> SourceStage::Stream {
      behind_ = set.to_string();
      auto packets = servers_[host]->binlog.dump();
      const auto rest =
          servers_[host]->binlog.dump({Binlog::file_name(1), servers_[host]->behind_begins});
      packets.resize(2);
      packets.insert(packets.end(), rest.begin() + 2, rest.end());
      packets.insert(packets.end(), servers_[host]->behind_tail.begin(),
                     servers_[host]->behind_tail.end());
      return stream(host, std::move(packets));
    };
    deps.check = [this](std::size_t host, const GtidSet& wanted, bool renamed) -> Status {
      renamed_ = renamed;
      const ErrorClass answer = servers_[host]->check.load();
      if (answer == ErrorClass::stopped) return {};
      return Error{answer, Errc::mysql_gtids_missing, "lacks " + wanted.to_string()};
    };
    deps.find_trail_end = [this](std::size_t host,
                                 const position::Trail& trail) -> Result<TrailEnd> {
      if (!servers_[host]->trail_end) return fatal(Errc::mysql_identity, "nothing to look for");
      trail_ = trail;
      return *servers_[host]->trail_end;
    };
    deps.applied = [this]() -> Result<std::vector<std::optional<AppliedRecord>>> {
      return sink_->records();
    };
    deps.end = [this](std::size_t host) -> Result<BinlogPosition> {
      Server& server = *servers_[host];
      ++server.looks;
      server.looks.notify_all();
      return server.end ? *server.end : server.binlog.here();
    };
    deps.follow = [this](std::size_t host) { followed_ = host; };
    stage_.emplace(
        std::move(deps),
        SourceStage::Settings{std::chrono::milliseconds(100), std::chrono::milliseconds(0)},
        *checkpoint_, *assembler_, *outbox_, counters_, health_);
    sink_.emplace(*outbox_, wakeup_);
  }
  SourceStage::Stream stream(std::size_t host, std::vector<std::string> packets) {
    if (!servers_[host]->up) return retry(Errc::mysql_lost, "down");
    return std::unique_ptr<binlog::EventSource>(std::make_unique<Packets>(
        std::move(packets), servers_[host]->breaks ? servers_[host]->breaks
                            : servers_[host]->cut  ? std::optional(retry(Errc::mysql_lost, "cut"))
                                                   : std::nullopt));
  }
  void start() {
    thread_ = std::thread([this] { result_ = stage_->run(stop_.get_token()); });
  }
  Status finish() {
    stop_.request_stop();
    thread_.join();
    return result_;
  }
  // It ends by itself.
  Error ends() {
    thread_.join();
    EXPECT_FALSE(result_.ok());
    return result_.ok() ? stopped() : result_.error();
  }

  const std::filesystem::path folder_ =
      std::filesystem::path(::testing::TempDir()) /
      (std::string("source-stage-") +
       ::testing::UnitTest::GetInstance()->current_test_info()->name());
  std::vector<std::unique_ptr<Server>> servers_;
  position::State state_;
  Wakeup wakeup_;
  std::stop_source stop_;
  ops::Counters counters_;
  Health health_;
  testing::FakeSchemas schemas_;
  std::optional<schema::Catalog> catalog_;
  std::optional<Checkpoint> checkpoint_;
  std::optional<Outbox> outbox_;
  std::optional<HeldXa> held_;
  std::optional<Assembler> assembler_;
  std::optional<FakeSink> sink_;
  std::optional<SourceStage> stage_;
  std::thread thread_;
  Status result_;
  std::string behind_;
  position::Trail trail_;
  bool renamed_ = false;
  std::atomic<std::size_t> followed_{99};
};

TEST_F(SourceStageTest, TakesOverWithANewEpochThatIsDurableBeforeItsFirstRow) {
  Server &a = *servers_[0], &b = *servers_[1];
  a.binlog.transaction({{1}});
  a.binlog.transaction({{2}});
  a.cut = true;
  b.binlog.transaction({{100, "elsewhere"}});
  b.binlog.transaction({{2}});
  b.behind_begins = b.binlog.transaction({{3}});
  prepare();
  start();
  ASSERT_TRUE(sink_->wait_for_rows(2));
  a.up = false;
  ASSERT_TRUE(sink_->wait_for_rows(3));
  EXPECT_EQ(finish().error().cls, ErrorClass::stopped);
  EXPECT_EQ(behind_, "11111111-1111-1111-1111-111111111111:1-2");
  EXPECT_EQ(sink_->applied().back(), (EventId{2, 1, b.behind_begins, 0, 0, 0}));
  EXPECT_EQ(followed_.load(), 1u);
  const position::State state = checkpoint_->state();
  EXPECT_EQ(state.epoch, 2u);
  EXPECT_EQ(state.source.server_uuid, "bbbb");
  EXPECT_FALSE(state.overlap_pending);
  EXPECT_EQ(state.gtid_set, "11111111-1111-1111-1111-111111111111:1-2");
}

TEST_F(SourceStageTest, AfterACrashRowsThatRedisHasAreNotSentAgainFromTheOtherServer) {
  Server &a = *servers_[0], &b = *servers_[1];
  a.up = false;
  b.binlog.transaction({{1}});
  b.behind_begins = b.binlog.transaction({{2}, {3}, {4}, {5}, {6}, {7}, {8}, {9}});
  state_.gtid_set = "11111111-1111-1111-1111-111111111111:1";
  prepare();
  // The process that died had sent the second transaction's first row of each partition.
  for (std::uint32_t p = 0; p < kPartitions; ++p)
    sink_->seed(
        p, {EventId{1, 1, 500, 0, p, 0}, "11111111-1111-1111-1111-111111111111:2", 1, "x", {}});
  start();
  ASSERT_TRUE(sink_->wait_for_rows(6)) << "8 rows, less one of each of 2 partitions";
  EXPECT_EQ(finish().error().cls, ErrorClass::stopped);
  EXPECT_EQ(sink_->applied().size(), 6u);
  EXPECT_EQ(checkpoint_->state().overlap.size(), 2u)
      << "kept until the restart point has passed it";
}

TEST_F(SourceStageTest, AnEpochIsAboveAllThatRedisHasSeen) {
  servers_[0]->up = false;
  servers_[1]->behind_begins = servers_[1]->binlog.transaction({{1}});
  state_.gtid_set = "22222222-2222-2222-2222-222222222222:1";
  prepare();
  AppliedRecord record;
  record.tick = {7, 1, 4, "binlog.000001", "", 0};
  sink_->seed(0, record);
  start();
  ASSERT_TRUE(sink_->wait_for_rows(1));
  EXPECT_EQ(finish().error().cls, ErrorClass::stopped);
  EXPECT_EQ(checkpoint_->state().epoch, 8u);
}

TEST_F(SourceStageTest, AServerThatLacksWhatWasReadIsRefusedWithTheReason) {
  servers_[0]->up = false;
  servers_[1]->check = ErrorClass::fatal;
  state_.gtid_set = "11111111-1111-1111-1111-111111111111:1-9";
  prepare();
  start();
  const Error e = ends();
  EXPECT_EQ(e.cls, ErrorClass::fatal);
  EXPECT_EQ(e.code, Errc::mysql_gtids_missing);
  EXPECT_THAT(e.what, HasSubstr("lacks 11111111-1111-1111-1111-111111111111:1-9"));
}

TEST_F(SourceStageTest, AServerWithoutGtidsIsRefusedByWhatDiffers) {
  servers_[0]->up = false;
  prepare();
  start();
  EXPECT_THAT(ends().what, HasSubstr("server_uuid was aaaa, is bbbb"));
}

TEST_F(SourceStageTest, WithoutGtidsItGoesOnBehindTheLastTransactionByItsRows) {
  Server &a = *servers_[0], &b = *servers_[1];
  const auto transaction = [](Binlog& binlog, std::int32_t id) {
    const std::uint64_t start = binlog.anonymous();
    binlog.query("BEGIN");
    binlog.table_map("t");
    binlog.insert({{id}});
    binlog.xid();
    return start;
  };
  transaction(a.binlog, 1);
  transaction(a.binlog, 2);
  a.cut = true;
  b.binlog.use_table_id(77);
  transaction(b.binlog, 1);
  transaction(b.binlog, 2);
  b.trail_end = TrailEnd{{b.binlog.here(), GtidSet(Flavor::mysql)}, true};
  const std::uint64_t third = transaction(b.binlog, 3);
  prepare();
  start();
  ASSERT_TRUE(sink_->wait_for_rows(2));
  a.up = false;
  ASSERT_TRUE(sink_->wait_for_rows(3));
  EXPECT_EQ(finish().error().cls, ErrorClass::stopped);
  EXPECT_EQ(trail_.prints.size(), 2u);
  EXPECT_EQ(trail_.commit_ms, static_cast<std::int64_t>(a.binlog.commit_us()) / 1000);
  EXPECT_EQ(sink_->applied().back(), (EventId{2, 1, third, 0, 0, 0}));
  EXPECT_EQ(sink_->applied().size(), 3u);
}

TEST_F(SourceStageTest, AServerThatLagsIsWaitedFor) {
  servers_[0]->up = false;
  servers_[1]->check = ErrorClass::retry;
  servers_[1]->behind_begins = servers_[1]->binlog.transaction({{1}});
  state_.gtid_set = "22222222-2222-2222-2222-222222222222:1";
  prepare();
  start();
  while (counters_.reconnects.load() < 2) std::this_thread::yield();
  servers_[1]->check = ErrorClass::stopped;
  EXPECT_TRUE(sink_->wait_for_rows(1));
  EXPECT_EQ(finish().error().cls, ErrorClass::stopped);
}

// RESET leaves a dump waiting in a file that is gone.
TEST_F(SourceStageTest, AnIdleDumpBeyondTheBinlogsEndIsOfAnotherHistory) {
  Server& a = *servers_[0];
  a.binlog.transaction({{1}});
  a.tail = {Binlog::heartbeat(1, a.binlog.pos())};
  a.end = BinlogPosition{Binlog::file_name(1), a.binlog.pos() - 1};
  a.reset.emplace(Flavor::mysql, 1'650'000'000);
  prepare();
  start();
  const Error error = ends();
  EXPECT_EQ(error.code, Errc::mysql_identity);
  EXPECT_THAT(error.what, HasSubstr("sluice position reset --config FILE --yes"));
  EXPECT_EQ(a.dumps.load(), 2);
}

TEST_F(SourceStageTest, ADumpThatSendsNothingThoughThereIsMoreIsLookedAtAnew) {
  Server& a = *servers_[0];
  a.binlog.transaction({{1}});
  const std::string heartbeat = Binlog::heartbeat(1, a.binlog.pos());
  a.tail = {heartbeat, heartbeat};
  a.end = BinlogPosition{Binlog::file_name(1), a.binlog.pos() + 100};
  a.reset.emplace(Flavor::mysql, 1'650'000'000);
  prepare();
  start();
  EXPECT_EQ(ends().code, Errc::mysql_identity);
  // As each dump begins, and twice: what is on its way at the one comes before the other.
  EXPECT_EQ(a.looks.load(), 4);
}

TEST_F(SourceStageTest, AnIdleDumpAtTheBinlogsEndGoesOn) {
  Server& a = *servers_[0];
  a.binlog.transaction({{1}});
  const std::string heartbeat = Binlog::heartbeat(1, a.binlog.pos());
  a.tail = {heartbeat, heartbeat, heartbeat};
  prepare();
  start();
  for (int looks = 0; looks < 4; looks = a.looks.load()) a.looks.wait(looks);
  EXPECT_EQ(finish().error().cls, ErrorClass::stopped);
  EXPECT_EQ(a.dumps.load(), 1);
}

TEST_F(SourceStageTest, ASourceIsIdleOnceItsEndWasReadOrAHeartbeatSaysSo) {
  Server& a = *servers_[0];
  a.binlog.transaction({{1}});
  a.end = BinlogPosition{Binlog::file_name(1), a.binlog.pos() + 100};
  prepare();
  start();
  ASSERT_TRUE(sink_->wait_for_rows(1));
  EXPECT_EQ(finish().error().cls, ErrorClass::stopped);
  EXPECT_FALSE(health_.source_idle.load()) << "it has more to send";
}

TEST_F(SourceStageTest, BehindAGtidSetOnlyAHeartbeatSaysThatThereIsNoMore) {
  Server &a = *servers_[0], &b = *servers_[1];
  a.up = false;
  b.binlog.transaction({{1}});
  b.behind_begins = b.binlog.pos();
  b.behind_tail = {Binlog::heartbeat(1, b.binlog.pos())};
  state_.gtid_set = "11111111-1111-1111-1111-111111111111:1";
  prepare();
  start();
  while (!health_.source_idle.load()) std::this_thread::yield();
  EXPECT_EQ(checkpoint_->state().epoch, 2u);
  EXPECT_EQ(finish().error().cls, ErrorClass::stopped);
}

// A file that was replaced under the dump cannot be read to its end.
TEST_F(SourceStageTest, AFileThatCannotBeReadIsLookedAtOnceMore) {
  Server& a = *servers_[0];
  a.binlog.transaction({{1}});
  a.breaks = fatal(Errc::binlog_malformed, "I/O error reading log event");
  prepare();
  start();
  EXPECT_EQ(ends().code, Errc::binlog_malformed);
  EXPECT_EQ(a.dumps.load(), 2);
}

TEST_F(SourceStageTest, AServerWhoseBinlogHasAnotherNameHasToProveMore) {
  servers_.resize(1);
  Server& a = *servers_[0];
  a.identity.binlog_base = "other";
  a.check = ErrorClass::fatal;
  state_.gtid_set = "11111111-1111-1111-1111-111111111111:1-2";
  prepare();
  start();
  EXPECT_EQ(ends().cls, ErrorClass::fatal);
  EXPECT_TRUE(renamed_);
}

TEST_F(SourceStageTest, APauseEndsItBetweenTwoTransactions) {
  servers_[0]->binlog.transaction({{1}, {2}});
  prepare();
  stage_->pause();
  start();
  EXPECT_EQ(ends().cls, ErrorClass::stopped);
  EXPECT_TRUE(stage_->paused());
  EXPECT_TRUE(sink_->applied().empty()) << "it was asked before the first one";
}

TEST_F(SourceStageTest, APauseWaitsUntilAllThatWasSentBeforeACrashIsMetAgain) {
  servers_[0]->binlog.transaction({{1}, {2}, {3}, {4}});
  servers_[0]->binlog.transaction({{5}, {6}, {7}, {8}});
  prepare();
  start();
  ASSERT_TRUE(sink_->wait_for_rows(8));
  EXPECT_EQ(finish().error().cls, ErrorClass::stopped);
  EXPECT_FALSE(stage_->paused());
  const auto records = sink_->records();
  // The position was not saved: it begins anew, and Redis has all rows.
  sink_.reset();
  checkpoint_.reset();
  stop_ = {};
  prepare();
  for (std::uint32_t p = 0; p < kPartitions; ++p) sink_->seed(p, *records[p]);
  stage_->pause();
  start();
  EXPECT_EQ(ends().cls, ErrorClass::stopped);
  EXPECT_TRUE(stage_->paused());
  EXPECT_EQ(outbox_->read_gtids().to_string(), "11111111-1111-1111-1111-111111111111:1-2");
  EXPECT_TRUE(sink_->applied().empty()) << "nothing twice";
}

TEST_F(SourceStageTest, FindsTheServerItFollowedOnAnotherHost) {
  std::swap(servers_[0], servers_[1]);
  servers_[1]->binlog.transaction({{1}});
  prepare();
  start();
  ASSERT_TRUE(sink_->wait_for_rows(1));
  EXPECT_EQ(finish().error().cls, ErrorClass::stopped);
  EXPECT_EQ(followed_.load(), 1u);
  EXPECT_EQ(checkpoint_->state().epoch, 1u);
}

}  // namespace
}  // namespace sluice::pipeline
