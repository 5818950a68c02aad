#include "sluice/schema/history.h"

#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "schema/history_line.h"
#include "schema_text.h"
#include "state_folder.h"

namespace sluice::schema {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

Place at(std::uint64_t pos, std::uint64_t file = 1, std::uint32_t epoch = 1) {
  return {epoch, {"binlog." + std::to_string(1'000'000 + file).substr(1), pos}};
}

DdlStatement ddl(std::string text, Place place) {
  DdlStatement out{std::move(place), std::move(text), {}};
  out.context.database = "shop";
  out.context.charset = "utf8mb4";
  return out;
}

// All that is known, as text.
std::string text_of(const Definitions& tables) {
  std::string out = std::to_string(tables.lower_case_table_names());
  for (const auto& [name, table] : tables.tables()) out += "\n" + full_text(table);
  for (const auto& [name, why] : tables.lost()) out += "\nlost " + name.first + "." + name.second;
  for (const auto& [name, charset] : tables.databases()) out += "\n" + name + " is " + charset;
  return out;
}

class HistoryTest : public InStateFolder {
 protected:
  std::unique_ptr<History> open() {
    auto history = History::open(file(), clock_);
    EXPECT_TRUE(history.ok()) << (history.ok() ? "" : to_string(history.error()));
    return history.ok() ? std::move(history).value() : nullptr;
  }
  std::string content() const {
    auto bytes = read_file(file());
    return bytes.ok() ? *bytes : "";
  }
  void overwrite(std::string_view bytes) const { std::ofstream(file(), std::ios::binary) << bytes; }
  static Definitions one_table() {
    Definitions tables;
    tables.put_database("shop", "latin1");
    tables.apply("CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20))", ddl("", at(4)).context);
    return tables;
  }
  static std::string columns_at(const History& history, const Place& place,
                                std::string_view name = "t") {
    const auto tables = history.restore(place);
    if (!tables.ok()) return to_string(tables.error());
    if (!*tables) return "not covered";
    const TableSchema* table = (*tables)->find("shop", name);
    if (table == nullptr) return (*tables)->is_lost("shop", name) ? "lost" : "none";
    std::string out;
    for (const ColumnSchema& c : table->columns) out += (out.empty() ? "" : ",") + c.name;
    return out;
  }
};

TEST_F(HistoryTest, TellsTheTablesOfEveryPlace) {
  {
    const auto history = open();
    ASSERT_TRUE(history->add_snapshot(at(100), one_table()).ok());
    ASSERT_TRUE(history->add(ddl("CREATE TABLE u (a INT)", at(200))).ok());
    ASSERT_TRUE(history->add(ddl("RENAME TABLE t TO old, u TO t", at(4, 2))).ok());
  }
  const auto history = open();
  EXPECT_FALSE(history->covers(at(99)));
  EXPECT_EQ(columns_at(*history, at(99)), "not covered");
  EXPECT_EQ(columns_at(*history, at(100)), "id,v");
  EXPECT_EQ(columns_at(*history, at(199), "u"), "none");
  EXPECT_EQ(columns_at(*history, at(200), "u"), "a");
  EXPECT_EQ(columns_at(*history, at(1'000'000)), "id,v");
  EXPECT_EQ(columns_at(*history, at(4, 2)), "a");
  EXPECT_EQ(columns_at(*history, at(5, 2), "old"), "id,v");
  EXPECT_EQ(columns_at(*history, at(5, 2, 2)), "not covered") << "places of another epoch";
}

TEST_F(HistoryTest, FilesGoByTheirNumber) {
  const auto history = open();
  ASSERT_TRUE(history->add_snapshot({1, {"binlog.999999", 4}}, one_table()).ok());
  ASSERT_TRUE(history->add(ddl("CREATE TABLE u (a INT)", {1, {"binlog.1000000", 500}})).ok());
  EXPECT_EQ(columns_at(*history, {1, {"binlog.999999", 600}}, "u"), "none");
  EXPECT_EQ(columns_at(*history, {1, {"binlog.1000000", 600}}, "u"), "a");
}

TEST_F(HistoryTest, AStatementThatComesAgainIsNotWrittenTwice) {
  auto history = open();
  ASSERT_TRUE(history->add_snapshot(at(100), one_table()).ok());
  ASSERT_TRUE(history->add(ddl("CREATE TABLE u (a INT)", at(200))).ok());
  const std::string before = content();
  ASSERT_TRUE(history->add(ddl("CREATE TABLE u (a INT)", at(200))).ok());
  history.reset();
  history = open();
  clock_.seconds += 10;
  ASSERT_TRUE(history->add(ddl("CREATE TABLE u (a INT)", at(200))).ok());
  EXPECT_EQ(content(), before);
  // After a table was read from the source: the same again says nothing new, another does.
  TableSchema table = *one_table().find("shop", "t");
  ASSERT_TRUE(history->add_table(at(300), table).ok());
  const std::string with_table = content();
  ASSERT_TRUE(history->add_table(at(300), table).ok());
  EXPECT_EQ(content(), with_table);
  table.columns.pop_back();
  ASSERT_TRUE(history->add_table(at(300), table).ok());
  EXPECT_EQ(columns_at(*history, at(300)), "id");
}

// Places decide, whatever came first into the file.
TEST_F(HistoryTest, ATableReadAtTheEndOfAStatementHasSeenIt) {
  const auto history = open();
  ASSERT_TRUE(history->add_snapshot(at(100), one_table()).ok());
  TableSchema table = *one_table().find("shop", "t");
  table.columns.resize(1);
  ASSERT_TRUE(history->add_table(at(200), table).ok());
  ASSERT_TRUE(history->add(ddl("CREATE TABLE t (x FANCY)", at(200))).ok());
  EXPECT_EQ(columns_at(*history, at(199)), "id,v");
  EXPECT_EQ(columns_at(*history, at(200)), "id");
  const auto later = history->later(at(150));
  ASSERT_TRUE(later.ok());
  ASSERT_THAT(*later, SizeIs(1));
  EXPECT_EQ(later->front().place, at(200));
  EXPECT_FALSE(later->front().snapshot);
  EXPECT_EQ(later->front().tables.front(), table);
  EXPECT_THAT(*history->later(at(200)), SizeIs(0));
}

TEST_F(HistoryTest, ABreakEndsWhatCameBeforeIt) {
  const auto history = open();
  ASSERT_TRUE(history->add_snapshot(at(100), one_table()).ok());
  ASSERT_TRUE(history->add_break(at(300), "position set").ok());
  EXPECT_TRUE(history->covers(at(299)));
  EXPECT_FALSE(history->covers(at(300)));
  EXPECT_FALSE(history->covers(at(4, 2)));
  // What is known anew from there on counts.
  Definitions other;
  other.apply("CREATE TABLE t (z INT)", ddl("", at(4)).context);
  ASSERT_TRUE(history->add_snapshot(at(300), other).ok());
  EXPECT_EQ(columns_at(*history, at(299)), "id,v");
  EXPECT_EQ(columns_at(*history, at(300)), "z");
  const auto later = history->later(at(250));
  ASSERT_TRUE(later.ok());
  ASSERT_THAT(*later, SizeIs(1));
  EXPECT_TRUE(later->front().snapshot);
}

// A state folder put back to an older place, which reads on without a hole from there.
TEST_F(HistoryTest, ASnapshotTakenAfterABreakLeadsThroughItsPlace) {
  const auto history = open();
  ASSERT_TRUE(history->add_snapshot(at(200), one_table()).ok());
  ASSERT_TRUE(history->add_break(at(300), "position set").ok());
  ASSERT_TRUE(history->add_snapshot(at(100), one_table()).ok());
  EXPECT_EQ(columns_at(*history, at(150)), "id,v");
  EXPECT_EQ(columns_at(*history, at(250)), "id,v");
  EXPECT_FALSE(history->covers(at(300))) << "the snapshot before it is older than the break";
}

TEST_F(HistoryTest, SaysWhoseTablesItIsAbout) {
  auto history = open();
  EXPECT_EQ(history->scope(at(100)), std::nullopt);
  ASSERT_TRUE(history->add_snapshot(at(100), one_table(), "shop").ok());
  ASSERT_TRUE(history->add_snapshot(at(300), one_table(), "all").ok());
  history = open();
  EXPECT_EQ(history->scope(at(200)), "shop");
  EXPECT_EQ(history->scope(at(300)), "all");
  clock_.seconds += 10;
  ASSERT_TRUE(history->compact(at(200), seconds(5), 1).ok());
  EXPECT_EQ(open()->scope(at(200)), "shop");
  EXPECT_EQ(open()->scope(at(400)), "all");
}

TEST_F(HistoryTest, AnotherServerGoesOnWithWhatHeld) {
  const auto history = open();
  ASSERT_TRUE(history->add_snapshot(at(100), one_table(), "shop").ok());
  ASSERT_TRUE(
      history->add(ddl("DROP TABLE t", at(300))).ok());  // read, but not up to the saved place
  ASSERT_TRUE(history->carry_over(at(200), at(4, 1, 2)).ok());
  EXPECT_EQ(columns_at(*history, at(4, 1, 2)), "id,v");
  EXPECT_EQ(history->scope(at(4, 1, 2)), "shop");
  EXPECT_EQ(columns_at(*history, at(300)), "none");
}

TEST_F(HistoryTest, ComesBackToTheLastWholeLineAfterACutAtEveryByte) {
  std::vector<std::pair<std::size_t, std::string>> ends;  // file size, what is known then
  const auto fill = [&](History& history) {
    const auto note = [&] {
      const auto tables = history.restore(at(4, 9));
      ASSERT_TRUE(tables.ok());
      ends.emplace_back(history.size(), *tables ? text_of(**tables) : "");
    };
    note();
    ASSERT_TRUE(history.add_snapshot(at(100), one_table()).ok());
    note();
    ASSERT_TRUE(history.add(ddl("CREATE TABLE u (a INT)", at(200))).ok());
    note();
    ASSERT_TRUE(history.add_table(at(300), *one_table().find("shop", "t")).ok());
    note();
    ASSERT_TRUE(history.add(ddl("DROP TABLE t", at(400))).ok());
    note();
  };
  fill(*open());
  const std::string whole = content();
  ASSERT_EQ(ends.back().first, whole.size());
  const auto known = ends;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    overwrite(std::string_view(whole).substr(0, size));
    const auto history = open();
    ASSERT_NE(history, nullptr) << size;
    std::string expected;
    for (const auto& [end, text] : known)
      if (end <= size) expected = text;
    const auto tables = history->restore(at(4, 9));
    ASSERT_TRUE(tables.ok()) << size;
    ASSERT_EQ(*tables ? text_of(**tables) : "", expected) << size;
    // A process that goes on brings it to the same end.
    if (size % 37 == 0) {
      ends.clear();
      fill(*history);
      ASSERT_EQ(ends.back().second, known.back().second) << size;
    }
  }
}

