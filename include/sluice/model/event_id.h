#pragma once
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "sluice/base/result.h"
#include "sluice/base/text_buffer.h"

namespace sluice {

// Where a transaction begins, comparable over the life of an instance.
struct TransactionId {
  std::uint32_t epoch = 0;  // 1..; grows when coordinates stop being comparable
  std::uint64_t file = 0;   // numeric suffix of the binlog file
  std::uint64_t pos = 0;    // of the GTID event, or BEGIN

  // "epoch.file.pos"
  std::string to_string() const;
  // Errors: fatal/position_damaged.
  static Result<TransactionId> parse(std::string_view text);
  friend auto operator<=>(const TransactionId&, const TransactionId&) = default;
};

// The identity of one row change (format version 1).  Deterministic: the same binlog gives the same
// ids.  Compared member by member in this order.  All zero = "nothing yet": lower than every real
// id.
struct EventId {
  std::uint32_t epoch = 0;
  std::uint64_t file = 0;
  std::uint64_t pos = 0;
  std::uint64_t event = 0;  // ordinal of the ROWS event in the transaction, from 0
  std::uint64_t row = 0;    // index of the row in that event, from 0
  std::uint8_t half = 0;    // 1 = the insert of a key change

  TransactionId transaction() const noexcept { return {epoch, file, pos}; }
  bool is_zero() const noexcept { return *this == EventId{}; }

  // "epoch.file.pos.event.row.half"
  std::string to_string() const;
  void append_to(TextBuffer& out) const;
  // Errors: fatal/queue_message.
  static Result<EventId> parse(std::string_view text);
  friend auto operator<=>(const EventId&, const EventId&) = default;
};

// The `seq` of a FlatMessage line: "epoch.file.pos.event.half"; with one of the line's `rows` it
// makes an EventId.
struct Seq {
  std::uint32_t epoch = 0;
  std::uint64_t file = 0, pos = 0, event = 0;
  std::uint8_t half = 0;
  EventId with_row(std::uint64_t row) const noexcept {
    return {epoch, file, pos, event, row, half};
  }
  void append_to(TextBuffer& out) const;
  // Errors: fatal/queue_message.
  static Result<Seq> parse(std::string_view text);
  friend auto operator<=>(const Seq&, const Seq&) = default;
};

}  // namespace sluice
