// The part of the rows encoder that sees to rows too large for a message.  It is not made for
// speed.
#include <algorithm>
#include <string>

#include "sluice/event/rows_encoder.h"

#include "event/cells.h"
#include "event/column_plan.h"

namespace sluice::event {
namespace {

constexpr std::size_t kLongestKey = 200;  // in an error

// The columns that say which row it is, and which partition it goes to.
std::vector<bool> key_columns(const TablePlan& plan) {
  std::vector<bool> key(plan.data().columns.size());
  for (const std::uint16_t i : plan.schema().row_key()) key[i] = true;
  for (const std::uint16_t i : plan.data().partition_columns) key[i] = true;
  return key;
}

NulledColumns all_but_key(const TablePlan& plan) {
  NulledColumns nulled;
  nulled.data = key_columns(plan);
  nulled.data.flip();
  for (std::size_t i = 0; i < nulled.data.size(); ++i)
    if (plan.data().columns[i].hidden) nulled.data[i] = false;
  nulled.old = nulled.data;
  return nulled;
}

// `{"id":"8"}`
Result<std::string> key_text(const TablePlan& plan, std::span<const binlog::Cell> data,
                             std::span<const binlog::Cell> before) {
  const auto& key = plan.schema().row_key();
  if (key.empty()) return std::string("(the table has none)");
  std::vector<binlog::Cell> cells(plan.data().columns.size());
  for (const std::uint16_t i : key) cells[i] = cell_of(data, before, i);
  TextBuffer text;
  SLUICE_TRY(ImageWriter().append_image(plan, cells, {}, ImageWriter::Missing::leave_out, text));
  return std::string(text.view().substr(0, kLongestKey));
}

Error too_large(const TablePlan& plan, const std::string& key, const EncodedLine& row,
                std::size_t bytes, std::size_t most, std::string_view what) {
  return fatal(
      Errc::queue_message,
      "row " + row.first.to_string() + " with the key " + key + " makes a message of " +
          std::to_string(bytes) + " bytes, more than queue.max_message_bytes (" +
          std::to_string(most) + ")" + std::string(what) +
          ". Raise it, as far as max_message_size in rabbitmq.conf goes; or set "
          "queue.oversize: dead_letter or null_column; or leave out the table (filter), or "
          "the column (`columns` in `tables`), of " +
          plan.schema().database + "." + plan.schema().name);
}

}  // namespace

Status LineSink::oversize(const OversizeRow& row, LineEncoder&) {
  return fatal(Errc::internal, "nobody sees to a row of " + std::to_string(row.bytes) + " bytes");
}

// The row is the line's last, and does not fit.
Status RowsEncoder::add_large(std::uint32_t partition, const TablePlan& plan, ChangeKind kind,
                              std::uint8_t half, const Row& row, const LineContext& context,
                              LineSink& sink) {
  LineEncoder& line = encoders_[partition];
  if (line.rows() > 1) {
    line.drop_last();
    sink.take(partition, line);
    line.begin(plan, kind, half, context);
    SLUICE_TRY(line.add(row.index, row.data, row.before));
    if (line.message_bytes() <= limits_.most) return {};
  }
  OversizeRow large{partition, &plan, line.message_bytes(), 0};
  if (limits_.oversize == Oversize::dead_letter) {
    line.reset();
    const NulledColumns nulled = all_but_key(plan);
    letter_.begin(plan, kind, half, context);
    SLUICE_TRY(letter_.add(row.index, row.data, row.before, &nulled));
    return sink.oversize(large, letter_);
  }
  if (limits_.oversize == Oversize::null_column) {
    SLUICE_TRY(leave_values_out(line, plan, kind, half, row, context, large.left_out));
    if (line.message_bytes() <= limits_.most) {
      SLUICE_TRY(sink.oversize(large, line));
      sink.take(partition, line);  // the line tells what is left out: it is this row's own
      return {};
    }
  }
  SLUICE_TRY_ASSIGN(const std::string key, key_text(plan, row.data, row.before));
  TextBuffer text;
  return too_large(plan, key, line.finish(text), large.bytes, limits_.most,
                   large.left_out == 0 ? "" : ", even without its large values");
}

// Old values first: the row as it is now is what readers want.
Status RowsEncoder::leave_values_out(LineEncoder& line, const TablePlan& plan, ChangeKind kind,
                                     std::uint8_t half, const Row& row, const LineContext& context,
                                     std::size_t& left_out) const {
  ImageWriter::Sizes sizes;
  SLUICE_TRY(line.measure(row.data, row.before, sizes));
  const std::vector<bool> key = key_columns(plan);
  NulledColumns nulled{std::vector<bool>(key.size()), std::vector<bool>(key.size())};
  std::size_t bytes = line.message_bytes();
  const auto thin = [&](std::vector<std::size_t>& of, std::vector<bool>& out) {
    while (bytes > limits_.most) {
      const auto largest = std::max_element(of.begin(), of.end());
      if (largest == of.end() || *largest == 0) return;
      const auto i = static_cast<std::size_t>(largest - of.begin());
      // What stands for it: its name with the null, and in the list of those left out.
      const std::size_t instead = 2 * plan.data().columns[i].prefix_size + 8;
      if (!key[i] && *largest > instead) {
        out[i] = true;
        ++left_out;
        bytes -= *largest - instead;
      }
      *largest = 0;
    }
  };
  thin(sizes.old, nulled.old);
  thin(sizes.data, nulled.data);
  if (left_out == 0) return {};
  line.reset();
  line.begin(plan, kind, half, context);
  return line.add(row.index, row.data, row.before, &nulled);
}

// Whether all that comes of the row is a dead letter.
Result<bool> RowsEncoder::is_letter(const TablePlan& plan, ChangeKind kind, std::uint8_t half,
                                    const Row& row, const LineContext& context) {
  letter_.reset();
  letter_.begin(plan, kind, half, context);
  SLUICE_TRY(letter_.add(row.index, row.data, row.before));
  const bool large = letter_.message_bytes() > limits_.most;
  letter_.reset();
  return large;
}

}  // namespace sluice::event
