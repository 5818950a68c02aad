#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "sluice/base/job_ring.h"
#include "sluice/base/result.h"
#include "sluice/base/text_buffer.h"
#include "sluice/binlog/event.h"
#include "sluice/decode/binlog_file.h"
#include "sluice/decode/decoder.h"
#include "sluice/event/row_text.h"
#include "sluice/event/rows_encoder.h"
#include "sluice/event/table_plan.h"
#include "sluice/model/event_id.h"

namespace sluice::decode {

// One ROWS event to be encoded.
struct RowsItem {
  binlog::EventType type = binlog::EventType::unknown;
  const event::TablePlan* plan = nullptr;     // kept alive by Job::tables
  const binlog::RowLayout* layout = nullptr;  // format none: that is enough there
  Bytes body;                                 // into Job::chunk; empty when the event was copied
  std::size_t copy_at = 0, copy_size = 0;     // into Job::copies
  std::size_t gtid_at = 0, gtid_size = 0;     // into Job::gtids
  Seq seq;
  std::uint64_t id = 0;      // number of the ROWS event in this run
  std::uint64_t offset = 0;  // of the event in the file; of the outer event when it was inside one
  std::int64_t es_ms = 0;
};

// A stretch of input that one thread encodes by itself, and what comes of it.
struct Job {
  std::shared_ptr<Chunk> chunk;
  std::shared_ptr<const std::string> file;
  std::shared_ptr<const binlog::FormatDescription> format;
  std::vector<std::shared_ptr<const void>> tables;
  std::vector<RowsItem> items;
  TextBuffer copies;  // bodies of events that were unpacked
  std::string gtids;

  TextBuffer out;
  std::uint64_t rows = 0;
  std::uint64_t replaced_texts = 0;
  Status status;

  // Forgets everything, keeps the memory as long as it is not huge.
  void reset();
};

using JobRing = sluice::JobRing<Job>;

// Encodes jobs; each thread has one.
class JobEncoder final : private event::LineSink {
 public:
  explicit JobEncoder(const DecodeOptions& options);
  // Fills job.out, rows and status.
  void run(Job& job);

 private:
  void take(std::uint32_t partition, event::LineEncoder& line) override;
  Status encode(Job& job, const RowsItem& item);
  Status count_rows(Job& job, const RowsItem& item, const binlog::RowsEvent& rows);
  Status print_rows(Job& job, const RowsItem& item, const binlog::RowsEvent& rows);

  const DecodeOptions* options_;
  event::RowsEncoder encoder_;
  event::RowWriter row_writer_;
  binlog::RowCursor cursor_;
  binlog::RowImages images_;
  TextBuffer line_;
  Job* job_ = nullptr;
  std::uint64_t line_id_ = 0;
};

}  // namespace sluice::decode