TEST_F(HistoryTest, ABlockThatWasNeverWrittenAtTheEndIsACut) {
  {
    const auto history = open();
    ASSERT_TRUE(history->add_snapshot(at(100), one_table()).ok());
  }
  const std::string whole = content();
  overwrite(whole + std::string(100, '\0') + "\n");
  EXPECT_TRUE(open()->covers(at(100)));
  EXPECT_EQ(content(), whole);
}

TEST_F(HistoryTest, AFlippedBitAnywhereIsSaidWithLineAndRemedy) {
  {
    const auto history = open();
    ASSERT_TRUE(history->add_snapshot(at(100), one_table()).ok());
    ASSERT_TRUE(history->add(ddl("DROP TABLE t", at(400))).ok());
  }
  const std::string whole = content();
  for (std::size_t i = 0; i + 1 < whole.size(); ++i) {
    std::string damaged = whole;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x10);
    overwrite(damaged);
    const auto history = History::open(file(), clock_);
    ASSERT_FALSE(history.ok()) << i;
    EXPECT_EQ(history.error().cls, ErrorClass::fatal);
    EXPECT_EQ(history.error().code, Errc::schema_history);
    EXPECT_THAT(history.error().what, HasSubstr("damaged in line"));
    EXPECT_THAT(history.error().what, HasSubstr("rm " + file().string()));
    EXPECT_EQ(content(), damaged) << "nothing is thrown away";
  }
}

