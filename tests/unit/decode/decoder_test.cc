// The offline decoder on recorded binlogs (tests/data/binlog/README.md).
#include "sluice/decode/decoder.h"

#include <algorithm>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "sluice/binlog/event.h"

#include "unit/decode/collecting_sink.h"

namespace sluice::decode::testing {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::vector<std::string> kRecorded = {"mysql-9.7.binlog", "mariadb-10.11.binlog",
                                            "mysql-9.7.packed.binlog",
                                            "mariadb-10.11.packed.binlog"};

std::vector<json> lines(const std::string& text) {
  std::vector<json> out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    out.push_back(json::parse(text.substr(at, end - at)));
    at = end + 1;
  }
  return out;
}

std::string said(const Result<DecodeTotals>& totals) {
  return totals ? "" : to_string(totals.error());
}

// Offsets at which events begin, and the file's end.
std::vector<std::size_t> boundaries(const std::string& file) {
  std::vector<std::size_t> out;
  std::size_t at = 4;
  while (at < file.size()) {
    out.push_back(at);
    at += binlog::EventHeader::decode(as_bytes(std::string_view(file).substr(at)))->event_size;
  }
  out.push_back(at);
  return out;
}

TEST(Decoder, GivesTheSameLinesWithAnyNumberOfWorkers) {
  for (const std::string& name : kRecorded) {
    for (const OutputFormat format : {OutputFormat::canal, OutputFormat::rows}) {
      DecodeOptions options;
      options.format = format;
      const Decoded alone = decoded({recorded(name)}, options);
      ASSERT_TRUE(alone.totals) << name << ": " << said(alone.totals);
      EXPECT_GT(alone.totals->rows, 0U) << name;
      EXPECT_FALSE(alone.out.empty()) << name;
      for (const unsigned workers : {1U, 2U, 5U}) {
        options.workers = workers;
        const Decoded shared = decoded({recorded(name)}, options);
        ASSERT_TRUE(shared.totals) << name << ": " << said(shared.totals);
        EXPECT_EQ(shared.out, alone.out) << name << ", " << workers << " workers";
        EXPECT_EQ(shared.totals->rows, alone.totals->rows);
      }
    }
  }
}

TEST(Decoder, CountsTheSameRowsInEveryFormat) {
  for (const std::string& name : kRecorded) {
    DecodeOptions options;
    options.format = OutputFormat::rows;
    const Decoded rows = decoded({recorded(name)}, options);
    ASSERT_TRUE(rows.totals) << said(rows.totals);
    EXPECT_EQ(lines(rows.out).size(), rows.totals->rows);
    options.format = OutputFormat::canal;
    const Decoded canal = decoded({recorded(name)}, options);
    std::size_t in_canal = 0;
    for (const json& line : lines(canal.out)) in_canal += line["data"].size();
    EXPECT_EQ(in_canal, rows.totals->rows);
    options.format = OutputFormat::none;
    const Decoded none = decoded({recorded(name)}, options);
    ASSERT_TRUE(none.totals);
    EXPECT_EQ(none.totals->rows, rows.totals->rows);
    EXPECT_THAT(none.out, IsEmpty());
    options.format = OutputFormat::events;
    options.json_events = true;
    const Decoded events = decoded({recorded(name)}, options);
    std::size_t in_events = 0;
    for (const json& line : lines(events.out))
      if (line.contains("rows")) in_events += line["rows"].get<std::size_t>();
    EXPECT_EQ(in_events, rows.totals->rows) << name;
    EXPECT_EQ(none.totals->events, events.totals->events);
  }
}

TEST(Decoder, RowsStandInTheirPartitionsAndNoneIsLost) {
  DecodeOptions options;
  const Decoded whole = decoded({recorded("mysql-9.7.binlog")}, options);
  options.partitions = 16;
  options.rows_per_line = 1;
  const Decoded split = decoded({recorded("mysql-9.7.binlog")}, options);
  ASSERT_TRUE(split.totals) << said(split.totals);
  EXPECT_EQ(split.totals->rows, whole.totals->rows);
  for (const json& line : lines(split.out)) EXPECT_EQ(line["data"].size(), 1U);
}

