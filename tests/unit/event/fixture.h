#pragma once
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/base/byte_reader.h"
#include "sluice/base/text_buffer.h"
#include "sluice/event/line_encoder.h"
#include "sluice/event/table_plan.h"

// Tables and rows made by hand.
namespace sluice::event::test {

inline std::string unhex(std::string_view digits) {
  std::string out;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
    out.push_back(static_cast<char>(std::stoi(std::string(digits.substr(i, 2)), nullptr, 16)));
  return out;
}

struct Column {
  std::string name;
  std::string mysql_type;
  DeclaredType declared = DeclaredType::unknown;
  binlog::ColumnType type = binlog::ColumnType::null;
  std::uint32_t length = 0;  // as MapColumn has it
  std::uint8_t scale = 0;
  bool is_unsigned = false;
  std::string charset{};
  std::vector<std::string> labels{};
};

inline Column int_column(std::string name, bool is_unsigned = false) {
  return {std::move(name),
          is_unsigned ? "int unsigned" : "int",
          DeclaredType::int_,
          binlog::ColumnType::long_,
          0,
          0,
          is_unsigned};
}
inline Column varchar_column(std::string name, std::string charset = "utf8mb4") {
  return {std::move(name),
          "varchar(255)",
          DeclaredType::varchar,
          binlog::ColumnType::varchar,
          1020,
          0,
          false,
          std::move(charset)};
}
inline Column varbinary_column(std::string name) {
  return {std::move(name), "varbinary(255)", DeclaredType::varbinary, binlog::ColumnType::varchar,
          255};
}
inline Column binary_column(std::string name, std::uint32_t n) {
  return {std::move(name), "binary(" + std::to_string(n) + ")", DeclaredType::binary,
          binlog::ColumnType::string, n};
}

inline binlog::TableMap map_of(const std::vector<Column>& columns) {
  binlog::TableMap map;
  map.table_id = 7;
  map.database = "shop";
  map.table = "user";
  for (const Column& c : columns) {
    binlog::MapColumn m;
    m.type = c.type;
    m.length = c.length;
    m.scale = c.scale;
    m.is_unsigned = c.is_unsigned;
    map.columns.push_back(m);
  }
  return map;
}

inline TableSchema schema_of(const std::vector<Column>& columns,
                             std::vector<std::uint16_t> primary_key) {
  TableSchema schema;
  schema.database = "shop";
  schema.name = "user";
  for (const Column& c : columns) {
    ColumnSchema s;
    s.name = c.name;
    s.mysql_type = c.mysql_type;
    s.type = c.declared;
    s.is_unsigned = c.is_unsigned;
    s.charset = c.charset;
    s.labels = c.labels;
    schema.columns.push_back(s);
  }
  schema.primary_key = std::move(primary_key);
  return schema;
}

inline Result<std::shared_ptr<const TablePlan>> plan_of(
    const std::vector<Column>& columns, std::vector<std::uint16_t> primary_key = {0},
    const RenderOptions& options = {}, const TableRules& rules = {}) {
  return TablePlan::make(map_of(columns), schema_of(columns, std::move(primary_key)), rules,
                         options);
}

// One row image; owns its bytes.
class Image {
 public:
  Image& value(std::string bytes) { return push(std::move(bytes), binlog::CellState::value); }
  Image& hex(std::string_view digits) { return value(unhex(digits)); }
  Image& int32(std::int32_t v) {
    std::string b;
    for (int i = 0; i < 4; ++i)
      b.push_back(static_cast<char>(static_cast<std::uint32_t>(v) >> (8 * i) & 0xFF));
    return value(std::move(b));
  }
  Image& diff(std::string_view digits) { return push(unhex(digits), binlog::CellState::json_diff); }
  Image& null() { return push({}, binlog::CellState::null); }
  Image& absent() { return push({}, binlog::CellState::absent); }
  std::vector<binlog::Cell> cells() const {
    std::vector<binlog::Cell> out;
    for (const auto& [bytes, state] : values_) out.push_back({as_bytes(bytes), state});
    return out;
  }

 private:
  Image& push(std::string bytes, binlog::CellState state) {
    values_.emplace_back(std::move(bytes), state);
    return *this;
  }
  std::vector<std::pair<std::string, binlog::CellState>> values_;
};

// Appends the image as it stands in a ROWS event: of up to 8 columns, values of less than 256
// bytes.
inline void append_row(std::string& bytes, const std::vector<Column>& columns, const Image& image) {
  const auto cells = image.cells();
  std::string nulls(1, '\0');
  std::string values;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (cells[i].state == binlog::CellState::null) {
      nulls[0] = static_cast<char>(nulls[0] | 1 << i);
      continue;
    }
    const std::size_t size = cells[i].bytes.size();
    if (columns[i].type == binlog::ColumnType::varchar) {
      values.push_back(static_cast<char>(size));
      if (columns[i].length > 255) values.push_back('\0');
    }
    values += as_chars(cells[i].bytes);
  }
  bytes += nulls + values;
}

inline LineContext context() {
  LineContext c;
  c.seq = {1, 3, 4711, 0, 0};
  c.gtid = "3e11fa47-71ca-11e1-9e33-c80aa9429562:23";
  c.es_ms = 1693995485000;
  c.ts_ms = 1693995485234;
  return c;
}

// A line with types and line feed, as it goes into a message.
inline std::string finished(LineEncoder& encoder, bool with_types = true, std::uint64_t id = 4) {
  TextBuffer text;
  text.append("what was there before");
  const EncodedLine line = encoder.finish(text);
  TextBuffer out;
  append_line(out, text.view().substr(line.begin, line.size), line, with_types, id);
  return std::string(out.view());
}

// The text of one value of one column, as it stands between the quotes of `data`; the error's text
// in <> when there is none.
inline std::string render(const Column& column, std::string_view bytes,
                          const RenderOptions& options = {}) {
  std::vector<Column> columns = {int_column("id"), column};
  const auto plan = plan_of(columns, {0}, options);
  if (!plan.ok()) return "<" + to_string(plan.error()) + ">";
  LineEncoder encoder;
  encoder.begin(**plan, ChangeKind::insert, 0, context());
  Image image;
  image.int32(1).value(std::string(bytes));
  if (const Status s = encoder.add(0, image.cells(), {}); !s.ok())
    return "<" + to_string(s.error()) + ">";
  const std::string line = finished(encoder);
  const std::string head = R"({"data":[{"id":"1",")" + column.name + R"(":")";
  if (line.substr(0, head.size()) != head) return "<" + line + ">";
  return line.substr(head.size(), line.find(R"("}],"database":)") - head.size());
}

}  // namespace sluice::event::test
