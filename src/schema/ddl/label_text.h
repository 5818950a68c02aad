#pragma once
// Labels of ENUM and SET in the character set of their column.
#include <string>
#include <string_view>

#include "sluice/base/charset.h"
#include "sluice/base/result.h"

#include "schema/ddl/cursor.h"

namespace sluice::schema::ddl {

// What a column of this character set makes of a label: characters that it does not have become
// "?".  `charset` is prepared.
std::string as_stored(const Charset& charset, std::string_view label);

// What becomes of a label when its column is converted: the servers keep the bytes and take them
// for text of the new character set.  Both are prepared.  Errors: fatal/schema_statement where that
// is none.
Result<std::string> converted(const Cursor& in, std::string_view label, const Charset& from,
                              const Charset& to);

}  // namespace sluice::schema::ddl
