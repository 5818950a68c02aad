#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "sluice/base/job_ring.h"
#include "sluice/base/result.h"
#include "sluice/base/text_buffer.h"
#include "sluice/binlog/event.h"
#include "sluice/event/rows_encoder.h"
#include "sluice/event/table_plan.h"

namespace sluice::pipeline {

// A stretch of ROWS events of one transaction, and the lines they make.
struct EncodeJob {
  struct Item {
    binlog::EventType type = binlog::EventType::unknown;
    std::uint32_t plan = 0;        // in `plans`
    std::size_t at = 0, size = 0;  // of the body, in `bodies`
    std::uint64_t ordinal = 0;
    std::uint64_t start = 0;  // of the event in the file
  };
  // Filled by the source's thread.
  std::vector<Item> items;
  std::vector<std::shared_ptr<const event::TablePlan>> plans;  // each once
  TextBuffer bodies;
  binlog::FormatDescription format;
  event::LineContext context;
  std::string gtid;  // that the context views

  // What comes of it.
  struct Line {
    std::uint32_t partition = 0;
    event::EncodedLine line;
  };
  TextBuffer text;
  std::vector<Line> lines;
  std::size_t encoded = 0;  // items that `lines` are of; the others are too much for a job
  std::uint64_t rows = 0;
  Status status;  // of items[encoded], with its table

  Bytes body(const Item& item) const { return as_bytes(bodies.view().substr(item.at, item.size)); }
  void reset();
};

// Makes lines of the ROWS events of a transaction on threads of its own, and gives them back in the
// order of the events.  Belongs to the source's thread.
class ParallelEncoder {
 public:
  struct Settings {
    unsigned threads = 1;  // > 0
    std::uint32_t partitions = 16;
    event::LineLimits lines{};
    std::size_t job_bytes = std::size_t{64} << 10;  // most of one job's events
    std::size_t bytes = std::size_t{8} << 20;       // most of all jobs, events and lines
  };
  // Gets the jobs in order, those that failed, too.
  using Take = std::function<Status(EncodeJob&)>;
  ParallelEncoder(const Settings& settings, Take take);
  ~ParallelEncoder();
  ParallelEncoder(const ParallelEncoder&) = delete;
  ParallelEncoder& operator=(const ParallelEncoder&) = delete;

  // False: an event with a body of this size is too large for a job.
  bool holds(std::size_t body_bytes) const noexcept { return body_bytes <= job_bytes_; }
  // Adds an event that it holds; its body is copied.  `context.seq` is that of the event.  Errors:
  // of `take`.
  Status add(binlog::EventType type, Bytes body, const binlog::FormatDescription& format,
             const std::shared_ptr<const event::TablePlan>& plan, const event::LineContext& context,
             std::uint64_t start);
  // Until all that was added has been taken.  Costs next to nothing when nothing was.  Errors: of
  // `take`.
  Status settle() { return busy_ ? finish() : Status(); }
  // Forgets all that was added.
  void drop() {
    ring_.drop();
    busy_ = false;
  }

 private:
  class Encoder;
  Status finish();

  const Settings settings_;
  const std::size_t job_bytes_;
  bool busy_ = false;  // something was added that may not have been taken
  JobRing<EncodeJob> ring_;
};

}  // namespace sluice::pipeline
