#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "sluice/base/result.h"
#include "sluice/base/text_buffer.h"
#include "sluice/binlog/event.h"
#include "sluice/binlog/rows.h"
#include "sluice/event/table_plan.h"

namespace sluice::decode {

// Writes one line per event: where it stands, its size, time and type, and what it says.  As text
// in columns, or as JSON.  Thread-compatible.
class EventPrinter {
 public:
  // What the printer cannot find in the event itself.
  struct Context {
    std::string_view file;
    std::uint64_t offset = 0;
    const binlog::FormatDescription* format = nullptr;
    std::string_view table;  // ROWS: database.table
    std::uint64_t rows = 0;  // ROWS: how many
  };
  explicit EventPrinter(bool json) : json_(json) {}

  // A line that names the file; nothing in JSON, where each line does.
  void begin_file(TextBuffer& out, std::string_view file) const;
  // Errors: those of the event's decoder.
  Status print(TextBuffer& out, const binlog::EventView& event, const Context& context) const;
  // Rows of a ROWS event, each cut into columns.
  Result<std::uint64_t> count_rows(const binlog::RowsEvent& rows, const binlog::RowLayout& layout);

 private:
  bool json_;
  binlog::RowCursor cursor_;
  binlog::RowImages images_;
};

}  // namespace sluice::decode
