#pragma once
#include <cstdint>
#include <string_view>

#include "sluice/base/result.h"
#include "sluice/base/text_buffer.h"
#include "sluice/binlog/rows.h"
#include "sluice/event/image_writer.h"
#include "sluice/event/table_plan.h"

namespace sluice::event {

// Where a row stands.
struct RowPlace {
  std::string_view file;
  std::uint64_t offset = 0;  // of its event in the file
  std::uint64_t event = 0;   // ordinal of the ROWS event in its transaction
  std::uint64_t row = 0;     // index in the event
  std::string_view gtid;
  std::int64_t es_ms = 0;
};

// Writes rows as JSON lines with both images as they were logged; values as in FlatMessage lines,
// what an image lacks is absent:
//   {"file":"..","pos":4711,"event":0,"row":0,"gtid":"..","es":..,"type":"UPDATE","database":"..",
//    "table":"..","before":{..},"after":{..}}
// An insert's before and a delete's after are null.  Reuses its memory; belongs to one thread.
class RowWriter {
 public:
  // Errors: those of ImageWriter::append_image; `out` then holds a part of the line.
  Status append(TextBuffer& out, const TablePlan& plan, binlog::RowsKind kind,
                const binlog::RowImages& images, const RowPlace& place);
  std::uint64_t replaced_texts() const noexcept { return images_.replaced_texts(); }

 private:
  ImageWriter images_;
};

}  // namespace sluice::event
