#pragma once
#include <cstddef>
#include <cstdint>

#include "sluice/base/byte_reader.h"
#include "sluice/base/text_buffer.h"

namespace sluice::binlog {

enum class InflateFormat : std::uint8_t {
  zlib,  // RFC 1950: two bytes of header, ADLER-32 behind; MariaDB's compressed events
  raw,   // RFC 1951: nothing around it; MariaDB's compressed columns, mostly
};

// Appends what `deflated` inflates to: exactly `size` bytes, which MariaDB writes before the
// stream. False, and nothing appended, when the bytes are not one whole stream that makes just that
// many. `size` may come from the wire: nothing is reserved that so few bytes could not inflate to,
// but the caller sets the cap.  Keeps its state per thread, so it does not allocate once `out` is
// large enough.  Thread-safe.
bool inflate(Bytes deflated, InflateFormat format, std::size_t size, TextBuffer& out);

}  // namespace sluice::binlog
