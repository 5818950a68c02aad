// The decoder on what real servers wrote and sent (tests/data/binlog/README.md).
#include "unit/binlog/recorded.h"

#include <map>
#include <unordered_map>

#include "sluice/binlog/control_events.h"
#include "sluice/binlog/rows.h"

namespace sluice::binlog {
namespace {

using testing::load;
using testing::split;

struct Seen {
  std::map<std::string, int> events;        // by type
  std::map<std::string, std::string> rows;  // by table: "i3 u2 d1"
  std::map<std::string, TableMap> maps;     // by table, the last one
  std::vector<std::string> gtids, statements, rotates, heartbeats;
  std::vector<FormatDescription> formats;
  std::uint64_t bytes = 0;
};

void count_rows(const RowsEvent& event, const TableMap& map, Seen& seen,
                std::map<std::string, std::array<int, 3>>& counts) {
  auto cursor = RowCursor::open(map, event);
  ASSERT_TRUE(cursor.ok()) << cursor.error().what;
  RowImages images;
  for (;;) {
    auto more = cursor->next(images);
    ASSERT_TRUE(more.ok()) << more.error().what;
    if (!*more) break;
    ++counts[map.table][static_cast<std::size_t>(event.kind)];
  }
  const auto& n = counts[map.table];
  seen.rows[map.table] =
      "i" + std::to_string(n[0]) + " u" + std::to_string(n[1]) + " d" + std::to_string(n[2]);
}

Seen read_all(std::string_view name, ChecksumAlg announced) {
  Seen seen;
  const std::string bytes = load(name);
  EventFramer framer(announced, true);
  std::unordered_map<std::uint64_t, TableMap> maps;
  std::map<std::string, std::array<int, 3>> counts;
  for (const Bytes event : split(name, bytes)) {
    const auto view = framer.frame(event);
    if (!view.ok()) {
      ADD_FAILURE() << view.error().what;
      break;
    }
    const EventType type = view->header.type;
    ++seen.events[std::string(event_type_name(type))];
    seen.bytes += event.size();
    switch (type) {
      case EventType::format_description: seen.formats.push_back(*framer.format()); break;
      case EventType::rotate: {
        const auto e = RotateEvent::decode(view->body);
        seen.rotates.emplace_back(e.ok() ? e->next_file : "?");
        break;
      }
      case EventType::query: {
        const auto e = QueryEvent::decode(view->body, *framer.format());
        seen.statements.emplace_back(e.ok() ? e->statement : "?");
        EXPECT_TRUE(!e.ok() || e->database == "shop" || e->database.empty());
        break;
      }
      case EventType::gtid:
      case EventType::gtid_tagged:
      case EventType::mariadb_gtid: {
        const auto e = GtidEvent::decode(view->header, view->body, *framer.format());
        seen.gtids.push_back(e.ok() ? gtid_to_string(e->gtid) : e.error().what);
        break;
      }
      case EventType::heartbeat:
      case EventType::heartbeat_v2: {
        const auto e = HeartbeatEvent::decode(view->header, view->body);
        seen.heartbeats.push_back(e.ok() ? std::string(e->file) + ":" + std::to_string(e->pos)
                                         : "?");
        break;
      }
      case EventType::table_map: {
        auto m = TableMap::decode(view->body, *framer.format());
        if (!m.ok()) {
          ADD_FAILURE() << m.error().what;
          break;
        }
        seen.maps[m->table] = *m;
        maps[m->table_id] = std::move(m).value();
        break;
      }
      default: break;
    }
    if (is_rows_event(type)) {
      const auto e = RowsEvent::decode(type, view->body, *framer.format());
      if (!e.ok() || !maps.contains(e->table_id)) {
        ADD_FAILURE() << event_type_name(type);
        break;
      }
      count_rows(*e, maps[e->table_id], seen, counts);
    }
  }
  return seen;
}

// What types.sql did, the same on both.
void expect_rows_of_types_sql(const Seen& seen) {
  EXPECT_EQ(seen.rows.at("types"), "i3 u4 d1");
  EXPECT_EQ(seen.rows.at("keyed"), "i1 u0 d0");
  EXPECT_EQ(seen.rows.at("copied"), "i4 u0 d0");
  EXPECT_EQ(seen.rows.at("defaults"), "i1 u0 d1");
}

TEST(Recorded, Mysql97File) {
  const Seen seen = read_all("mysql-9.7.binlog", ChecksumAlg::off);
  EXPECT_EQ(seen.bytes, 13577U - 4);
  expect_rows_of_types_sql(seen);
  EXPECT_EQ(seen.rows.at("wide"), "i5 u1 d0");
  EXPECT_EQ(seen.rows.at("parts"), "i2 u1 d0");
  EXPECT_EQ(seen.rows.at("vec"), "i1 u0 d0");
  EXPECT_EQ(seen.rows.at("multi"), "i1 u0 d0");
  EXPECT_EQ(seen.events.at("XA_PREPARE"), 1);
  EXPECT_EQ(seen.events.at("GTID_TAGGED"), 1);
  EXPECT_EQ(seen.rotates, std::vector<std::string>{"binlog.000003"});
  EXPECT_TRUE(std::any_of(seen.gtids.begin(), seen.gtids.end(), [](const std::string& g) {
    return g == "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee:nightly:7";
  }));
}

TEST(Recorded, Mariadb1011File) {
  const Seen seen = read_all("mariadb-10.11.binlog", ChecksumAlg::off);
  EXPECT_EQ(seen.bytes, 11894U - 4);
  expect_rows_of_types_sql(seen);
  EXPECT_EQ(seen.rows.at("mspec"), "i1 u0 d0");
  EXPECT_EQ(seen.events.at("XA_PREPARE"), 1);
  EXPECT_GT(seen.events.at("ANNOTATE_ROWS"), 0);
  EXPECT_TRUE(std::any_of(seen.gtids.begin(), seen.gtids.end(),
                          [](const std::string& g) { return g == "5-1-1"; }));
}

TEST(Recorded, FullMetadataDescribesTheColumns) {
  for (const char* file : {"mysql-9.7.binlog", "mariadb-10.11.binlog"}) {
    const Seen seen = read_all(file, ChecksumAlg::off);
    const TableMap& m = seen.maps.at("types");
    ASSERT_TRUE(m.has_names && m.has_signedness && m.has_charsets && m.has_labels &&
                m.has_label_charsets && m.has_primary_key)
        << file;
    ASSERT_EQ(m.columns.size(), 31U) << file;
    std::map<std::string, const MapColumn*> c;
    for (const MapColumn& column : m.columns) c[column.name] = &column;
    std::string unsigned_columns;
    for (const MapColumn& column : m.columns)
      if (column.is_unsigned) unsigned_columns += column.name + " ";
    EXPECT_EQ(unsigned_columns, "id t2 t4 d2 y ") << file;
    EXPECT_EQ(c.at("e")->type, ColumnType::enum_) << file;
    EXPECT_EQ(c.at("e")->labels, (std::vector<std::string>{"a", "b,c", "d'e"})) << file;
    EXPECT_EQ(c.at("e")->collation, 8U) << file;
    EXPECT_EQ(c.at("s")->labels, (std::vector<std::string>{"x", "y", "z"})) << file;
    EXPECT_EQ(c.at("w")->collation, 8U) << file;
    EXPECT_EQ(c.at("bi")->collation, 63U) << file;
    EXPECT_EQ(c.at("vb")->collation, 63U) << file;
    EXPECT_EQ(c.at("bl")->collation, 63U) << file;
    EXPECT_NE(c.at("tx")->collation, 63U) << file;
    EXPECT_EQ(c.at("c2")->length, 1020U) << file;
    EXPECT_EQ(c.at("b")->length, 9U) << file;
    EXPECT_EQ(c.at("dt")->length, 4U) << file;
    ASSERT_EQ(m.primary_key.size(), 1U) << file;
    EXPECT_EQ(m.primary_key[0].column, 0U) << file;
    const TableMap& keyed = seen.maps.at("keyed");
    ASSERT_EQ(keyed.primary_key.size(), 2U) << file;
    EXPECT_EQ(keyed.primary_key[0].column, 2U) << file;
    EXPECT_EQ(keyed.primary_key[1].column, 1U) << file;
    EXPECT_EQ(keyed.primary_key[1].prefix, 10U) << file;
  }
  EXPECT_EQ(read_all("mysql-9.7.binlog", ChecksumAlg::off).maps.at("vec").columns[1].dimensions,
            3U);
}

TEST(Recorded, DumpsFollowTheChecksumFromFileToFile) {
  for (const char* file : {"mysql-9.7.dump.events", "mariadb-10.11.dump.events"}) {
    const Seen seen = read_all(file, ChecksumAlg::crc32);
    ASSERT_EQ(seen.formats.size(), 3U) << file;
    EXPECT_EQ(seen.formats[0].checksum, ChecksumAlg::crc32) << file;
    EXPECT_EQ(seen.formats[1].checksum, ChecksumAlg::off) << file;
    EXPECT_EQ(seen.formats[2].checksum, ChecksumAlg::crc32) << file;
    EXPECT_EQ(seen.rotates,
              (std::vector<std::string>{"binlog.000002", "binlog.000003", "binlog.000003",
                                        "binlog.000004", "binlog.000004"}))
        << file;
    EXPECT_EQ(seen.heartbeats.size(), 1U) << file;
  }
  const Seen none = read_all("mysql-9.7.dump-none.events", ChecksumAlg::off);
  ASSERT_EQ(none.formats.size(), 2U);
  EXPECT_EQ(none.formats[0].checksum, ChecksumAlg::off);
}

TEST(Recorded, FingerprintIsThatOfTheFileWhereverTheDumpBegan) {
  for (const char* name : {"mysql-9.7", "mariadb-10.11"}) {
    const Seen file = read_all(std::string(name) + ".binlog", ChecksumAlg::off);
    const Seen dump = read_all(std::string(name) + ".dump.events", ChecksumAlg::crc32);
    ASSERT_FALSE(file.formats.empty() || dump.formats.empty());
    EXPECT_EQ(file.formats[0].fingerprint, dump.formats[0].fingerprint) << name;
    EXPECT_NE(dump.formats[0].fingerprint, dump.formats[1].fingerprint) << name;
    EXPECT_NE(dump.formats[1].fingerprint, dump.formats[2].fingerprint) << name;
  }
  const Seen first = read_all("mariadb-10.11.first.binlog", ChecksumAlg::off);
  const Seen repeated = read_all("mariadb-10.11.first-dump.events", ChecksumAlg::crc32);
  ASSERT_FALSE(first.formats.empty() || repeated.formats.empty());
  EXPECT_NE(first.formats[0].created, 0U);
  EXPECT_EQ(repeated.formats[0].created, 0U);
  EXPECT_EQ(first.formats[0].fingerprint, repeated.formats[0].fingerprint);
}

}  // namespace
}  // namespace sluice::binlog