TEST_F(HistoryTest, AFileOfALaterVersionIsLeftAlone) {
  const std::string later = history::encode(history::Head{history::kVersion + 1}, 0);
  overwrite(later);
  const auto history = History::open(file(), clock_);
  ASSERT_FALSE(history.ok());
  EXPECT_THAT(history.error().what, HasSubstr("newer sluice"));
  EXPECT_EQ(content(), later);
}

TEST_F(HistoryTest, LinesThatContradictThemselvesAreDamage) {
  const std::string head = history::encode(history::Head{}, 0);
  const auto line = [](std::string_view json) {
    return hex32(crc32(as_bytes(json))) + " " + std::string(json) + "\n";
  };
  const std::string place = R"("written":1,"epoch":1,"file":"b.000001","pos":4)";
  const std::string statement =
      R"("sql":"","database":"","flavor":"mysql","version":1,"sql_mode":0,)"
      R"("charset":"","server_charset":"")";
  const auto table_line = [&](const std::string& columns, const std::string& keys) {
    return line(R"({"kind":"table",)" + place +
                R"(,"table":{"database":"d","name":"t","columns":[)" + columns +
                R"(],"unique_keys":[],"primary_key":)" + keys + "}}");
  };
  const std::string column = R"({"name":"a","mysql_type":"int","type":"int"})";
  overwrite(head + table_line(column, "[0]") +
            line(R"({"kind":"ddl",)" + place + "," + statement + "}"));
  ASSERT_TRUE(History::open(file(), clock_).ok()) << "what the bad ones are variations of";
  for (const std::string& bad :
       {head, line("[]"), line("{}"), line("{"), line(R"({"kind":"other",)" + place + "}"),
        line(R"({"kind":"ddl",)" + place + "}"),
        line(R"({"kind":"ddl","written":1,"epoch":1,"file":"nameless","pos":4,)" + statement + "}"),
        line(R"({"kind":"ddl","written":1,"epoch":-1,"file":"b.000001","pos":4,)" + statement +
             "}"),
        line(R"({"kind":"ddl",)" + place + "," + statement + R"(,"flavor":"oracle"})"),
        line(R"({"kind":"table",)" + place + "}"), table_line(column, "[1]"),
        table_line(R"({"name":"a","mysql_type":"int","type":"fancy"})", "[]"),
        line(R"({"kind":"snapshot","scope":"","lower_case":0,"tables":[],"databases":[],)" + place +
             "}"),
        line(R"({"kind":"snapshot","scope":"","lower_case":0,"tables":[{}],"databases":{},)" +
             place + "}"),
        line(R"({"kind":"snapshot","scope":"","lower_case":256,"tables":[],"databases":{},)" +
             place + "}"),
        std::string("\n")}) {
    overwrite(head + bad);
    const auto history = History::open(file(), clock_);
    ASSERT_FALSE(history.ok()) << bad;
    EXPECT_THAT(history.error().what, HasSubstr("line 2")) << bad;
  }
  overwrite(line(R"({"kind":"ddl",)" + place + "," + statement + "}"));
  EXPECT_THAT(History::open(file(), clock_).error().what, HasSubstr("not the head"));
}

