// Every type against the servers that wrote it: in these recorded binlogs a column's text stands
// beside it, as a trigger on the server made it (tests/data/binlog/README.md).
#include <filesystem>
#include <map>
#include <memory>
#include <unordered_map>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "sluice/base/charset.h"
#include "sluice/base/files.h"
#include "sluice/binlog/event.h"
#include "sluice/binlog/rows.h"
#include "sluice/binlog/table_map.h"
#include "sluice/event/line_encoder.h"
#include "sluice/event/table_plan.h"

#include "event/column_plan.h"

namespace sluice::event::test {
namespace {

using binlog::MapColumn;
using binlog::TableMap;

// What FULL metadata tells of a column; MariaDB's own types, and digits that are nowhere in the
// binlog, are told by the column's name.
ColumnSchema schema_of(const TableMap& map, const MapColumn& c) {
  ColumnSchema s;
  s.name = c.name;
  s.is_unsigned = c.is_unsigned;
  if (map.has_label_charsets && !c.labels.empty()) {
    const Charset* charset = Charset::by_collation(c.collation);
    for (const std::string& label : c.labels) {
      TextBuffer text;
      EXPECT_TRUE(charset != nullptr && charset->to_utf8(label, text)) << c.name;
      s.labels.emplace_back(text.view());
    }
  }
  if (s.name == "inet4") s.type = DeclaredType::inet4;
  if (s.name == "inet6") s.type = DeclaredType::inet6;
  if (s.name == "uuid") s.type = DeclaredType::uuid;
  if (s.name.starts_with("old"))
    s.scale = static_cast<std::uint8_t>(s.name[s.name.find_first_of("0123456")] - '0');
  return s;
}

using Plan = Result<std::shared_ptr<const TablePlan>>;

Plan plan_of(const TableMap& map, const RenderOptions& options) {
  TableSchema schema;
  for (const MapColumn& c : map.columns) schema.columns.push_back(schema_of(map, c));
  schema.primary_key = {0};
  return TablePlan::make(map, std::move(schema), {}, options);
}

// HEX() of the bytes that a line has as the characters U+0000..U+00FF.
std::string hex_of(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned c = static_cast<unsigned char>(text[i]);
    if (c >= 0xC0) c = (c & 3) << 6 | (static_cast<unsigned char>(text[++i]) & 0x3F);
    constexpr std::string_view kHex = "0123456789ABCDEF";
    out += kHex[c >> 4];
    out += kHex[c & 15];
  }
  return out;
}

// How many pairs of the row agree; those that do not are failures.
int compare_pairs(const std::string& table, const nlohmann::json& row) {
  int pairs = 0;
  for (const auto& [name, value] : row.items()) {
    if (name.size() < 3 || name[name.size() - 2] != '_') continue;
    const auto column = row.find(name.substr(0, name.size() - 2));
    if (column == row.end()) continue;
    ++pairs;
    std::string where = table;
    where.append(".").append(name).append(" of row ").append(row["id"].get<std::string>());
    if (value.is_null()) {
      EXPECT_TRUE(column->is_null()) << where;
      continue;
    }
    if (!column->is_string()) {
      ADD_FAILURE() << where << " is null";
      continue;
    }
    const auto ours = column->get<std::string>();
    const auto theirs = value.get<std::string>();
    if (name.back() == 'h')
      EXPECT_EQ(hex_of(ours), theirs) << where;
    else if (name.back() == 'f')  // the server's text of a FLOAT has six digits
      EXPECT_NEAR(std::stod(ours), std::stod(theirs), 1e-5 * std::abs(std::stod(ours))) << where;
    else
      EXPECT_EQ(ours, theirs) << where;
  }
  return pairs;
}

// The first row of a line.
nlohmann::json row_of(LineEncoder& encoder) {
  TextBuffer text;
  TextBuffer line;
  const EncodedLine encoded = encoder.finish(text);
  append_line(line, text.view(), encoded, true, 1);
  return nlohmann::json::parse(line.view());
}

struct Recorded {
  std::map<std::string, int> pairs;                          // by table
  std::map<std::string, std::vector<nlohmann::json>> lines;  // by table, of the tables asked for
  std::vector<std::string> errors;
};

// Each row of the file becomes a line; `keep`: the table whose lines are wanted.
class Reader {
 public:
  explicit Reader(RenderOptions options, std::string keep)
      : options_(options), keep_(std::move(keep)) {}

  void event(const binlog::EventView& event, const binlog::FormatDescription& format) {
    if (event.header.type == binlog::EventType::table_map) {
      const auto map = TableMap::decode(event.body, format);
      ASSERT_TRUE(map.ok()) << to_string(map.error());
      const Plan plan = plan_of(*map, options_);
      ASSERT_TRUE(plan.ok()) << to_string(plan.error());
      plans_[map->table_id] = *plan;
    }
    if (binlog::is_rows_event(event.header.type)) {
      const auto rows = binlog::RowsEvent::decode(event.header.type, event.body, format);
      ASSERT_TRUE(rows.ok() && plans_.count(rows->table_id) == 1);
      rows_of(*rows, *plans_[rows->table_id]);
    }
  }
  Recorded found;

