// Any bytes as the diffs of any JSON document: refused, or text of a bounded size, the same each
// time.  Input: the document's size (two bytes, little-endian), the document, the diffs.
#include <cstdint>

#include "event/json_diff.h"
#include "fuzz/require.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice;
  using fuzz::require;
  ByteReader in(std::as_bytes(std::span(data, size)));
  const Bytes document = in.take(in.u16());
  if (!in.ok()) return 0;
  const Bytes diffs = in.rest();
  TextBuffer first;
  first.append("before");
  const bool ok = event::append_json_patched(document, diffs, first);
  require(ok || first.view() == "before");
  require(first.size() <= 64 + size * 64);
  TextBuffer second;
  second.append("before");
  require(event::append_json_patched(document, diffs, second) == ok);
  require(second.view() == first.view());
  TextBuffer expression;
  expression.append("before");
  if (!event::append_json_diffs(diffs, expression)) require(expression.view() == "before");
  require(expression.size() <= 64 + size * 192);
  return 0;
}
