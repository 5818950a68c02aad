#pragma once
// The columns of a table while ALTER TABLE is done.
#include <string>
#include <string_view>
#include <vector>

#include "sluice/base/result.h"
#include "sluice/model/table_schema.h"

#include "schema/ddl/alteration.h"
#include "schema/ddl/cursor.h"

namespace sluice::schema::ddl {

struct AlteredColumn {
  static constexpr int kNew = -1;
  ColumnSchema column;
  int old = kNew;          // its index in the table before
  bool redefined = false;  // by CHANGE, MODIFY or CONVERT
};

// What the columns of ALTER TABLE are defined in.
struct ColumnContext {
  std::string charset;  // of the table; "": not known
  std::string convert;  // CONVERT TO; "" without
};

// The columns behind the statement, in order.  `before`: without those that MariaDB hides.
Result<std::vector<AlteredColumn>> alter_columns(const Cursor& in,
                                                 const std::vector<ColumnAction>& actions,
                                                 const std::vector<ColumnSchema>& before,
                                                 const ColumnContext& context);

}  // namespace sluice::schema::ddl