 private:
  void rows_of(const binlog::RowsEvent& rows, const TablePlan& plan) {
    auto cursor = binlog::RowCursor::open(plan.layout(), rows);
    ASSERT_TRUE(cursor.ok());
    const bool update = rows.kind == binlog::RowsKind::update;
    const std::string& table = plan.schema().name;
    for (std::uint64_t i = 0;; ++i) {
      const auto more = cursor->next(images_);
      ASSERT_TRUE(more.ok()) << to_string(more.error());
      if (!*more) break;
      encoder_.begin(plan, update ? ChangeKind::update : ChangeKind::insert, 0, {});
      const Status added =
          encoder_.add(i, images_.after, update ? images_.before : std::vector<binlog::Cell>{});
      if (!added.ok()) {
        found.errors.push_back(to_string(added.error()));
        encoder_.reset();
        continue;
      }
      const nlohmann::json line = row_of(encoder_);
      found.pairs[table] += compare_pairs(table, line["data"][0]);
      if (table == keep_) found.lines[table].push_back(line);
      if (update) expect_old(line);
    }
  }
  // What has changed stands in old: there the texts that the server had then.
  static void expect_old(const nlohmann::json& line) {
    const auto& data = line["data"][0];
    for (const auto& [name, value] : line["old"][0].items()) EXPECT_NE(data[name], value) << name;
    for (const char* column : {"j", "k"})
      if (data.contains(column) && data.contains(std::string(column) + "_t")) {
        EXPECT_EQ(line["old"][0].value(column, data[column]),
                  line["old"][0].value(std::string(column) + "_t", data[column]));
      }
  }

  RenderOptions options_;
  std::string keep_;
  std::unordered_map<std::uint64_t, std::shared_ptr<const TablePlan>> plans_;
  LineEncoder encoder_;
  binlog::RowImages images_;
};

Recorded read(std::string_view file, const RenderOptions& options = {}, std::string keep = {}) {
  const auto bytes = read_file(std::filesystem::path(SLUICE_TEST_DATA) / "binlog" / file);
  EXPECT_TRUE(bytes.ok()) << file;
  Reader reader(options, std::move(keep));
  binlog::EventFramer framer(binlog::ChecksumAlg::crc32, true);
  Bytes left = bytes.ok() ? as_bytes(*bytes).subspan(4) : Bytes{};
  while (!left.empty()) {
    ByteReader header(left);
    header.take(9);
    const Bytes next = left.first(std::min<std::size_t>(header.u32(), left.size()));
    const auto event = framer.frame(next);
    if (!event.ok()) {
      ADD_FAILURE() << to_string(event.error());
      break;
    }
    reader.event(*event, *framer.format());
    left = left.subspan(next.size());
  }
  return std::move(reader.found);
}

using Pairs = std::map<std::string, int>;

TEST(RecordedValues, AreTheTextsOfMySql) {
  const Recorded r = read("mysql-9.7.values.binlog");
  EXPECT_EQ(r.errors, std::vector<std::string>());
  EXPECT_EQ(r.pairs, (Pairs{{"binaries", 48},
                            {"bits", 256},
                            {"charsets0", 40},
                            {"charsets1", 40},
                            {"charsets2", 40},
                            {"charsets3", 40},
                            {"decimals0", 400},
                            {"decimals1", 400},
                            {"decimals2", 36},
                            {"documents", 16},
                            {"geometries", 9},
                            {"integers", 50},
                            {"labels", 44},
                            {"reals", 35},
                            {"strings", 64},
                            {"times", 115},
                            {"vectors", 2}}));
}

TEST(RecordedValues, AreTheTextsOfMariaDb) {
  const Recorded r = read("mariadb-10.11.values.binlog");
  EXPECT_EQ(r.errors, std::vector<std::string>());
  EXPECT_EQ(r.pairs, (Pairs{{"addresses", 15},
                            {"binaries", 48},
                            {"bits", 256},
                            {"charsets0", 40},
                            {"charsets1", 40},
                            {"charsets2", 40},
                            {"charsets3", 36},
                            {"decimals0", 400},
                            {"decimals1", 400},
                            {"decimals2", 36},
                            {"documents", 2},
                            {"geometries", 9},
                            {"integers", 50},
                            {"labels", 44},
                            {"old_times", 105},
                            {"packed", 35},
                            {"reals", 35},
                            {"strings", 64},
                            {"times", 115}}));
}

TEST(RecordedValues, DiffsMakeTheDocumentsOfMySql) {
  const Recorded r = read("mysql-9.7.partial-json.binlog");
  EXPECT_EQ(r.pairs, (Pairs{{"lean", 0}, {"t", 330}}));
  const std::string remedy =
      "binlog.unsupported: partial.lean.j: a JSON diff without the document it changes (set "
      "binlog_row_image=FULL or binlog_row_value_options='' on the source)";
  EXPECT_EQ(r.errors, (std::vector<std::string>{remedy, remedy}));
}

TEST(RecordedValues, DiffsWithoutTheirDocumentAreTheExpressionOfMysqlbinlog) {
  RenderOptions options;
  options.json_diff_text = true;
  Recorded r = read("mysql-9.7.partial-json.binlog", options, "lean");
  EXPECT_EQ(r.errors, std::vector<std::string>());
  const auto& lines = r.lines["lean"];
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_EQ(lines[1]["data"][0],
            nlohmann::json::parse(
                R"j({"id":"1","j":"JSON_REPLACE(@, '$.a', 'x\\'y', '$.b[1]', null)","n":"2"})j"));
  EXPECT_EQ(lines[1]["old"].dump(), "[{}]");
  EXPECT_EQ(lines[2]["data"][0].dump(), R"j({"id":"1","n":"3"})j");
  EXPECT_EQ(lines[3]["data"][0]["j"],
            R"j(JSON_REMOVE(JSON_INSERT(@, '$.c', CAST('{"d": 1}' AS JSON)), '$.b[0]'))j");
}

}  // namespace
}  // namespace sluice::event::test
