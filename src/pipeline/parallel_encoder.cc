#include "pipeline/parallel_encoder.h"

#include <algorithm>
#include <utility>

#include "sluice/event/rows_encoder.h"

#include "pipeline/table_filter.h"

namespace sluice::pipeline {
namespace {

// Lines are two to four times as long as their events; what makes more of itself than this is not
// left to a thread.
constexpr std::size_t kMostText = 8;

// So that all jobs together, each with its lines, stay within the limit.
std::size_t bytes_of_a_job(const ParallelEncoder::Settings& s) {
  const std::size_t share = s.bytes / JobRing<EncodeJob>::count(s.threads) / (1 + kMostText);
  return std::min(s.job_bytes, share);
}

}  // namespace

void EncodeJob::reset() {
  items.clear();
  plans.clear();
  bodies.clear();
  text.clear();
  lines.clear();
  encoded = 0;
  rows = 0;
  status = {};
}

// Encodes jobs; each thread has one.
class ParallelEncoder::Encoder final : private event::LineSink {
 public:
  Encoder(const Settings& settings, std::size_t job_bytes)
      : encoder_(settings.partitions, settings.lines), most_text_(kMostText * job_bytes) {}

  void run(EncodeJob& job) {
    job_ = &job;
    large_row_ = false;
    for (const EncodeJob::Item& item : job.items) {
      if (job.text.size() > most_text_) return;
      const event::TablePlan& plan = *job.plans[item.plan];
      const std::size_t lines = job.lines.size(), text = job.text.size();
      if (Status s = encode(item, plan); !s.ok()) {
        if (large_row_) {  // what is done about it is no thread's business
          job.lines.resize(lines);
          job.text.truncate(text);
          return;
        }
        job.status = std::move(s).error().at(full_name(plan.map().database, plan.map().table));
        return;
      }
      ++job.encoded;
    }
  }

 private:
  Status encode(const EncodeJob::Item& item, const event::TablePlan& plan) {
    SLUICE_TRY(binlog::RowsEvent::decode(item.type, job_->body(item), job_->format, rows_));
    job_->context.seq.event = item.ordinal;
    SLUICE_TRY_ASSIGN(const std::uint64_t count,
                      encoder_.encode(plan, rows_, job_->context, *this));
    job_->rows += count;
    return {};
  }
  void take(std::uint32_t partition, event::LineEncoder& line) override {
    job_->lines.push_back({partition, line.finish(job_->text)});
  }

  Status oversize(const event::OversizeRow& row, event::LineEncoder& line) override {
    large_row_ = true;
    return LineSink::oversize(row, line);
  }

  event::RowsEncoder encoder_;
  const std::size_t most_text_;
  bool large_row_ = false;
  binlog::RowsEvent rows_;
  EncodeJob* job_ = nullptr;
};

ParallelEncoder::ParallelEncoder(const Settings& settings, Take take)
    : settings_(settings),
      job_bytes_(bytes_of_a_job(settings)),
      ring_(
          settings.threads, "encode",
          [this]() -> JobRing<EncodeJob>::Work {
            return [encoder = std::make_shared<Encoder>(settings_, job_bytes_)](EncodeJob& job) {
              encoder->run(job);
            };
          },
          [this, take = std::move(take)](EncodeJob& job) {
            Status s = take(job);
            // Buffers grow by doubling; what an uncommon event needed is not kept.
            if (job.text.capacity() > 2 * kMostText * job_bytes_) job.text.release();
            return s;
          }) {}

ParallelEncoder::~ParallelEncoder() = default;

Status ParallelEncoder::add(binlog::EventType type, Bytes body,
                            const binlog::FormatDescription& format,
                            const std::shared_ptr<const event::TablePlan>& plan,
                            const event::LineContext& context, std::uint64_t start) {
  if (ring_.current().bodies.size() + body.size() > job_bytes_) SLUICE_TRY(ring_.submit());
  EncodeJob& job = ring_.current();
  if (job.items.empty()) {
    job.format = format;
    job.context = context;
    job.gtid = context.gtid;
    job.context.gtid = job.gtid;
  }
  // The one used last is the likeliest.
  auto known = std::find(job.plans.rbegin(), job.plans.rend(), plan);
  if (known == job.plans.rend()) {
    job.plans.push_back(plan);
    known = job.plans.rbegin();
  }
  job.items.push_back({.type = type,
                       .plan = static_cast<std::uint32_t>(job.plans.rend() - known - 1),
                       .at = job.bodies.size(),
                       .size = body.size(),
                       .ordinal = context.seq.event,
                       .start = start});
  job.bodies.append(as_chars(body));
  busy_ = true;
  return {};
}

Status ParallelEncoder::finish() {
  if (!ring_.current().items.empty()) SLUICE_TRY(ring_.submit());
  SLUICE_TRY(ring_.drain());
  busy_ = false;
  return {};
}

}  // namespace sluice::pipeline
