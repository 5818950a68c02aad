#include "sluice/binlog/transaction_print.h"

#include "sluice/base/byte_reader.h"
#include "sluice/base/hash.h"

namespace sluice::binlog {
namespace {

// Behind table id and flags (mysql-server: libs/mysql/binlog/event/rows_event.h Rows_event): which
// columns, and the rows.
constexpr std::size_t kShortFixed = 6;  // with a table id of 4 bytes
constexpr std::size_t kFixed = 8;

}  // namespace

void TransactionPrint::add(const EventView& event, const FormatDescription& format) noexcept {
  const std::size_t fixed =
      format.post_header(event.header.type) == kShortFixed ? kShortFixed : kFixed;
  const Bytes rows = event.body.size() > fixed ? event.body.subspan(fixed) : Bytes();
  value_ = xxh64(as_chars(rows), value_);
  if (value_ == 0) value_ = 1;
}

}  // namespace sluice::binlog