TEST_F(HistoryTest, LookingAtItChangesNothing) {
  const auto none = History::peek(file(), clock_);
  ASSERT_TRUE(none.ok());
  EXPECT_FALSE((*none)->covers(at(100)));
  EXPECT_FALSE(std::filesystem::exists(file()));
  ASSERT_TRUE(open()->add_snapshot(at(100), one_table()).ok());
  const std::string half = content() + "deadbeef {\"kind\":";  // a line that is just being written
  overwrite(half);
  const auto history = History::peek(file(), clock_);
  ASSERT_TRUE(history.ok());
  EXPECT_TRUE((*history)->covers(at(100)));
  EXPECT_FALSE((*history)->add_break(at(200), "no").ok());
  EXPECT_EQ(content(), half);
  EXPECT_TRUE(*History::remove(file(), false));
  EXPECT_EQ(content(), half);
  EXPECT_TRUE(*History::remove(file(), true));
  EXPECT_FALSE(*History::remove(file(), true));
}

// Everything a table has comes back.
TEST_F(HistoryTest, KeepsAllThereIsOfATable) {
  TableSchema table;
  table.database = "sh`op";
  table.name = "t\xC3\xBC \"x\"";
  for (int i = 0; i <= static_cast<int>(DeclaredType::uuid); ++i) {
    ColumnSchema c;
    c.name = "c" + std::to_string(i);
    c.mysql_type = "type " + std::to_string(i);
    c.type = static_cast<DeclaredType>(i);
    c.is_unsigned = i % 2 == 0;
    c.nullable = i % 3 == 0;
    c.generated = i % 5 == 0;
    c.invisible = i % 7 == 0;
    c.compressed = i % 11 == 0;
    c.length = static_cast<std::uint32_t>(i) * 100'000'000U;
    c.precision = static_cast<std::uint8_t>(i);
    c.scale = static_cast<std::uint8_t>(200 + i);
    c.charset = i % 2 == 0 ? "gbk" : "";
    if (i % 4 == 0) c.labels = {"a", "", "'\xE6\xBC\xA2\"\\"};
    table.columns.push_back(std::move(c));
  }
  table.primary_key = {3, 1};
  table.unique_keys = {{"u", {2}, true, false}, {"v", {5, 4}, false, true}};
  table.detail.emplace();
  table.detail->charset = "latin1";
  table.detail->system_versioned = true;
  table.detail->indexes = {{IndexSchema::Kind::primary, "PRIMARY", {{3, 0}, {1, 10}}, false, ""},
                           {IndexSchema::Kind::unique, "u", {{2, 0}}, false, "p"},
                           {IndexSchema::Kind::other,
                            "k",
                            {{IndexPart::kExpression, 0}, {7, IndexPart::kPrefix}},
                            true,
                            ""}};
  table.detail->periods = {{"p", 1, 2}};
  TableSchema plain = table;
  plain.name = "plain";
  plain.detail.reset();
  Definitions tables(2);
  tables.lose("", "", "everything");
  tables.lose("shop", "", "all of it");
  tables.lose("shop", "x", "one of them");
  tables.put(table);
  tables.put(plain);
  tables.put_database("shop", "");
  tables.put_database("other", "latin1");
  ASSERT_TRUE(open()->add_snapshot(at(100), tables).ok());
  const auto back = open()->restore(at(100));
  ASSERT_TRUE(back.ok() && *back);
  EXPECT_EQ((*back)->tables(), tables.tables());
  EXPECT_EQ((*back)->lost(), tables.lost());
  EXPECT_EQ((*back)->databases(), tables.databases());
  EXPECT_EQ((*back)->lower_case_table_names(), 2);
}

