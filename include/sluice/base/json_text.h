#pragma once
#include <string_view>

#include "sluice/base/text_buffer.h"

namespace sluice {

// The inside of a JSON string: only what JSON must escape is escaped.  Clean runs are copied in
// blocks.

// `s` is known to be valid UTF-8.
void append_json_text(TextBuffer& out, std::string_view s);
// Checks UTF-8 on the way; false at the first bad byte, `out` is then as it was.
bool append_json_utf8(TextBuffer& out, std::string_view s);
// Likewise for bytes that must all be ASCII.
bool append_json_ascii(TextBuffer& out, std::string_view s);
// Bytes as the characters U+0000..U+00FF.
void append_json_latin1(TextBuffer& out, std::string_view s);

}  // namespace sluice
