#include "sluice/position/held_file.h"

#include <fstream>
#include <utility>

#include <gmock/gmock.h>

#include "sluice/base/files.h"

#include "unit/temp_folder.h"

namespace sluice::position {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Records = std::vector<std::pair<int, std::string>>;

HeldSummary sample() {
  HeldSummary s;
  s.xid = "X'61',X'',1";
  s.prepared = {1, 12, 5'000'000'000};
  s.begins = {"binlog.000012", 5'000'000'000};
  s.gtid = "0-1-7";
  s.rows_events = 2;
  s.left_out = {"shop.hidden", "caf\xe9.\xff"};
  return s;
}

class HeldFileTest : public ::testing::Test {
 protected:
  fs::path path() const { return folder_.path() / "xa" / "a.held"; }
  // Three records and a summary.
  HeldWriter written() const {
    auto writer = HeldWriter::create(folder_.path() / "xa", "a.tmp");
    EXPECT_TRUE(writer.ok());
    std::string records;
    append_record(records, 1, {"format"});
    append_record(records, 3, {"", std::string_view("\0\xff", 2), "rows"});
    append_record(records, 255, {});
    EXPECT_TRUE(writer->append(records).ok());
    return std::move(writer).value();
  }
  std::string finished_bytes() const {
    HeldWriter writer = written();
    EXPECT_TRUE(writer.finish(sample(), path(), true).ok());
    return *read_file(path());
  }
  void put(std::string_view bytes) const { std::ofstream(path(), std::ios::binary) << bytes; }
  static Result<Records> all(RecordReader reader) {
    Records out;
    RecordReader::Record record;
    for (;;) {
      SLUICE_TRY_ASSIGN(const bool more, reader.next(record));
      if (!more) return out;
      out.emplace_back(record.kind, as_chars(record.body));
    }
  }
  // Everything in the file, or what is wrong with it.
  static Result<Records> all(const fs::path& file) {
    SLUICE_TRY_ASSIGN(const HeldFile held, HeldFile::open(file));
    EXPECT_EQ(held.summary, sample());
    SLUICE_TRY_ASSIGN(RecordReader reader, RecordReader::open(file, held.records_end));
    return all(std::move(reader));
  }
  static Records three() { return {{1, "format"}, {3, std::string("\0\xffrows", 6)}, {255, ""}}; }

  sluice::testing::TempFolder folder_;
};

TEST_F(HeldFileTest, GivesBackRecordsAndSummary) {
  const std::string bytes = finished_bytes();
  const auto read = all(path());
  ASSERT_TRUE(read.ok()) << to_string(read.error());
  EXPECT_EQ(*read, three());
  EXPECT_EQ(finished_bytes(), bytes) << "the same content, the same bytes";
  EXPECT_FALSE(fs::exists(folder_.path() / "xa" / "a.tmp"));
}

TEST_F(HeldFileTest, HasTheBytesOfVersion1) {
  std::string record;
  append_record(record, 3, {"ro", "ws"});
  EXPECT_EQ(record, std::string("\x04\0\0\0\x03\xcf\x14\x8a\xd7rows", 13));
  const std::string bytes = finished_bytes();
  EXPECT_EQ(bytes.substr(0, 13), "sluice-xa 1\n\x06");
  EXPECT_THAT(bytes, HasSubstr(R"("prepared":"1.12.5000000000")"));
  EXPECT_TRUE(bytes.ends_with("xa-end 1"));
}

TEST_F(HeldFileTest, CutAnywhereIsRefused) {
  const std::string bytes = finished_bytes();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    put(bytes.substr(0, size));
    const auto read = all(path());
    ASSERT_FALSE(read.ok()) << size;
    EXPECT_EQ(read.error().code, Errc::position_damaged);
    EXPECT_THAT(read.error().what, HasSubstr(path().string()));
  }
}

TEST_F(HeldFileTest, AnyByteChangedIsRefused) {
  const std::string bytes = finished_bytes();
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    std::string changed = bytes;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    put(changed);
    const auto read = all(path());
    ASSERT_FALSE(read.ok()) << at;
    EXPECT_EQ(read.error().code, Errc::position_damaged);
  }
}

TEST_F(HeldFileTest, BytesBehindItsEndAreRefused) {
  put(finished_bytes() + "x");
  EXPECT_FALSE(all(path()).ok());
}

TEST_F(HeldFileTest, AFileThatIsNotThereIsNotADamagedOne) {
  const auto file = HeldFile::open(path());
  ASSERT_FALSE(file.ok());
  EXPECT_EQ(file.error().code, Errc::io);
}

TEST_F(HeldFileTest, RecordsOfMemoryAreReadTheSameWay) {
  auto records = std::make_shared<std::string>();
  append_record(*records, 1, {"format"});
  append_record(*records, 3, {std::string_view("\0\xffrows", 6)});
  append_record(*records, 255, {});
  EXPECT_EQ(*all(RecordReader(records)), three());
  EXPECT_THAT(*all(RecordReader(std::make_shared<std::string>())), IsEmpty());
  for (std::size_t size = 1; size < records->size(); ++size) {
    const auto cut = all(RecordReader(std::make_shared<std::string>(records->substr(0, size))));
    if (size == 9 + 6 || size == 9 + 6 + 9 + 6) continue;  // between two records
    ASSERT_FALSE(cut.ok()) << size;
    EXPECT_EQ(cut.error().code, Errc::position_damaged);
  }
}

TEST_F(HeldFileTest, RecordsOfAnySizeComeWhole) {
  auto writer = HeldWriter::create(folder_.path() / "xa", "a.tmp");
  ASSERT_TRUE(writer.ok());
  Records expected;
  for (const std::size_t size : {0u, 1u, 262'143u, 262'144u, 262'145u, 3'000'000u, 5u}) {
    std::string record;
    const std::string body(size, static_cast<char>('a' + expected.size()));
    append_record(record, 7, {body});
    ASSERT_TRUE(writer->append(record).ok());
    expected.emplace_back(7, body);
  }
  auto unfinished = writer->read();
  ASSERT_TRUE(unfinished.ok());
  EXPECT_EQ(*all(std::move(unfinished).value()), expected);
  ASSERT_TRUE(writer->finish(sample(), path(), false).ok());
  EXPECT_EQ(*all(path()), expected);
}

TEST_F(HeldFileTest, WhatIsTakenBackIsNotThere) {
  HeldWriter writer = written();
  const std::uint64_t two = writer.size() - 9;  // the last record is empty
  ASSERT_TRUE(writer.truncate(two).ok());
  EXPECT_EQ(writer.size(), two);
  std::string record;
  append_record(record, 9, {"instead"});
  ASSERT_TRUE(writer.append(record).ok());
  ASSERT_TRUE(writer.finish(sample(), path(), true).ok());
  Records expected = three();
  expected.back() = {9, "instead"};
  EXPECT_EQ(*all(path()), expected);
}

TEST_F(HeldFileTest, AnUnfinishedFileGoesWithItsWriter) {
  { const HeldWriter writer = written(); }
  EXPECT_TRUE(fs::is_empty(folder_.path() / "xa"));
  // After a crash it is still there, and replaced.
  std::ofstream(folder_.path() / "xa" / "a.tmp")
      << "left behind, and longer than what comes now" << std::string(1000, 'x');
  finished_bytes();
  EXPECT_EQ(*all(path()), three());
}

TEST_F(HeldFileTest, NamesTellXidAndTransactions) {
  const HeldName waiting{xid_hash("X'61',X'',1"), {1, 12, 5'000'000'000}, std::nullopt};
  const HeldName over{0xABC, {1, 12, 4}, TransactionId{2, 1, 4}};
  EXPECT_EQ(waiting.to_string(), "5b73f4f60cb9e557-1.12.5000000000.held");
  EXPECT_EQ(over.to_string(), "0000000000000abc-1.12.4-2.1.4.held");
  EXPECT_EQ(HeldName::parse(waiting.to_string()), waiting);
  EXPECT_EQ(HeldName::parse(over.to_string()), over);
  for (const char* other :
       {"", ".held", "state.json", "0000000000000abc-1.12.4", "0000000000000abc.held",
        "000000000000abc-1.12.4.held", "000000000000xabc-1.12.4.held", "0000000000000abc-1.12.held",
        "0000000000000abc-1.12.4-2.1.held", "0000000000000abc-1.12.4-2.1.4-3.1.4.held",
        "0000000000000abc-1.12.4.tmp"})
    EXPECT_EQ(HeldName::parse(other), std::nullopt) << other;
}

TEST_F(HeldFileTest, AFolderIsListedWithoutWhatIsNotOurs) {
  EXPECT_THAT(*list_held(folder_.path() / "xa"), IsEmpty());
  finished_bytes();
  const HeldName name{7, {1, 2, 3}, std::nullopt};
  fs::rename(path(), folder_.path() / "xa" / name.to_string());
  std::ofstream(folder_.path() / "xa" / "b.tmp") << "x";
  EXPECT_THAT(*list_held(folder_.path() / "xa"), ElementsAre(name));
}

}  // namespace
}  // namespace sluice::position
