#pragma once
#include "sluice/base/byte_reader.h"
#include "sluice/base/text_buffer.h"

namespace sluice::event {

// A MySQL JSON column's bytes (mysql-server: sql-common/json_binary.h) -> the text the server
// prints.  False when the bytes contradict themselves or nest deeper than the server allows; `out`
// is then as it was.  Strings are copied as they are: whether they are UTF-8 is for the caller to
// check.
bool append_json_document(Bytes document, TextBuffer& out);

}  // namespace sluice::event
