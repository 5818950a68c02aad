#pragma once
#include "sluice/base/byte_reader.h"
#include "sluice/base/text_buffer.h"

// The diffs by which PARTIAL_UPDATE_ROWS changes a JSON column (mysql-server:
// sql-common/json_diff.h):
//   diffs = diff*
//   diff  = operation(u8: 0 replace, 1 insert, 2 remove) path(lenenc string)
//           [value(lenenc, binary JSON)]       not of remove
namespace sluice::event {

// Appends the text of the document that the diffs, one after the other, make of this one, as the
// server prints it.  Like the server it wraps nothing: replaces and removes what is there, inserts
// members that are not there, and cells with what comes behind moved on.  False, and nothing
// appended, when the bytes contradict themselves or a diff does not fit the document.  Thread-safe;
// keeps its memory per thread.
bool append_json_patched(Bytes document, Bytes diffs, TextBuffer& out);

// Appends the diffs as the expression mysqlbinlog prints, on one line, with @ for the column:
// JSON_REPLACE(@, '$.a', 1, '$.b[0]', 'x').  False, and nothing appended, when the bytes contradict
// themselves.  Thread-safe.
bool append_json_diffs(Bytes diffs, TextBuffer& out);

}  // namespace sluice::event
