// Any bytes as a MySQL JSON column: refused, or text of a bounded size, the same whichever way it
// is made.
#include <cstdint>

#include "event/json_binary.h"
#include "event/json_diff.h"
#include "fuzz/require.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice;
  using fuzz::require;
  const Bytes document = std::as_bytes(std::span(data, size));
  TextBuffer text;
  text.append("before");
  if (!event::append_json_document(document, text)) {
    require(text.view() == "before");
    return 0;
  }
  // The longest for its bytes: a control character (\u001f), an inlined number, a double, a
  // decimal.
  require(text.size() <= 32 + size * 64);
  TextBuffer patched;
  patched.append("before");
  require(event::append_json_patched(document, {}, patched));
  require(patched.view() == text.view());
  return 0;
}
