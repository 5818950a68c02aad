#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "sluice/base/result.h"
#include "sluice/base/text_buffer.h"
#include "sluice/binlog/rows.h"
#include "sluice/event/table_plan.h"

namespace sluice::event {

// Writes row images as JSON objects, `{"id":"8","name":null}`, columns in table order.  Reuses its
// memory; belongs to one thread.
class ImageWriter {
 public:
  enum class Missing : std::uint8_t {
    leave_out,
    take_from_before,  // MINIMAL, NOBLOB and FULL_NODUP images leave out what has not changed
  };
  // `before`: the before image where there is one, else empty.  A JSON diff is applied to the
  // document there.  Errors: fatal/binlog_malformed with table and column (bad text, bad packed
  // value, a diff that does not fit), fatal/binlog_unsupported (a diff without the document, unless
  // RenderOptions::json_diff_text); `out` then holds a part of it.
  // `nulled`: by column, those that are written as null instead of their value; null: none.
  Status append_image(const TablePlan& plan, std::span<const binlog::Cell> cells,
                      std::span<const binlog::Cell> before, Missing missing, TextBuffer& out,
                      const std::vector<bool>* nulled = nullptr);
  // The columns an update changes, with what they were.  After append_image() of the same row's
  // after image.  Errors: the same.
  Status append_old(const TablePlan& plan, std::span<const binlog::Cell> after,
                    std::span<const binlog::Cell> before, TextBuffer& out,
                    const std::vector<bool>* nulled = nullptr);
  // What each column takes in append_image() and append_old() of an update, in bytes; 0 for those
  // that are not in it.  Errors: the same.
  struct Sizes {
    std::vector<std::size_t> data, old;
  };
  Status measure(const TablePlan& plan, std::span<const binlog::Cell> cells,
                 std::span<const binlog::Cell> before, bool update, Sizes& sizes);
  // Values written so far whose bad bytes became U+FFFD (InvalidText::replace).
  std::uint64_t replaced_texts() const noexcept { return replaced_; }

 private:
  Status append_cell(const TablePlan& plan, std::size_t column, const binlog::Cell& cell,
                     bool first, TextBuffer& out);
  // False: the column is left out.
  Result<bool> append_column(const TablePlan& plan, std::size_t column,
                             std::span<const binlog::Cell> cells,
                             std::span<const binlog::Cell> before, Missing missing, bool first,
                             TextBuffer& out);
  bool is_in_old(const TablePlan& plan, std::size_t column, std::span<const binlog::Cell> after,
                 std::span<const binlog::Cell> before) const;
  Result<bool> append_diff(const TablePlan& plan, std::size_t column, const binlog::Cell& diff,
                           const binlog::Cell& before, bool first, TextBuffer& out);
  TextBuffer patched_, document_;            // texts of a JSON column after and before a diff
  std::vector<std::size_t> same_documents_;  // columns whose diffs changed nothing in this row
  std::uint64_t replaced_ = 0;
};

}  // namespace sluice::event
