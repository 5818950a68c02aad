// Which files there are at any moment, and what of them another process finds.
#include "pipeline/held_xa.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/temp_folder.h"

namespace sluice::pipeline {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::size_t kLimit = 1000;

TransactionId at(std::uint64_t pos, std::uint32_t epoch = 1, std::uint64_t file = 3) {
  return {epoch, file, pos};
}

// Begins to read at `point`.
struct Process : HeldXa {
  Process(const fs::path& folder, const TransactionId& point) : HeldXa(folder, kLimit) {
    const Status s = load(point);
    EXPECT_TRUE(s.ok()) << (s.ok() ? "" : to_string(s.error()));
  }
};

class HeldXaTest : public ::testing::Test {
 protected:
  fs::path folder() const { return folder_.path() / "xa"; }
  Process next_process(const TransactionId& point) const { return {folder(), point}; }
  static position::HeldSummary summary(const std::string& xid, const TransactionId& prepared) {
    position::HeldSummary s;
    s.xid = xid;
    s.prepared = prepared;
    s.begins = {"binlog.000003", prepared.pos};
    return s;
  }
  static void add(HeldXa& held, const std::string& xid, const TransactionId& prepared,
                  const std::string& body) {
    std::string records;
    position::append_record(records, 1, {body});
    ASSERT_TRUE(held.add(summary(xid, prepared), records).ok());
  }
  static void save(HeldXa& held, const TransactionId& point) {
    ASSERT_TRUE(held.persist(point).ok());
    ASSERT_TRUE(held.saved(point).ok());
  }
  // What is held under the xid; "-" for nothing.
  static std::string found(HeldXa& held, const std::string& xid) {
    auto one = held.find(xid);
    if (!one) return to_string(one.error());
    if (!*one) return "-";
    EXPECT_EQ((*one)->summary.xid, xid);
    position::RecordReader::Record record;
    std::string out;
    for (;;) {
      auto more = (*one)->records.next(record);
      if (!more) return to_string(more.error());
      if (!*more) return out;
      out += as_chars(record.body);
    }
  }
  std::vector<std::string> files() const {
    std::vector<std::string> out;
    if (fs::exists(folder()))
      for (const auto& entry : fs::directory_iterator(folder()))
        out.push_back(entry.path().filename());
    std::sort(out.begin(), out.end());
    return out;
  }
  static std::string file(const std::string& xid, const TransactionId& prepared,
                          std::optional<TransactionId> ended = std::nullopt) {
    return position::HeldName{position::xid_hash(xid), prepared, ended}.to_string();
  }

