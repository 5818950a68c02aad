// Decode + encode, and reading back, of rows made by hand: rows/s of one core.
//   oltp: the table of sysbench (INT, INT, CHAR(120), CHAR(60)), 240 bytes of JSON a row
//   wide: 40 columns of the common types
//   plain: 68 bytes of a row in 6 columns (BIGINT, 2 INT, DATETIME, DECIMAL, VARCHAR)
// read_*: lines read back; map_*: and made into commands for Redis.
// values_*: each value decoded without text and folded into a checksum; cut_*: cut only.
#include <array>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "sluice/base/byte_writer.h"
#include "sluice/binlog/rows.h"
#include "sluice/binlog/value.h"
#include "sluice/config/load.h"
#include "sluice/event/line_encoder.h"
#include "sluice/event/line_reader.h"
#include "sluice/event/table_plan.h"
#include "sluice/mapping/mapper.h"

namespace sluice::event {
namespace {

using binlog::ColumnType;

struct Table {
  binlog::TableMap map;
  TableSchema schema;

  void add(std::string name, std::string mysql_type, DeclaredType declared, ColumnType type,
           std::uint32_t length = 0, std::uint8_t scale = 0, std::string charset = "") {
    binlog::MapColumn m;
    m.type = type;
    m.length = length;
    m.scale = scale;
    map.columns.push_back(m);
    ColumnSchema s;
    s.name = std::move(name);
    s.mysql_type = std::move(mysql_type);
    s.type = declared;
    s.charset = std::move(charset);
    schema.columns.push_back(std::move(s));
  }
};

template <class T>
T must(Result<T> r) {
  if (r.ok()) return std::move(r).value();
  std::cerr << to_string(r.error()) << "\n";
  std::abort();
}

Table oltp_table() {
  Table t;
  t.map.database = "sbtest";
  t.map.table = "sbtest1";
  t.add("id", "int", DeclaredType::int_, ColumnType::long_);
  t.add("k", "int", DeclaredType::int_, ColumnType::long_);
  t.add("c", "char(120)", DeclaredType::char_, ColumnType::string, 480, 0, "utf8mb4");
  t.add("pad", "char(60)", DeclaredType::char_, ColumnType::string, 240, 0, "utf8mb4");
  t.schema.primary_key = {0};
  return t;
}

void oltp_row(ByteWriter& out, std::uint64_t i) {
  static const std::string kText =
      "83868641912-28773972837-60736120486-75162659906-27563526494-20381887404-41576422241-"
      "93426793964-56405065102-33518432330";
  out.le<1>(0).le<4>(i).le<4>(i * 2654435761U % 1000000).le<2>(119).bytes(kText.substr(0, 119));
  out.le<1>(59).bytes(kText.substr(0, 59));
}

// Ten times bigint, datetime(3), decimal(12,2) and varchar(100) with a little beyond ASCII.
Table wide_table() {
  Table t;
  t.map.database = "shop";
  t.map.table = "orders";
  for (int i = 0; i < 10; ++i) {
    const std::string n = std::to_string(i);
    t.add("number_" + n, "bigint", DeclaredType::bigint, ColumnType::longlong);
    t.add("changed_" + n, "datetime(3)", DeclaredType::datetime, ColumnType::datetime2, 3);
    t.add("amount_" + n, "decimal(12,2)", DeclaredType::decimal, ColumnType::newdecimal, 12, 2);
    t.add("remark_" + n, "varchar(100)", DeclaredType::varchar, ColumnType::varchar, 400, 0,
          "utf8mb4");
  }
  t.schema.primary_key = {0};
  return t;
}

void wide_row(ByteWriter& out, std::uint64_t i) {
  out.le<5>(0);
  for (std::uint64_t k = 0; k < 10; ++k) {
    out.le<8>(i * 1000003 + k);
    out.be<5>(0x99ba48a2cc).be<2>(7890);
    out.be<1>(0x80).be<4>(1234567).be<1>(99);  // DECIMAL(12,2): 1 + 9 + 2 digits
    out.le<2>(31).bytes("Lieferung an \"M\xC3\xBCller & S\xC3\xB6hne\"");
  }
}

struct Rows {
  std::string body;
  std::size_t rows = 0;
};

Rows rows_of(const Table& t, void (*row)(ByteWriter&, std::uint64_t), bool update) {
  constexpr std::size_t kRows = 100;
  ByteWriter out;
  const std::size_t columns = t.map.columns.size();
  out.le<6>(7).le<2>(1).le<2>(2).lenenc(columns);
  for (int image = 0; image < (update ? 2 : 1); ++image)
    for (std::size_t i = 0; i < (columns + 7) / 8; ++i) out.le<1>(0xFF);
  for (std::uint64_t i = 0; i < kRows; ++i) {
    row(out, i + 1000000);
    if (update) row(out, i + 1000000);
  }
  return {out.str(), kRows};
}

void encode(benchmark::State& state, const Table& table, void (*row)(ByteWriter&, std::uint64_t),
            bool update) {
  const auto rows_per_line = static_cast<std::uint32_t>(state.range(0));
  const Rows rows = rows_of(table, row, update);
  const auto plan = must(TablePlan::make(table.map, table.schema, {}, {}));
  const binlog::FormatDescription format;
  const auto event = must(binlog::RowsEvent::decode(
      update ? binlog::EventType::update_rows : binlog::EventType::write_rows, as_bytes(rows.body),
      format));
  LineEncoder encoder;
  TextBuffer lines;
  TextBuffer out;
  TextBuffer scratch;
  binlog::RowImages images;
  LineContext context;
  context.seq = {1, 17, 123456789, 0, 0};
  context.gtid = "3e11fa47-71ca-11e1-9e33-c80aa9429562:123456";
  context.es_ms = context.ts_ms = 1693995485000;
  std::uint64_t bytes = 0;
  std::uint64_t sum = 0;
  const auto close = [&] {
    const EncodedLine line = encoder.finish(lines);
    append_line(out, lines.view().substr(line.begin, line.size), line, false, 1);
  };
  for ([[maybe_unused]] const auto& _ : state) {
    auto cursor = must(binlog::RowCursor::open(plan->layout(), event));
    lines.clear();
    out.clear();
    std::uint64_t index = 0;
    while (must(cursor.next(images))) {
      const auto& key = update ? images.before : images.after;
      if (update && plan->partition_key_changed(images.before, images.after)) std::abort();
      sum += must(plan->partition(key, 16, scratch));
      if (!encoder.open())
        encoder.begin(*plan, update ? ChangeKind::update : ChangeKind::insert, 0, context);
      if (!encoder
               .add(index++, images.after,
                    update ? std::span<const binlog::Cell>(images.before)
                           : std::span<const binlog::Cell>{})
               .ok())
        std::abort();
      if (index % rows_per_line == 0) close();
    }
    if (encoder.open()) close();
    bytes += out.size();
  }
  benchmark::DoNotOptimize(sum);
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(rows.rows));
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes));
}

