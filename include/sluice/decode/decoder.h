#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/base/result.h"
#include "sluice/binlog/event.h"
#include "sluice/binlog/unpacker.h"
#include "sluice/config/pattern.h"
#include "sluice/event/table_plan.h"
#include "sluice/schema/catalog.h"

namespace sluice::decode {

enum class OutputFormat : std::uint8_t {
  canal,   // FlatMessage lines, as the queue carries them, each with its types
  rows,    // one JSON line per row, both images
  events,  // one line per event
  none,    // nothing: the file is only verified
};

struct DecodeOptions {
  OutputFormat format = OutputFormat::canal;
  bool json_events = false;  // format events: JSON instead of columns of text
  bool verify_checksums = true;
  bool follow = false;              // at the end of a file wait for more, until it is rotated
  std::uint64_t start_pos = 0;      // in the first file; where an event begins
  std::optional<Pattern> tables;    // "database.table" of the tables wanted; none: all
  std::uint32_t partitions = 0;     // format canal: lines by partition; 0: a line per event
  std::uint64_t rows_per_line = 0;  // format canal; 0: no limit
  unsigned workers = 0;             // threads that encode; 0: the caller's own
  event::RenderOptions render;
  binlog::UnpackLimits unpack;
};

struct DecodeTotals {
  std::uint64_t files = 0, bytes = 0, events = 0, rows = 0;
  std::uint64_t replaced_texts = 0;  // values whose bad bytes became U+FFFD
};

// Where the output goes and who is told how far it is.  Called from the thread of decode().
class DecodeSink {
 public:
  DecodeSink() = default;
  DecodeSink(const DecodeSink&) = delete;
  DecodeSink& operator=(const DecodeSink&) = delete;
  virtual ~DecodeSink() = default;
  // Errors: fatal/io; stopped when nobody reads any more.
  virtual Status write(std::string_view text) = 0;
  // `size`: of the file, 0 when not known.
  virtual void progress(const std::string& file, std::uint64_t offset, std::uint64_t size,
                        const DecodeTotals& totals) = 0;
  // Something the user should know that is no error: once for each thing.
  virtual void note(const std::string& text) = 0;
};

// Opens what tells how tables look, once the first file's FORMAT_DESCRIPTION has told which server
// wrote it.  Null: nothing does.
using SchemaOpener =
    std::function<Result<std::unique_ptr<schema::SchemaSource>>(const binlog::FormatDescription&)>;

// Decodes binlog files without a server.  `schemas` may be empty.  A table that they do not know is
// read as its TABLE_MAP alone tells it: columns without names are @1, @2 ...  Everything before an
// error has been written when it is returned.  Errors: those of BinlogFile, EventFramer,
// EventUnpacker, the decoders and TablePlan, with file and offset; fatal/schema_mismatch; those of
// `schemas`; stopped from the sink.
Result<DecodeTotals> decode(const std::vector<std::string>& paths, const DecodeOptions& options,
                            const SchemaOpener& schemas, DecodeSink& sink);

}  // namespace sluice::decode
