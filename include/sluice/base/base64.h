#pragma once
#include <string_view>

#include "sluice/base/text_buffer.h"

namespace sluice {

// RFC 4648 with padding, without line breaks.
void append_base64(TextBuffer& out, std::string_view bytes);
// False when `text` is not base64; `out` is then as it was.
bool append_base64_decoded(TextBuffer& out, std::string_view text);

}  // namespace sluice
