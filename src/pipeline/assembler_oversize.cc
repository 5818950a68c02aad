// The part of the assembler that sees to rows too large for a message.
#include <utility>

#include "sluice/base/log.h"
#include "sluice/event/line_reader.h"
#include "sluice/mapping/mapper.h"

#include "pipeline/assembler.h"

namespace sluice::pipeline {
namespace {

constexpr std::chrono::seconds kSayEvery{10};
constexpr std::size_t kLongestKey = 8192;  // headers must fit into one AMQP frame

// The Redis key that the line's row has, if it can be told.
std::string redis_key(std::string_view line, const AssemblerSettings& settings) {
  if (settings.options == nullptr) return {};
  event::LineReader reader(settings.render.binary_base64);
  reader.open(line);
  const auto view = reader.next();
  if (!view || *view == nullptr || (*view)->rows.empty()) return {};
  ChangeView row = **view;
  row.kind = ChangeKind::insert;  // a key it has, whatever became of the row
  std::vector<mapping::TouchedKey> keys;
  mapping::Mapper mapper(*settings.options);
  if (!mapper.append_keys(row, row.rows.front(), keys).ok() || keys.empty()) return {};
  return keys.front().key.substr(0, kLongestKey);
}

}  // namespace

Status Assembler::oversize(const event::OversizeRow& row, event::LineEncoder& line) {
  ops::add_alone(counters_->oversize_rows, 1);
  ops::add_alone(counters_->values_left_out, row.left_out);
  if (settings_.oversize == event::Oversize::dead_letter) {
    SLUICE_TRY_ASSIGN(queue::Letter letter, letter_of(row, line));
    batch_.bytes += letter.body.size();
    batch_.letters.push_back(
        {row.partition, batch_.partitions[row.partition].lines.size(), std::move(letter)});
  }
  say_oversize(row);
  return {};
}

Result<queue::Letter> Assembler::letter_of(const event::OversizeRow& row,
                                           event::LineEncoder& line) const {
  TextBuffer text, body;
  const event::EncodedLine done = line.finish(text);
  event::append_line(body, text.view(), done, true, 0);
  queue::Letter letter;
  letter.reason = "oversize";
  letter.error = "the row makes a message of " + std::to_string(row.bytes) +
                 " bytes, more than queue.max_message_bytes (" +
                 std::to_string(settings_.message_bytes) + "); the letter has its key only";
  letter.file = file_ ? file_->name : std::string();
  letter.pos = done.first.pos;
  letter.gtid = group_.gtid_text;
  letter.table = row.plan->schema().database + "." + row.plan->schema().name;
  letter.key = redis_key(body.view(), settings_);
  letter.id = done.first;
  letter.partition = row.partition;
  letter.commit_us = group_.es_ms * 1000;
  letter.refused_us = clock_->wall_us();
  letter.body = std::string(body.view());
  return letter;
}

// A table of which every row is too large must not fill the log.
void Assembler::say_oversize(const event::OversizeRow& row) {
  ++oversize_unsaid_;
  const auto now = clock_->steady();
  if (oversize_said_at_ && now - *oversize_said_at_ < kSayEvery) return;
  const char* const what = settings_.oversize == event::Oversize::dead_letter
                               ? "row too large for a message, a dead letter instead"
                               : "row too large for a message, its largest values are left out";
  log::get("pipeline")
      .warn("{} (queue.oversize) table={}.{} pos={} bytes={} left_out={} count={}", what,
            row.plan->schema().database, row.plan->schema().name, here().to_string(), row.bytes,
            row.left_out, oversize_unsaid_);
  oversize_unsaid_ = 0;
  oversize_said_at_ = now;
}

}  // namespace sluice::pipeline
