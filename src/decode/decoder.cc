#include "sluice/decode/decoder.h"

#include "sluice/decode/binlog_file.h"

#include "decode/job.h"
#include "decode/scanner.h"

namespace sluice::decode {
namespace {

constexpr int kFollowWaitMs =
    1000;  // where the file system tells nothing of growth, it is looked at

// Chunks are used again once no job points into them.  All references are taken and dropped on the
// thread of decode().
class ChunkPool {
 public:
  std::shared_ptr<Chunk> take() {
    for (const auto& chunk : chunks_)
      if (chunk.use_count() == 1) return chunk;
    return chunks_.emplace_back(std::make_shared<Chunk>());
  }

 private:
  std::vector<std::shared_ptr<Chunk>> chunks_;
};

class Run {
 public:
  Run(const DecodeOptions& options, const SchemaOpener& schemas, DecodeSink& sink)
      : options_(&options),
        sink_(&sink),
        ring_(
            options.workers, "encode",
            [this]() -> JobRing::Work {
              return [encoder = std::make_shared<JobEncoder>(*options_)](Job& job) {
                encoder->run(job);
              };
            },
            [this](Job& job) { return done(job); }),
        scanner_(options, schemas, sink, ring_) {}

  Status file(const std::string& path, std::uint64_t from) {
    SLUICE_TRY_ASSIGN(BinlogFile file, BinlogFile::open(path));
    scanner_.begin_file(file.name());
    bool head = true;
    for (;;) {
      auto chunk = chunks_.take();
      auto more = file.read(*chunk);
      if (!more) return finish(std::move(more).error());
      if (!*more) {
        SLUICE_TRY(ring_.drain());
        if (!options_->follow || (scanner_.ended() && file.pending() == 0)) break;
        SLUICE_TRY(file.wait(kFollowWaitMs));
        continue;
      }
      if (Status s = scanner_.scan(chunk, from); !s.ok()) return finish(std::move(s).error());
      sink_->progress(file.name(), file.offset(), file.size(), scanner_.totals());
      // The head of the file tells how to read the rest.
      if (head && from > file.offset() && file.size() != 0) SLUICE_TRY(file.seek(from));
      head = false;
    }
    if (from > file.offset() + file.pending())
      return fatal(Errc::usage, file.name() + ": there is no position " + std::to_string(from) +
                                    ", the file ends at " + std::to_string(file.offset()));
    if (file.pending() != 0) return cut(file);
    return {};
  }

  const DecodeTotals& totals() const { return scanner_.totals(); }
  // What ended file(): a job's error is what stopped the rest.
  const Error& why(const Error& error) const { return ring_.failure() ? *ring_.failure() : error; }

 private:
  // What was read before the error is written before it is returned.
  Status finish(Error error) {
    if (error.cls == ErrorClass::stopped) return error;
    if (ring_.current().file) SLUICE_TRY(ring_.submit());
    SLUICE_TRY(ring_.drain());
    return error;
  }

  Error cut(const BinlogFile& file) const {
    return fatal(Errc::binlog_truncated,
                 file.name() + ":" + std::to_string(file.offset()) +
                     ": the file ends inside an event (" + std::to_string(file.pending()) +
                     " bytes of it are there); " +
                     (scanner_.in_use()
                          ? "it was not closed: a server still writes it (--follow waits for the "
                            "rest), or it stopped here"
                          : "the copy is not complete"));
  }

  Status done(Job& job) {
    scanner_.totals().rows += job.rows;
    scanner_.totals().replaced_texts += job.replaced_texts;
    return job.out.empty() ? Status{} : sink_->write(job.out.view());
  }

  const DecodeOptions* options_;
  DecodeSink* sink_;
  ChunkPool chunks_;
  JobRing ring_;
  Scanner scanner_;
};

}  // namespace

Result<DecodeTotals> decode(const std::vector<std::string>& paths, const DecodeOptions& options,
                            const SchemaOpener& schemas, DecodeSink& sink) {
  Run run(options, schemas, sink);
  std::uint64_t from = options.start_pos;
  for (const std::string& path : paths) {
    if (Status s = run.file(path, from); !s.ok()) return run.why(s.error());
    from = 0;
  }
  return run.totals();
}

}  // namespace sluice::decode
