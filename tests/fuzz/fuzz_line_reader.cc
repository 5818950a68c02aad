// Any bytes as the body of a message: refused with the line's number, or lines whose rows lie
// inside what was read.  Input: one byte of options (bit 0 base64), the body.
#include <cstdint>
#include <string_view>

#include "sluice/event/line_reader.h"

#include "fuzz/require.h"

namespace {

using namespace sluice;
using fuzz::require;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view body(reinterpret_cast<const char*>(data) + 1, size - 1);
  event::LineReader reader((data[0] & 1) != 0);
  std::uint64_t fold = 0;
  // Twice: the reader is used again after an error.
  for (int round = 0; round < 2; ++round) {
    reader.open(body);
    for (;;) {
      const auto line = reader.next();
      if (!line.ok()) {
        require(line.error().code == Errc::queue_message);
        break;
      }
      if (*line == nullptr) break;
      const ChangeView& view = **line;
      fold += view.database.size() + view.table.size() + view.gtid.size() + view.file.size();
      for (const ChangeView::Row& row : view.rows) {
        require(row.data_begin <= row.data_end && row.data_end <= view.fields.size());
        require(row.old_begin <= row.old_end && row.old_end <= view.fields.size());
        for (const ChangeView::Field& field : view.data(row))
          for (const char c : field.value) fold += static_cast<unsigned char>(c);
        for (const ChangeView::Field& field : view.old(row)) fold += field.name.size();
      }
    }
  }
  volatile std::uint64_t keep = fold;  // so that the compiler leaves nothing out
  static_cast<void>(keep);
  return 0;
}