TEST(Decoder, BeginsWhereItIsTold) {
  const std::string file = read_whole(recorded("mysql-9.7.binlog"));
  const std::vector<std::size_t> at = boundaries(file);
  DecodeOptions options;
  options.format = OutputFormat::events;
  options.json_events = true;
  const auto all = lines(decoded({recorded("mysql-9.7.binlog")}, options).out);
  for (std::size_t i = 1; i + 1 < at.size(); ++i) {
    options.start_pos = at[i];
    // Rows whose TABLE_MAP lies before cannot be read, and that is said.
    const Decoded from = decoded({recorded("mysql-9.7.binlog")}, options);
    if (!from.totals) {
      EXPECT_THAT(said(from.totals), HasSubstr("begin at the start of the transaction"));
      continue;
    }
    const auto some = lines(from.out);
    ASSERT_GT(some.size(), 1U);
    EXPECT_EQ(some[0]["type"], "FORMAT_DESCRIPTION");
    EXPECT_EQ(some[1]["offset"], at[i]);
    EXPECT_EQ(some.back(), all.back());
  }
  options.start_pos = file.size() + 1;
  EXPECT_THAT(said(decoded({recorded("mysql-9.7.binlog")}, options).totals),
              HasSubstr("there is no position " + std::to_string(file.size() + 1)));
}

TEST(Decoder, AStartInsideAnEventIsAnError) {
  const std::string file = read_whole(recorded("mysql-9.7.binlog"));
  DecodeOptions options;
  options.format = OutputFormat::events;
  for (std::size_t from = boundaries(file)[2] + 1; from < boundaries(file)[3]; ++from) {
    options.start_pos = from;
    EXPECT_FALSE(decoded({recorded("mysql-9.7.binlog")}, options).totals) << from;
  }
}

TEST(Decoder, AFileCutAnywhereGivesWhatIsWholeAndSaysWhereItEnds) {
  for (const std::string& name : kRecorded) {
    const std::string file = read_whole(recorded(name));
    const std::vector<std::size_t> at = boundaries(file);
    DecodeOptions options;
    options.format = OutputFormat::rows;
    const std::string whole = decoded({recorded(name)}, options).out;
    TempFile temp(file, name);
    // The event decoders have their own tests at every byte; here the last events are enough, and
    // some places before.
    const std::size_t near_end = at[at.size() - 4];
    for (std::size_t size = at[1]; size < file.size(); size += size < near_end ? 509 : 1) {
      temp.write(std::string_view(file).substr(0, size));
      Decoded cut = decoded({temp.path()}, options);
      // Rows say the file's name.
      for (std::size_t i; (i = cut.out.find(temp.path())) != std::string::npos;)
        cut.out.replace(i, temp.path().size(), recorded(name));
      EXPECT_TRUE(whole.starts_with(cut.out)) << name << " cut at " << size;
      const bool between = std::binary_search(at.begin(), at.end(), size);
      ASSERT_EQ(cut.totals.ok(), between) << name << " cut at " << size;
      if (between) continue;
      const std::size_t begin = *std::prev(std::upper_bound(at.begin(), at.end(), size));
      EXPECT_EQ(cut.totals.error().code, Errc::binlog_truncated);
      EXPECT_THAT(cut.totals.error().what,
                  HasSubstr(temp.path() + ":" + std::to_string(begin) + ": the file ends inside"));
    }
  }
}

TEST(Decoder, AFlippedByteNeverPassesTheChecksum) {
  const std::string file = read_whole(recorded("mysql-9.7.packed.binlog"));
  DecodeOptions options;
  options.format = OutputFormat::none;
  TempFile temp(file);
  std::string flipped = file;
  for (std::size_t i = 0; i < file.size(); i += i < 600 ? 1 : 41) {
    flipped[i] = static_cast<char>(flipped[i] ^ 0x10);
    temp.write(flipped);
    EXPECT_FALSE(decoded({temp.path()}, options).totals) << "byte " << i;
    flipped[i] = file[i];
  }
}

TEST(Decoder, FlippedBytesWithoutChecksumsDoNoHarm) {
  for (const std::string& name : kRecorded) {
    const std::string file = read_whole(recorded(name));
    DecodeOptions options;
    options.verify_checksums = false;
    TempFile temp(file);
    std::string flipped = file;
    std::size_t refused = 0;
    for (std::size_t i = 4; i < file.size(); i += 61) {
      options.format = i % 2 == 0 ? OutputFormat::canal : OutputFormat::rows;
      flipped[i] = static_cast<char>(flipped[i] ^ (1 << i % 8));
      temp.write(flipped);
      const Decoded out = decoded({temp.path()}, options);
      if (!out.totals) {
        ++refused;
        EXPECT_THAT(out.totals.error().what, HasSubstr(temp.path())) << said(out.totals);
      }
      flipped[i] = file[i];
    }
    EXPECT_GT(refused, 0U) << name;
  }
}