void encode_oltp_insert(benchmark::State& state) {
  encode(state, oltp_table(), oltp_row, false);
}
void encode_oltp_update(benchmark::State& state) {
  encode(state, oltp_table(), oltp_row, true);
}
void encode_wide_insert(benchmark::State& state) {
  encode(state, wide_table(), wide_row, false);
}
BENCHMARK(encode_oltp_insert)->ArgName("rows_per_line")->Arg(1)->Arg(100);
BENCHMARK(encode_oltp_update)->ArgName("rows_per_line")->Arg(1)->Arg(100);
BENCHMARK(encode_wide_insert)->ArgName("rows_per_line")->Arg(1)->Arg(100);

Table plain_table() {
  Table t;
  t.map.database = "shop";
  t.map.table = "sales";
  t.add("id", "bigint", DeclaredType::bigint, ColumnType::longlong);
  t.add("customer", "int", DeclaredType::int_, ColumnType::long_);
  t.add("item", "int", DeclaredType::int_, ColumnType::long_);
  t.add("sold", "datetime", DeclaredType::datetime, ColumnType::datetime2);
  t.add("price", "decimal(12,2)", DeclaredType::decimal, ColumnType::newdecimal, 12, 2);
  t.add("note", "varchar(100)", DeclaredType::varchar, ColumnType::varchar, 400, 0, "utf8mb4");
  t.schema.primary_key = {0};
  return t;
}

// 1 + 8 + 4 + 4 + 5 + 6 + 2 + 38 bytes.
void plain_row(ByteWriter& out, std::uint64_t i) {
  out.le<1>(0).le<8>(i).le<4>(i * 7 % 100000).le<4>(i * 2654435761U % 1000000);
  out.be<5>(0x99ba48a2cc).be<1>(0x80).be<4>(1234567).be<1>(99);
  out.le<2>(38).bytes("fourteen crates of lemons, to be paid ");
}

// What a consumer of values does with one: reads all there is to it.
std::uint64_t fold(std::uint64_t sum, const binlog::Value& v) noexcept {
  sum = (sum ^ v.bits) * 0x9E3779B97F4A7C15U;
  if (!v.bytes.empty()) sum += v.bytes.size() * 31 + std::to_integer<std::uint64_t>(v.bytes.back());
  return sum;
}

void values(benchmark::State& state, const Table& table, void (*row)(ByteWriter&, std::uint64_t),
            bool decode) {
  const Rows rows = rows_of(table, row, false);
  const auto plan = must(TablePlan::make(table.map, table.schema, {}, {}));
  const binlog::FormatDescription format;
  const auto event =
      must(binlog::RowsEvent::decode(binlog::EventType::write_rows, as_bytes(rows.body), format));
  const auto& columns = plan->map().columns;
  binlog::RowImages images;
  std::uint64_t sum = 0;
  for ([[maybe_unused]] const auto& _ : state) {
    auto cursor = must(binlog::RowCursor::open(plan->layout(), event));
    while (must(cursor.next(images))) {
      if (!decode) {
        sum += images.after.back().bytes.size();
        continue;
      }
      for (std::size_t i = 0; i < columns.size(); ++i)
        if (images.after[i].state == binlog::CellState::value)
          sum = fold(sum, binlog::decode_value(columns[i], images.after[i].bytes));
    }
  }
  benchmark::DoNotOptimize(sum);
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(rows.rows));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(event.rows.size()));
}

