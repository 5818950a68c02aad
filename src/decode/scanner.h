#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include "sluice/base/result.h"
#include "sluice/binlog/control_events.h"
#include "sluice/binlog/event.h"
#include "sluice/binlog/unpacker.h"
#include "sluice/decode/binlog_file.h"
#include "sluice/decode/decoder.h"
#include "sluice/event/plan_cache.h"
#include "sluice/schema/catalog.h"

#include "decode/event_printer.h"
#include "decode/job.h"

namespace sluice::decode {

// Walks over the events of files, follows transactions and tables, and makes jobs of the ROWS
// events.  Belongs to one thread.
class Scanner {
 public:
  Scanner(const DecodeOptions& options, const SchemaOpener& schemas, DecodeSink& sink,
          JobRing& ring);

  // Begins a file: nothing of the one before holds, but the open transaction.
  void begin_file(std::string name);
  // Takes a chunk's events, those below `from` only as far as they tell how to read the others.
  // Errors: with file and offset.
  Status scan(const std::shared_ptr<Chunk>& chunk, std::uint64_t from);
  // The last event seen says that the file ends here (ROTATE, STOP).
  bool ended() const noexcept { return ended_; }
  // The file's FORMAT_DESCRIPTION says that a server has it open.
  bool in_use() const noexcept { return in_use_; }
  const DecodeTotals& totals() const noexcept { return totals_; }
  DecodeTotals& totals() noexcept { return totals_; }

 private:
  struct Group {
    bool open = false;
    bool in_transaction = false;  // BEGIN seen, or what stands for it
    std::uint64_t pos = 0;
    std::int64_t es_ms = 0;
    std::uint64_t events = 0;  // ROWS events seen
    std::string gtid;
  };

  Status on_event(const binlog::EventView& event);
  Status on_inner(const binlog::EventView& event);
  Status on_gtid(const binlog::EventView& event);
  Status on_query(const binlog::EventView& event);
  Status on_rows(const binlog::EventView& event);
  bool is_wanted_map(const binlog::EventView& event) const;
  Status print(const binlog::EventView& event, std::string_view table = {}, std::uint64_t rows = 0);
  Status check(const binlog::EventView& event) const;
  void open_group(const binlog::EventView& event);
  void close_group();
  Result<TableSchema> schema_of(const binlog::TableMap& map, const std::string& name);
  Result<event::PlanCache::Entry> make_entry(binlog::TableMap map);
  void note_old_temporals(const binlog::TableMap& map, const std::string& name);
  void note_once(const std::string& text);
  Job& job();

  const DecodeOptions* options_;
  const SchemaOpener* open_schemas_;  // until it has been called
  std::unique_ptr<schema::SchemaSource> schemas_;
  DecodeSink* sink_;
  JobRing* ring_;
  binlog::EventFramer framer_;
  binlog::EventUnpacker unpacker_;
  EventPrinter printer_;
  event::PlanCache tables_;
  event::PlanCache::Maker maker_;
  std::shared_ptr<const std::string> file_;
  std::uint64_t file_number_ = 0;
  std::shared_ptr<const binlog::FormatDescription> format_;
  std::shared_ptr<Chunk> chunk_;
  std::uint64_t offset_ = 0;  // of the event being looked at
  Group group_;
  std::uint64_t gtid_at_ = 0;  // of group_.gtid in the current job, where it stands already
  bool gtid_placed_ = false;
  bool ended_ = false, in_use_ = false;
  DecodeTotals totals_;
  std::uint64_t rows_events_ = 0;
  std::unordered_set<std::string> noted_;
};

}  // namespace sluice::decode