TEST(Decoder, AnErrorInARowEndsTheOutputWithTheLastWholeLine) {
  const std::string good = read_whole(recorded("mysql-9.7.binlog"));
  std::string bad = good;
  const std::size_t at = bad.rfind("hello");  // a VARCHAR of utf8mb4
  ASSERT_NE(at, std::string::npos);
  bad[at] = '\xFF';
  const auto begins = boundaries(good);
  const std::size_t event = *std::prev(std::ranges::upper_bound(begins, at));
  // Twice, so that there are more jobs behind the one that fails.
  const TempFile file(bad + good.substr(4) + good.substr(4));
  for (const OutputFormat format : {OutputFormat::rows, OutputFormat::canal}) {
    DecodeOptions options;
    options.format = format;
    options.verify_checksums = false;
    const Decoded whole = decoded({recorded("mysql-9.7.binlog")}, options);
    for (const unsigned workers : {0U, 1U, 3U}) {
      options.workers = workers;
      const Decoded cut = decoded({file.path()}, options);
      ASSERT_FALSE(cut.totals);
      EXPECT_EQ(cut.totals.error().code, Errc::binlog_malformed);
      EXPECT_THAT(cut.totals.error().what,
                  ::testing::StartsWith(file.path() + ":" + std::to_string(event) + ": shop."))
          << workers << " workers";
      const auto some = lines(cut.out), all = lines(whole.out);
      ASSERT_LT(some.size(), all.size());
      for (std::size_t i = 0; i < some.size(); ++i) EXPECT_EQ(some[i]["table"], all[i]["table"]);
      EXPECT_TRUE(cut.out.empty() || cut.out.back() == '\n');
    }
  }
}

TEST(Decoder, ShowsOnlyTheTablesAskedFor) {
  DecodeOptions options;
  options.format = OutputFormat::rows;
  options.tables = Pattern("shop\\.vec");
  const Decoded some = decoded({recorded("mysql-9.7.binlog")}, options);
  ASSERT_TRUE(some.totals) << said(some.totals);
  ASSERT_FALSE(some.out.empty());
  for (const json& row : lines(some.out)) EXPECT_EQ(row["table"], "vec");
  options.tables = Pattern("nothing");
  EXPECT_THAT(decoded({recorded("mysql-9.7.binlog")}, options).out, IsEmpty());
}

TEST(Decoder, SaysWhatAFileIsThatIsNoBinlog) {
  const DecodeOptions options;
  const auto error = [&](std::string_view bytes) {
    const TempFile temp(bytes);
    return said(decoded({temp.path()}, options).totals);
  };
  EXPECT_THAT(error("\xFD"
                    "bin and more"),
              HasSubstr("encrypted binlog file"));
  EXPECT_THAT(error("\x28\xB5\x2F\xFD...."), HasSubstr("zstd -dc"));
  EXPECT_THAT(error("\x1F\x8B......"), HasSubstr("zcat"));
  EXPECT_THAT(error("CREATE TABLE"), HasSubstr("not a binlog file"));
  EXPECT_THAT(error("ab"), HasSubstr("2 bytes are no binlog file"));
  EXPECT_THAT(said(decoded({"/no/such/file"}, options).totals), HasSubstr("/no/such/file"));
}

TEST(Decoder, AnEventSizeThatCannotBeIsRefusedWithoutMemoryForIt) {
  std::string file = read_whole(recorded("mysql-9.7.binlog"));
  const std::size_t second = boundaries(file)[1];
  DecodeOptions options;
  for (const std::uint32_t size : {0U, 18U, 0xFFFFFFFFU, 0x7FFFFFFFU}) {
    for (unsigned i = 0; i < 4; ++i) file[second + 9 + i] = static_cast<char>(size >> (8 * i));
    const TempFile temp(file);
    EXPECT_THAT(said(decoded({temp.path()}, options).totals),
                HasSubstr(":" + std::to_string(second) + ": an event of " + std::to_string(size)));
  }
  // One that could be is looked for, and the end of the file found first.
  const std::uint32_t large = 0x3FFFFFFFU;
  for (unsigned i = 0; i < 4; ++i) file[second + 9 + i] = static_cast<char>(large >> (8 * i));
  const TempFile temp(file);
  EXPECT_THAT(said(decoded({temp.path()}, options).totals), HasSubstr("the file ends inside"));
}

TEST(Decoder, SeveralFilesFollowOneAnother) {
  DecodeOptions options;
  options.format = OutputFormat::rows;
  const std::string first = decoded({recorded("mysql-9.7.binlog")}, options).out;
  const std::string second = decoded({recorded("mariadb-10.11.binlog")}, options).out;
  const Decoded both =
      decoded({recorded("mysql-9.7.binlog"), recorded("mariadb-10.11.binlog")}, options);
  ASSERT_TRUE(both.totals) << said(both.totals);
  EXPECT_EQ(both.out, first + second);
  EXPECT_EQ(both.totals->files, 2U);
}

}  // namespace
}  // namespace sluice::decode::testing
