#pragma once
// Stand-ins for what the assembler works with.
#include <atomic>
#include <chrono>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "sluice/base/clock.h"
#include "sluice/event/line_reader.h"
#include "sluice/schema/catalog.h"

#include "pipeline/transaction.h"

namespace sluice::pipeline::testing {

// Stands still until it is told to go on.
class FakeClock final : public Clock {
 public:
  std::chrono::steady_clock::time_point steady() const override {
    return std::chrono::steady_clock::time_point(std::chrono::milliseconds(ms_.load()));
  }
  std::int64_t wall_us() const override { return 1'700'000'000'000'000 + ms_.load() * 1000; }
  void go(std::chrono::milliseconds by) { ms_ += by.count(); }

 private:
  std::atomic<std::int64_t> ms_{1'000'000};
};

// Every table is (id INT PRIMARY KEY, v VARCHAR(20)); `v` may get another name.
class FakeSchemas final : public schema::SchemaSource {
 public:
  Result<TableSchema> read_table(std::string_view database, std::string_view table) override {
    ++reads;
    TableSchema s;
    s.database = database;
    s.name = table;
    s.columns.resize(2);
    s.columns[0].name = "id";
    s.columns[0].nullable = false;
    s.columns[1].name = second_column;
    s.columns[1].charset = "latin1";
    EXPECT_TRUE(schema::parse_column_type("int(11)", s.columns[0]).ok());
    EXPECT_TRUE(schema::parse_column_type("varchar(20)", s.columns[1]).ok());
    s.primary_key = {0};
    return s;
  }
  int reads = 0;
  std::string second_column = "v";
};

// One row as it was handed over.
struct SentRow {
  EventId id;
  std::uint32_t partition = 0;
  ChangeKind kind = ChangeKind::insert;
  std::string table;  // database.table
  std::string key;    // of column `id`
  std::string gtid;
  std::string last_column, last_value;
  friend bool operator==(const SentRow&, const SentRow&) = default;
};
inline void PrintTo(const SentRow& r, std::ostream* out) {
  *out << r.id.to_string() << " p" << r.partition << " kind " << static_cast<int>(r.kind) << " "
       << r.table << " id=" << r.key << " " << r.gtid;
}

// Keeps all rows and transaction ends it is given.
class RecordingSink final : public TransactionSink {
 public:
  struct End {
    std::string file;
    std::uint64_t pos = 0;
    std::string gtid;
    std::size_t rows = 0;  // how many had been given by then
    bool also = false;
    std::int64_t es_ms = 0;
  };
  Status add(const TransactionBatch& batch) override {
    if (full) return stopped();
    ++adds;
    EXPECT_FALSE(batch.empty());
    letters.insert(letters.end(), batch.letters.begin(), batch.letters.end());
    std::map<EventId, SentRow> in_order;
    for (const std::uint32_t p : batch.touched) {
      TextBuffer body;
      for (const event::EncodedLine& line : batch.partitions[p].lines)
        event::append_line(body, batch.partitions[p].text.view().substr(line.begin, line.size),
                           line, true, 1);
      EventId last;
      reader_.open(body.view());
      for (;;) {
        auto view = reader_.next();
        EXPECT_TRUE(view.ok()) << (view.ok() ? "" : view.error().what);
        if (!view.ok() || *view == nullptr) break;
        for (const ChangeView::Row& row : (*view)->rows) {
          const EventId id = (*view)->seq.with_row(row.index);
          EXPECT_LT(last, id) << "order within the partition";
          last = id;
          SentRow sent{id,
                       p,
                       (*view)->kind,
                       std::string((*view)->database) + "." + std::string((*view)->table),
                       std::string((*view)->data(row).front().value),
                       std::string((*view)->gtid),
                       std::string((*view)->data(row).back().name),
                       std::string((*view)->data(row).back().value)};
          EXPECT_TRUE(in_order.emplace(id, std::move(sent)).second) << id.to_string() << " twice";
        }
      }
    }
    std::size_t given = 0;
    for (auto& [id, row] : in_order) {
      rows.push_back(std::move(row));
      if (rows.back().id.half == 0) ++given;
    }
    EXPECT_TRUE(given + batch.letters.size() == batch.rows || !every_row)
        << given << " of " << batch.rows;
    return {};
  }
  Status add_ddl(const PublishedDdl& ddl) override {
    ddls.push_back(std::string(ddl.line.type) + " " + std::string(ddl.line.database) + "." +
                   std::string(ddl.line.table) + ": " + std::string(ddl.line.sql));
    return {};
  }
  void complete(const TransactionEnd& end) override {
    ends.push_back({end.file ? end.file->name : "", end.pos, gtid_to_string(end.gtid), rows.size(),
                    end.also != nullptr, end.es_ms});
  }
  bool has_read(const Gtid& gtid) const override { return read.contains(gtid); }
  // Rows of whole transactions only.
  std::vector<SentRow> whole() const {
    const std::size_t count = ends.empty() ? 0 : ends.back().rows;
    return {rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(count)};
  }
  std::vector<std::string> keys() const {
    std::vector<std::string> out;
    for (const SentRow& r : rows) out.push_back(r.key);
    return out;
  }
  std::vector<EventId> ids() const {
    std::vector<EventId> out;
    for (const SentRow& r : rows) out.push_back(r.id);
    return out;
  }

  std::vector<SentRow> rows;
  std::vector<RowLetter> letters;
  std::vector<End> ends;
  std::vector<std::string> ddls;  // "ALTER db.t: text"
  GtidSet read;                   // as read before
  int adds = 0;
  bool full = false;
  bool every_row = true;  // false: some are left out on purpose

 private:
  event::LineReader reader_;
};

}  // namespace sluice::pipeline::testing
