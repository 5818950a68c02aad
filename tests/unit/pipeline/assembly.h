#pragma once
// The assembler with fakes around it, and the ways in which tests drive it.
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pipeline/assembler.h"
#include "unit/pipeline/binlog.h"
#include "unit/pipeline/fakes.h"
#include "unit/temp_folder.h"

namespace sluice::pipeline::testing {

// Longer rows than those of the other tests, to fill limits.
inline std::vector<TestRow> rows_from(std::int32_t first, int count) {
  std::vector<TestRow> out;
  for (int i = 0; i < count; ++i) out.push_back({first + i, "0123456789"});
  return out;
}

class Assembly {
 public:
  Assembly(AssemblerSettings settings, const TableFilter& filter, const Clock& clock,
           const std::filesystem::path& held_folder)
      : held(held_folder, settings.hold_bytes),
        catalog_(schemas),
        assembler_(settings, filter, catalog_, sink, held, counters, clock) {
    assembler_.set_barrier([this] {
      barriers.push_back(sink.rows.size());
      return Status();
    });
  }

  // As after a (re)connection: a dump from where the last whole transaction ended.
  void start(const BinlogPosition& from, std::shared_ptr<const SourceFile> expected = nullptr) {
    auto epoch = expected ? expected->epoch : nullptr;
    start_dump({from, std::move(expected), std::move(epoch), false, false});
  }
  void start_dump(const DumpStart& start) {
    assembler_.start(start);
    framer_.emplace(binlog::ChecksumAlg::off, false);
  }
  void restart() { start(assembler_.resume(), assembler_.resume_file()); }
  Status feed(const std::string& packet) {
    auto event = framer_->frame(as_bytes(packet));
    if (!event) return std::move(event).error();
    return assembler_.feed(*event, framer_->format());
  }
  Status play(const std::vector<std::string>& packets) {
    for (const std::string& p : packets) SLUICE_TRY(feed(p));
    return {};
  }
  Assembler& operator*() { return assembler_; }
  Assembler* operator->() { return &assembler_; }

  FakeSchemas schemas;
  RecordingSink sink;
  ops::Counters counters;
  HeldXa held;
  std::vector<std::size_t> barriers;  // how many rows had been handed over at each

 private:
  schema::Catalog catalog_;
  Assembler assembler_;
  std::optional<binlog::EventFramer> framer_;
};

class AssemblerTest : public ::testing::Test {
 protected:
  AssemblerTest() {
    options_.filter.include.set(PatternList{"shop\\..*"});
    options_.filter.exclude.set(PatternList{"shop\\.hidden.*"});
    settings_.partitions = 4;
  }
  std::unique_ptr<Assembly> assembly() {
    auto a = std::make_unique<Assembly>(settings_, filter_, clock_, folder_.path() / "xa");
    a->start_dump({{Binlog::file_name(1), 4}, nullptr, epoch_, false, false});
    return a;
  }
  // Plays the whole binlog.
  std::unique_ptr<Assembly> played(const Binlog& binlog) {
    auto a = assembly();
    const Status s = a->play(binlog.dump());
    EXPECT_TRUE(s.ok()) << (s.ok() ? "" : to_string(s.error()));
    return a;
  }
  // Plays it and expects an error at its last event.
  Error refused(const Binlog& binlog) {
    auto a = assembly();
    const auto packets = binlog.dump();
    for (std::size_t i = 0; i + 1 < packets.size(); ++i) {
      const Status s = a->feed(packets[i]);
      EXPECT_TRUE(s.ok()) << "packet " << i << ": " << to_string(s.error());
      if (!s.ok()) return s.error();
    }
    Status s = a->feed(packets.back());
    EXPECT_FALSE(s.ok());
    if (s.ok()) return stopped();
    EXPECT_EQ(s.error().cls, ErrorClass::fatal);
    EXPECT_THAT(s.error().what, ::testing::HasSubstr("at " + binlog.file() + ":"));
    return std::move(s).error();
  }

  Options options_;
  TableFilter filter_{options_};
  FakeClock clock_;
  AssemblerSettings settings_;
  sluice::testing::TempFolder folder_;
  std::shared_ptr<const SourceEpoch> epoch_;  // null: the first
};

class BothFlavours : public AssemblerTest, public ::testing::WithParamInterface<Flavor> {};

}  // namespace sluice::pipeline::testing
