#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "sluice/base/secret.h"
#include "sluice/base/text_buffer.h"
#include "sluice/expr/condition.h"
#include "sluice/expr/value.h"
#include "sluice/model/table_schema.h"

namespace sluice::event {

// Which columns decide a row's partition.
struct PartitionRule {
  enum class By : std::uint8_t { key, columns, table };
  By by = By::key;
  std::vector<std::string> columns;  // by == columns
};

// What stands for a column's values.
struct ColumnMask {
  enum class Kind : std::uint8_t {
    sha256,  // of the salt and the text, in hexadecimal; of the bytes of a binary column; NULL
             // stays
    null,
    fixed,  // a text, for NULL too
  };
  std::string column;
  Kind kind = Kind::null;
  std::string text;  // fixed
};

// What is taken of one table's rows, and how it is shown: docs/filters.md.  Columns are named
// without regard to the case of A-Z.  The default takes all as it is.
struct TableRules {
  PartitionRule partition;
  std::string database, table;  // what rows go by; empty: the source's names
  bool inserts = true, updates = true, removes = true;  // as the source logs them
  expr::Condition when;
  std::vector<std::string> shown_columns;  // empty: all
  std::vector<std::string> hidden_columns;
  std::vector<ColumnMask> masks;
  Secret salt;
};

// Memory of TablePlan::satisfies(), used again from row to row.  Belongs to one thread.
struct ConditionScratch {
  std::vector<TextBuffer> texts;
  std::vector<expr::Value> values;
};

}  // namespace sluice::event