void cut_plain(benchmark::State& state) {
  values(state, plain_table(), plain_row, false);
}
void cut_wide(benchmark::State& state) {
  values(state, wide_table(), wide_row, false);
}
void values_plain(benchmark::State& state) {
  values(state, plain_table(), plain_row, true);
}
void values_oltp(benchmark::State& state) {
  values(state, oltp_table(), oltp_row, true);
}
void values_wide(benchmark::State& state) {
  values(state, wide_table(), wide_row, true);
}
void encode_plain_insert(benchmark::State& state) {
  encode(state, plain_table(), plain_row, false);
}
BENCHMARK(encode_plain_insert)->ArgName("rows_per_line")->Arg(100);
BENCHMARK(cut_plain);
BENCHMARK(cut_wide);
BENCHMARK(values_plain);
BENCHMARK(values_oltp);
BENCHMARK(values_wide);

// `options`: the lines' rows become commands as they say; null: they are read only.
void read(benchmark::State& state, const Table& table, void (*row)(ByteWriter&, std::uint64_t),
          const Options* options = nullptr) {
  const auto rows_per_line = static_cast<std::uint64_t>(state.range(0));
  const Rows rows = rows_of(table, row, false);
  const auto plan = must(TablePlan::make(table.map, table.schema, {}, {}));
  const binlog::FormatDescription format;
  const auto event =
      must(binlog::RowsEvent::decode(binlog::EventType::write_rows, as_bytes(rows.body), format));
  auto cursor = must(binlog::RowCursor::open(plan->layout(), event));
  LineEncoder encoder;
  TextBuffer body;
  binlog::RowImages images;
  const auto close = [&] {
    TextBuffer text;
    const EncodedLine line = encoder.finish(text);
    append_line(body, text.view(), line, body.empty(), 1);
  };
  std::uint64_t index = 0;
  while (must(cursor.next(images))) {
    if (!encoder.open()) encoder.begin(*plan, ChangeKind::insert, 0, {});
    if (!encoder.add(index++, images.after, {}).ok()) std::abort();
    if (index % rows_per_line == 0) close();
  }
  LineReader reader;
  std::optional<mapping::Mapper> mapper;
  if (options != nullptr) mapper.emplace(*options);
  TextBuffer commands;
  mapping::CommandCounts counts;
  std::size_t fields = 0;
  for ([[maybe_unused]] const auto& _ : state) {
    reader.open(body.view());
    commands.clear();
    for (;;) {
      const ChangeView* line = must(reader.next());
      if (line == nullptr) break;
      fields += line->fields.size();
      if (!mapper) continue;
      for (const ChangeView::Row& r : line->rows)
        if (!mapper->append(*line, r, commands, counts).ok()) std::abort();
    }
  }
  benchmark::DoNotOptimize(fields);
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(rows.rows));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(body.size()));
}

void read_oltp(benchmark::State& state) {
  read(state, oltp_table(), oltp_row);
}
void read_wide(benchmark::State& state) {
  read(state, wide_table(), wide_row);
}
void read_plain(benchmark::State& state) {
  read(state, plain_table(), plain_row);
}
// A hash of each row.
void map_plain(benchmark::State& state) {
  const Options options;
  read(state, plain_table(), plain_row, &options);
}
// The same, and its place in an index and a ranking.
void map_plain_indexed(benchmark::State& state) {
  const auto loaded = load_text(
      "tables: [{mappings: [{}, {type: set, key: 'of:{customer}', member: '{id}'}, {type: zset, "
      "key: "
      "rank, "
      "member: '{id}', score: price}]}]",
      "bench", [](const std::string&) { return std::nullopt; });
  if (!loaded.ok()) std::abort();
  read(state, plain_table(), plain_row, loaded.options.get());
}
// The hash of map_plain, by a script.
void map_plain_scripted(benchmark::State& state) {
  Options options;
  options.tables.add().script.set(
      {"bench.lua",
       "function on_row(change, out)\n"
       "  out:hash(change.schema .. ':' .. change.table .. ':' .. change.row.id, change.row)\n"
       "end\n"});
  read(state, plain_table(), plain_row, &options);
}
BENCHMARK(read_oltp)->ArgName("rows_per_line")->Arg(1)->Arg(100);
BENCHMARK(read_plain)->ArgName("rows_per_line")->Arg(1)->Arg(100);
BENCHMARK(map_plain)->ArgName("rows_per_line")->Arg(1)->Arg(100);
BENCHMARK(map_plain_scripted)->ArgName("rows_per_line")->Arg(1)->Arg(100);
BENCHMARK(map_plain_indexed)->ArgName("rows_per_line")->Arg(1)->Arg(100);
BENCHMARK(read_wide)->ArgName("rows_per_line")->Arg(1)->Arg(100);

}  // namespace
}  // namespace sluice::event
