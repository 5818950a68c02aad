#include "decode/job.h"

#include <algorithm>

#include "sluice/binlog/rows.h"

namespace sluice::decode {
namespace {

constexpr std::size_t kKeptBytes = std::size_t{8} << 20;

void empty(TextBuffer& text) {
  text.clear();
  if (text.capacity() > kKeptBytes) text.release();
}

Bytes body_of(const Job& job, const RowsItem& item) {
  return item.copy_size == 0 ? item.body
                             : as_bytes(job.copies.view().substr(item.copy_at, item.copy_size));
}

}  // namespace

void Job::reset() {
  chunk.reset();
  file.reset();
  format.reset();
  tables.clear();
  items.clear();
  empty(copies);
  gtids.clear();
  empty(out);
  rows = 0;
  replaced_texts = 0;
  status = {};
}

JobEncoder::JobEncoder(const DecodeOptions& options)
    : options_(&options),
      encoder_(std::max(options.partitions, std::uint32_t{1}), {.rows = options.rows_per_line}) {}

void JobEncoder::run(Job& job) {
  job_ = &job;
  const auto replaced_texts = [this] {
    return encoder_.replaced_texts() + row_writer_.replaced_texts();
  };
  const std::uint64_t replaced = replaced_texts();
  for (const RowsItem& item : job.items) {
    if (Status s = encode(job, item); !s.ok()) {
      job.status = std::move(s).error().at(*job.file + ":" + std::to_string(item.offset));
      break;
    }
  }
  job.replaced_texts += replaced_texts() - replaced;
  job_ = nullptr;
}

Status JobEncoder::encode(Job& job, const RowsItem& item) {
  binlog::RowsEvent rows;
  SLUICE_TRY(binlog::RowsEvent::decode(item.type, body_of(job, item), *job.format, rows));
  if (options_->format == OutputFormat::none) return count_rows(job, item, rows);
  if (options_->format == OutputFormat::rows) return print_rows(job, item, rows);
  line_id_ = item.id;
  event::LineContext context;
  context.seq = item.seq;
  context.gtid = std::string_view(job.gtids).substr(item.gtid_at, item.gtid_size);
  // Nothing waits here, so there is no time of encoding that would tell anything; the same file
  // gives the same lines.
  context.es_ms = context.ts_ms = item.es_ms;
  SLUICE_TRY_ASSIGN(const std::uint64_t count, encoder_.encode(*item.plan, rows, context, *this));
  job.rows += count;
  return {};
}

void JobEncoder::take(std::uint32_t, event::LineEncoder& line) {
  line_.clear();
  const event::EncodedLine done = line.finish(line_);
  event::append_line(job_->out, line_.view(), done, true, line_id_);
}

Status JobEncoder::count_rows(Job& job, const RowsItem& item, const binlog::RowsEvent& rows) {
  SLUICE_TRY(cursor_.restart(*item.layout, rows));
  for (;; ++job.rows) {
    SLUICE_TRY_ASSIGN(const bool more, cursor_.next(images_));
    if (!more) return {};
  }
}

Status JobEncoder::print_rows(Job& job, const RowsItem& item, const binlog::RowsEvent& rows) {
  SLUICE_TRY(cursor_.restart(item.plan->layout(), rows));
  event::RowPlace place;
  place.file = *job.file;
  place.offset = item.offset;
  place.event = item.seq.event;
  place.gtid = std::string_view(job.gtids).substr(item.gtid_at, item.gtid_size);
  place.es_ms = item.es_ms;
  for (;; ++place.row, ++job.rows) {
    SLUICE_TRY_ASSIGN(const bool more, cursor_.next(images_));
    if (!more) return {};
    const std::size_t whole = job.out.size();
    if (Status s = row_writer_.append(job.out, *item.plan, rows.kind, images_, place); !s.ok()) {
      job.out.truncate(whole);
      return s;
    }
  }
}

}  // namespace sluice::decode