TEST_F(HistoryTest, KeepsAllThatAStatementHangsOn) {
  DdlStatement statement = ddl("CREATE TABLE \"t\" (a TIMESTAMP, b VARCHAR(3), c REAL)", at(200));
  statement.context = {Flavor::mariadb, 100300, 5, "shop", "gbk", "big5", true, false};
  const auto line = history::decode([&] {
    std::string text = history::encode(statement, 7);
    text.pop_back();
    return text;
  }());
  ASSERT_TRUE(line.ok());
  EXPECT_EQ(line->written_at, 7);
  const auto* back = std::get_if<DdlStatement>(&line->record);
  ASSERT_NE(back, nullptr);
  EXPECT_EQ(back->place, statement.place);
  EXPECT_EQ(back->text, statement.text);
  EXPECT_EQ(back->context.flavor, Flavor::mariadb);
  EXPECT_EQ(back->context.version, 100300U);
  EXPECT_EQ(back->context.sql_mode, 5U);
  EXPECT_EQ(back->context.database, "shop");
  EXPECT_EQ(back->context.charset, "gbk");
  EXPECT_EQ(back->context.server_charset, "big5");
  EXPECT_EQ(back->context.explicit_defaults_for_timestamp, false);
}

TEST_F(HistoryTest, CompactingKeepsTheTimeToKeepAndTheRestartPosition) {
  const auto history = open();
  ASSERT_TRUE(history->add_snapshot(at(100), one_table()).ok());
  for (std::uint64_t i = 1; i <= 10; ++i) {
    clock_.seconds += 3600;
    ASSERT_TRUE(
        history->add(ddl("CREATE TABLE n" + std::to_string(i) + " (a INT)", at(100 + i * 100)))
            .ok());
  }
  const std::string before = content();
  ASSERT_TRUE(history->compact(at(1100), hours(3), 1 << 20).ok());
  EXPECT_EQ(content(), before) << "it is not large";
  ASSERT_TRUE(history->compact(at(1100), hours(48), 100).ok());
  EXPECT_EQ(content(), before) << "all of it is to be kept";

  auto again = open();
  ASSERT_TRUE(again->compact(at(500), hours(3), 100).ok());
  EXPECT_FALSE(again->covers(at(499)));
  EXPECT_EQ(columns_at(*again, at(500), "n4"), "a") << "the restart position is behind";
  again = open();
  EXPECT_EQ(columns_at(*again, at(500), "n5"), "none");
  EXPECT_EQ(columns_at(*again, at(1100), "n10"), "a");
  EXPECT_EQ(columns_at(*again, at(1100)), "id,v");

  again = open();
  ASSERT_TRUE(again->compact(at(1100), hours(3), 100).ok());
  EXPECT_FALSE(again->covers(at(799)));
  EXPECT_EQ(columns_at(*again, at(800), "n7"), "a");
  EXPECT_EQ(columns_at(*again, at(1100), "n10"), "a");
  // Records go on behind it.
  ASSERT_TRUE(again->add(ddl("DROP TABLE n10", at(1200))).ok());
  EXPECT_EQ(columns_at(*open(), at(1200), "n10"), "none");
}

