// What real servers packed, against what they wrote of the same statements in the open
// (tests/data/binlog/packed.sql, run twice in one file).
#include <algorithm>
#include <array>
#include <map>
#include <unordered_map>

#include "sluice/binlog/control_events.h"
#include "sluice/binlog/rows.h"
#include "sluice/binlog/unpacker.h"

#include "unit/binlog/builder.h"
#include "unit/binlog/recorded.h"

namespace sluice::binlog {
namespace {

// An event as far as it is the same in both halves.
struct Plain {
  EventType type = EventType::unknown;
  std::string text;
  friend bool operator==(const Plain&, const Plain&) = default;
};
void PrintTo(const Plain& p, std::ostream* out) {
  *out << event_type_name(p.type) << " " << p.text.size() << " bytes";
}

struct Half {
  std::map<EventType, int> packed;
  std::vector<Plain> events;
  std::map<std::string, std::array<int, 3>> rows;  // by table: inserted, updated, removed
};

class Reader {
 public:
  // The halves of a file.
  std::vector<Half> read(const std::string& bytes, std::string_view name) {
    EventFramer framer(ChecksumAlg::off, true);
    for (const Bytes event : testing::split(name, bytes)) {
      const auto view = framer.frame(event);
      EXPECT_TRUE(view.ok());
      if (!view.ok()) break;
      const EventType type = view->header.type;
      if (!EventUnpacker::is_packed(type)) {
        take(*view, *framer.format());
        continue;
      }
      const Status opened = unpacker_.open(*view, *framer.format());
      EXPECT_TRUE(opened.ok()) << opened.error().what;
      bool first = true;
      for (EventView inner;; first = false) {
        const auto more = unpacker_.next(inner);
        EXPECT_TRUE(more.ok()) << more.error().what;
        if (!more.ok() || !*more) break;
        EXPECT_EQ(inner.nested, type == EventType::transaction_payload);
        take(inner, *framer.format());
        if (first) ++halves_.back().packed[type];
      }
      EXPECT_FALSE(first) << event_type_name(type) << " held nothing";
    }
    return std::move(halves_);
  }

 private:
  void take(const EventView& view, const FormatDescription& format) {
    const EventType type = view.header.type;
    std::string text;
    switch (type) {
      case EventType::query: {
        const auto query = QueryEvent::decode(view.body, format);
        ASSERT_TRUE(query.ok());
        text = query->statement;
        if (text.starts_with("DROP TABLE")) halves_.emplace_back();
        break;
      }
      case EventType::xid: break;
      case EventType::rows_query:
      case EventType::annotate_rows: text = as_chars(view.body); break;
      case EventType::table_map: {
        auto map = TableMap::decode(view.body, format);
        ASSERT_TRUE(map.ok());
        maps_[map->table_id] = std::move(map).value();
        text = as_chars(view.body.subspan(6));
        break;
      }
      default:
        if (!is_rows_event(type)) return;
        text = as_chars(view.body.subspan(6));
        count(view, format);
    }
    if (!halves_.empty()) halves_.back().events.push_back({type, std::move(text)});
  }
  void count(const EventView& view, const FormatDescription& format) {
    const auto event = RowsEvent::decode(view.header.type, view.body, format);
    ASSERT_TRUE(event.ok()) << event.error().what;
    ASSERT_TRUE(maps_.contains(event->table_id));
    const TableMap& map = maps_[event->table_id];
    auto cursor = RowCursor::open(map, *event);
    ASSERT_TRUE(cursor.ok());
    RowImages images;
    for (;;) {
      const auto more = cursor->next(images);
      ASSERT_TRUE(more.ok()) << more.error().what;
      if (!*more) break;
      ++halves_.back().rows[map.table][static_cast<std::size_t>(event->kind)];
    }
  }

  EventUnpacker unpacker_;
  std::unordered_map<std::uint64_t, TableMap> maps_;
  std::vector<Half> halves_;
};

void expect_same_halves(const std::vector<Half>& halves) {
  ASSERT_EQ(halves.size(), 2U);
  EXPECT_EQ(halves[0].events, halves[1].events);
  EXPECT_TRUE(halves[1].packed.empty());
  const std::map<std::string, std::array<int, 3>> rows{{"packed", {62, 31, 9}},
                                                       {"beside", {3, 1, 0}}};
  EXPECT_EQ(halves[0].rows, rows);
  EXPECT_EQ(halves[1].rows, rows);
}

TEST(UnpackRecorded, TransactionPayloadsOfMysql97) {
  constexpr std::string_view kName = "mysql-9.7.packed.binlog";
  const auto halves = Reader().read(testing::load(kName), kName);
  expect_same_halves(halves);
  EXPECT_EQ(halves[0].packed, (std::map<EventType, int>{{EventType::transaction_payload, 4}}));
  EXPECT_EQ(std::count_if(halves[0].events.begin(), halves[0].events.end(),
                          [](const Plain& p) { return p.type == EventType::rows_query; }),
            7);
}

TEST(UnpackRecorded, CompressedEventsOfMariadb1011) {
  constexpr std::string_view kName = "mariadb-10.11.packed.binlog";
  const auto halves = Reader().read(testing::load(kName), kName);
  expect_same_halves(halves);
  EXPECT_EQ(halves[0].packed,
            (std::map<EventType, int>{{EventType::query_compressed, 3},
                                      {EventType::write_rows_compressed_v1, 3},
                                      {EventType::update_rows_compressed_v1, 4},
                                      {EventType::delete_rows_compressed_v1, 1}}));
}

}  // namespace
}  // namespace sluice::binlog