  sluice::testing::TempFolder folder_;
};

TEST_F(HeldXaTest, WritesNoFileForOneThatIsOverBeforeThePositionIsSaved) {
  HeldXa held(folder(), kLimit);
  ASSERT_TRUE(held.load(at(100)).ok());
  add(held, "a", at(200), "rows");
  save(held, at(150));  // not there yet
  EXPECT_EQ(found(held, "a"), "rows");
  held.end("a", at(300));
  EXPECT_EQ(found(held, "a"), "-");
  save(held, at(350));
  EXPECT_THAT(files(), IsEmpty());
  EXPECT_EQ(held.count(), 0u);
}

TEST_F(HeldXaTest, WritesAFileBeforeThePositionIsSavedBehindThePrepare) {
  HeldXa held(folder(), kLimit);
  add(held, "a", at(200), "rows");
  ASSERT_TRUE(held.persist(at(250)).ok());
  EXPECT_THAT(files(), ElementsAre(file("a", at(200))));
  // The state is saved, or not: both are fine.
  auto after = next_process(at(250));
  EXPECT_EQ(found(after, "a"), "rows");
  EXPECT_EQ(after.count(), 1u);
  auto before = next_process(at(150));
  EXPECT_EQ(found(before, "a"), "-") << "it is read again";
  EXPECT_THAT(files(), IsEmpty());
}

// The end has been read, but its rows are not confirmed: a restart reads it again.
TEST_F(HeldXaTest, KeepsTheFileUntilStateAndBackupAreBehindTheEnd) {
  HeldXa held(folder(), kLimit);
  add(held, "a", at(200), "rows");
  held.end("a", at(300));
  save(held, at(250));
  EXPECT_THAT(files(), ElementsAre(file("a", at(200))));
  auto between = next_process(at(250));
  EXPECT_EQ(found(between, "a"), "rows");
  ASSERT_TRUE(held.persist(at(350)).ok());
  EXPECT_THAT(files(), ElementsAre(file("a", at(200), at(300))));
  {
    // A crash before the state was saved, and one after it.
    auto before = next_process(at(250));
    EXPECT_EQ(found(before, "a"), "rows");
    EXPECT_EQ(before.count(), 1u);
    auto after = next_process(at(350));
    EXPECT_EQ(found(after, "a"), "-");
    EXPECT_EQ(after.count(), 0u);
  }
  ASSERT_TRUE(held.saved(at(350)).ok());
  EXPECT_EQ(files().size(), 1u) << "the backup is at 250";
  save(held, at(400));
  EXPECT_THAT(files(), IsEmpty());
}

TEST_F(HeldXaTest, TellsWhetherAStateNeedsTheFolder) {
  const auto needed = [this](std::uint64_t pos, std::uint32_t epoch = 1) {
    return *HeldXa::needed_at(folder(), at(pos, epoch));
  };
  EXPECT_FALSE(needed(1000)) << "there is none";
  Process held = next_process(at(4));
  add(held, "a", at(100), "rows");
  save(held, at(50));
  EXPECT_FALSE(needed(50));
  save(held, at(150));
  EXPECT_TRUE(needed(150));
  EXPECT_TRUE(needed(4, 2)) << "in the next epoch as well";
  EXPECT_FALSE(needed(100)) << "it is read again";
  held.end("a", at(200));
  ASSERT_TRUE(held.persist(at(300)).ok());
  EXPECT_FALSE(needed(300));
  EXPECT_TRUE(needed(200)) << "its end is read again";
}

TEST_F(HeldXaTest, AnotherProcessRemovesWhatWasOver) {
  {
    HeldXa held(folder(), kLimit);
    add(held, "a", at(200), "rows");
    save(held, at(250));
    held.end("a", at(300));
    save(held, at(350));
  }
  auto next = next_process(at(350));
  EXPECT_EQ(files().size(), 1u);
  save(next, at(400));
  EXPECT_THAT(files(), IsEmpty());
}

TEST_F(HeldXaTest, TheSameXidAgainIsAnotherTransaction) {
  HeldXa held(folder(), kLimit);
  add(held, "a", at(200), "first");
  held.end("a", at(300));
  add(held, "a", at(400), "second");
  EXPECT_EQ(found(held, "a"), "second");
  save(held, at(250));
  EXPECT_THAT(files(), ElementsAre(file("a", at(200))));
  auto early = next_process(at(250));
  EXPECT_EQ(found(early, "a"), "first");
  save(held, at(450));
  EXPECT_EQ(files().size(), 2u);
  auto late = next_process(at(450));
  EXPECT_EQ(found(late, "a"), "second");
}

// Its end was passed over (sluice position set), then the name was used again.
TEST_F(HeldXaTest, AnEndIsTheEndOfAllOfThatName) {
  HeldXa held(folder(), kLimit);
  add(held, "a", at(200), "forgotten");
  save(held, at(250));
  add(held, "a", at(400), "new");
  held.end("a", at(500));
  EXPECT_EQ(held.count(), 0u);
  save(held, at(550));
  save(held, at(600));
  EXPECT_THAT(files(), IsEmpty());
}

TEST_F(HeldXaTest, PreparedAgainTheNewRowsTakeThePlaceOfTheOld) {
  HeldXa held(folder(), kLimit);
  add(held, "a", at(200), "old");
  save(held, at(250));
  add(held, "a", at(200), "new");
  EXPECT_EQ(found(held, "a"), "new");
  save(held, at(260));
  EXPECT_THAT(files(), ElementsAre(file("a", at(200))));
  auto next = next_process(at(260));
  EXPECT_EQ(found(next, "a"), "new");
}

TEST_F(HeldXaTest, ThoseOfAnEarlierEpochStayValid) {
  {
    HeldXa held(folder(), kLimit);
    add(held, "a", at(9000, 1, 12), "rows");
    save(held, at(9500, 1, 12));
  }
  auto next = next_process(at(4, 2, 1));
  EXPECT_EQ(found(next, "a"), "rows");
  next.end("a", at(100, 2, 1));
  save(next, at(200, 2, 1));
  save(next, at(300, 2, 1));
  EXPECT_THAT(files(), IsEmpty());
}

TEST_F(HeldXaTest, FilesAreOrderedByNumberNotByText) {
  HeldXa held(folder(), kLimit);
  add(held, "a", at(5, 1, 9), "rows");
  save(held, at(4, 1, 10));
  EXPECT_EQ(files().size(), 1u);
  auto next = next_process(at(4, 1, 10));
  EXPECT_EQ(found(next, "a"), "rows");
}

TEST_F(HeldXaTest, WhatDoesNotFitMemoryGoesToAFileAtOnce) {
  HeldXa held(folder(), kLimit);
  const std::string large(600, 'x');
  add(held, "a", at(100), large);
  EXPECT_THAT(files(), IsEmpty());
  add(held, "b", at(200), large);
  EXPECT_THAT(files(), ElementsAre(file("b", at(200))));
  EXPECT_EQ(found(held, "a"), large);
  EXPECT_EQ(found(held, "b"), large);
  // Once the first is in a file there is room again.
  save(held, at(250));
  add(held, "c", at(300), large);
  EXPECT_EQ(files().size(), 2u);
  EXPECT_EQ(found(held, "a"), large);
  // And when one is over and was never in a file.
  held.end("c", at(400));
  save(held, at(450));
  add(held, "d", at(500), large);
  EXPECT_EQ(files().size(), 2u);
}

TEST_F(HeldXaTest, AFileWrittenBehindThePositionIsReplacedWhenItIsReadAgain) {
  {
    HeldXa held(folder(), 0);
    add(held, "a", at(200), "rows");
    EXPECT_EQ(files().size(), 1u);
  }
  auto next = next_process(at(100));
  EXPECT_THAT(files(), IsEmpty());
  add(next, "a", at(200), "rows");
  EXPECT_EQ(found(next, "a"), "rows");
}

TEST_F(HeldXaTest, WhatACrashLeftHalfWrittenGoes) {
  fs::create_directories(folder());
  for (const char* name : {"reading.tmp", "full.tmp", "persisted.tmp"})
    std::ofstream(folder() / name) << "sluice-xa 1";
  next_process(at(100));
  EXPECT_THAT(files(), IsEmpty());
}

TEST_F(HeldXaTest, FilesThatAreNotOursStay) {
  fs::create_directories(folder());
  std::ofstream(folder() / "notes.txt") << "x";
  auto held = next_process(at(100));
  EXPECT_EQ(held.count(), 0u);
  add(held, "a", at(50), "rows");
  save(held, at(200));
  EXPECT_EQ(*HeldXa::remove_all(folder(), false), 1u);
  EXPECT_EQ(files().size(), 2u);
  EXPECT_EQ(*HeldXa::remove_all(folder(), true), 1u);
  EXPECT_THAT(files(), ElementsAre("notes.txt"));
  EXPECT_EQ(*HeldXa::remove_all(folder_.path() / "nowhere", true), 0u);
}

// On a full disk, for one: the position is saved later, or the process ends.
TEST_F(HeldXaTest, WhatCouldNotBeWrittenIsWrittenBeforeALaterPoint) {
  HeldXa held(folder(), kLimit);
  const std::vector<std::string> over = {"a", "b", "c", "d", "e", "f"};
  for (const std::string& xid : over) add(held, xid, at(100), "rows");
  save(held, at(150));
  for (const std::string& xid : over) held.end(xid, at(200));
  add(held, "new", at(210), "rows of the new one");
  const fs::path obstacle = folder() / "persisted.tmp";
  fs::create_directories(obstacle);
  EXPECT_FALSE(held.persist(at(300)).ok());
  EXPECT_FALSE(held.persist(at(300)).ok());
  const auto between = files();
  const auto renamed = std::count_if(over.begin(), over.end(), [&](const std::string& xid) {
    return std::count(between.begin(), between.end(), file(xid, at(100), at(200))) != 0;
  });
  EXPECT_GT(renamed, 0) << "some were done";
  fs::remove(obstacle);
  // A crash at this point: all are as the saved position has them.
  auto after = next_process(at(150));
  EXPECT_EQ(after.count(), over.size());
  EXPECT_EQ(found(after, "a"), "rows");

  save(held, at(300));
  EXPECT_EQ(found(held, "new"), "rows of the new one");
  save(held, at(400));
  EXPECT_THAT(files(), ElementsAre(file("new", at(210))));
}

TEST_F(HeldXaTest, AFolderThatCannotBeWrittenIsSaid) {
  std::ofstream(folder()) << "a file where the folder should be";
  HeldXa held(folder(), kLimit);
  add(held, "a", at(100), "rows");
  const Status s = held.persist(at(200));
  ASSERT_FALSE(s.ok());
  EXPECT_EQ(s.error().code, Errc::io);
}

}  // namespace
}  // namespace sluice::pipeline