// Statements, tables read from the source, restarts, compacting and cuts in any order: at each
// place that must be kept, what was known there at first is told.
TEST_F(HistoryTest, TellsTheSameOfEveryPlaceWhateverWasDoneToTheFile) {
  for (const unsigned seed : {1U, 2U, 3U}) {
    std::mt19937 random(seed);
    const auto pick = [&random](unsigned below) { return random() % below; };
    ASSERT_TRUE(History::remove(file(), true).ok());
    auto history = open();
    Definitions now = one_table();
    std::uint64_t pos = 100;
    ASSERT_TRUE(history->add_snapshot(at(pos), now).ok());
    std::vector<std::pair<Place, std::string>> known{{at(pos), text_of(now)}};
    std::vector<std::int64_t> times{clock_.seconds};
    std::size_t oldest = 0;
    for (int step = 0; step < 150; ++step) {
      clock_.seconds += 100;
      pos += 1 + pick(300);
      const std::string name = "t" + std::to_string(pick(6));
      const Place place = at(pos % 1000 + 4, 1 + pos / 1000);
      switch (pick(6)) {
        case 0:
        case 1: {
          const DdlStatement s =
              ddl("CREATE TABLE " + name + " (c" + std::to_string(pick(9)) + " INT)", place);
          now.apply(s.text, s.context);
          ASSERT_TRUE(history->add(s).ok());
          break;
        }
        case 2: {
          const DdlStatement s =
              ddl("RENAME TABLE " + name + " TO t" + std::to_string(pick(6)), place);
          now.apply(s.text, s.context);
          ASSERT_TRUE(history->add(s).ok());
          break;
        }
        case 3: {
          TableSchema table = *one_table().find("shop", "t");
          table.name = name;
          now.put(table);
          ASSERT_TRUE(history->add_table(place, table).ok());
          break;
        }
        case 4: history = open(); break;
        default: {
          const std::size_t restart = oldest + pick(static_cast<unsigned>(known.size() - oldest));
          ASSERT_TRUE(history->compact(known[restart].first, seconds(3000), 1).ok());
          history = open();
          ASSERT_TRUE(history->compact(known[restart].first, seconds(3000), 1).ok());
          // Whichever of the two is older.
          while (oldest < restart && times[oldest + 1] <= clock_.seconds - 3000) ++oldest;
          break;
        }
      }
      known.emplace_back(place, text_of(now));
      times.push_back(clock_.seconds);
    }
    for (std::size_t i = oldest; i < known.size(); ++i) {
      const auto tables = history->restore(known[i].first);
      ASSERT_TRUE(tables.ok());
      ASSERT_TRUE(tables->has_value()) << known[i].first.to_string();
      ASSERT_EQ(text_of(**tables), known[i].second) << known[i].first.to_string();
    }
  }
}

}  // namespace
}  // namespace sluice::schema
