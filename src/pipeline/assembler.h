#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "sluice/base/clock.h"
#include "sluice/base/result.h"
#include "sluice/binlog/control_events.h"
#include "sluice/binlog/event.h"
#include "sluice/binlog/rows.h"
#include "sluice/binlog/table_map.h"
#include "sluice/binlog/transaction_print.h"
#include "sluice/binlog/unpacker.h"
#include "sluice/config/options.h"
#include "sluice/event/plan_cache.h"
#include "sluice/event/rows_encoder.h"
#include "sluice/model/binlog_position.h"
#include "sluice/ops/counters.h"
#include "sluice/schema/catalog.h"

#include "pipeline/held_rows.h"
#include "pipeline/held_xa.h"
#include "pipeline/overlap.h"
#include "pipeline/parallel_encoder.h"
#include "pipeline/table_filter.h"
#include "pipeline/transaction.h"

namespace sluice::pipeline {

struct AssemblerSettings {
  std::uint32_t partitions = 16;
  std::size_t hold_bytes = 8u << 20;  // rows of a transaction held until its end
  std::size_t line_bytes = 1u << 20;  // a line is closed when it reaches this
  std::uint64_t inflated_bytes = std::uint64_t{16}
                                 << 30;  // that one transaction may inflate to; 0: no limit
  bool ignore_truncate = false;
  bool stop_at_content_ddl = false;
  bool publish_ddl = false;
  unsigned encode_threads = 0;  // that make lines beside the assembler's own; 0: none
  // Of a transaction's ROWS events so much is encoded by the assembler itself before the threads
  // get any: handing over costs a small one more than it saves.
  std::size_t encode_alone_bytes = std::size_t{64} << 10;
  std::size_t encode_job_bytes = std::size_t{64} << 10;  // most that a thread is given at once
  std::size_t message_bytes = std::size_t{16} << 20;  // no row may make a message larger than this
  event::Oversize oversize = event::Oversize::stop;   // what becomes of it
  event::RenderOptions render;
  // Tell a dead letter's key in Redis; outlive the assembler.  Null: letters have none.
  const Options* options = nullptr;
  event::LineLimits lines() const {
    return {.bytes = line_bytes, .rows = 0, .most = message_bytes, .oversize = oversize};
  }
};

// Where a dump begins.
struct DumpStart {
  BinlogPosition from;  // empty for a dump by GTID: its first ROTATE tells
  // What the file's FORMAT_DESCRIPTION must be; null when nothing is known.
  std::shared_ptr<const SourceFile> expected_file;
  std::shared_ptr<const SourceEpoch> epoch;  // null: the first
  // The server leaves transactions out that were read before: the position jumps over them.
  bool by_gtid = false;
  // A new epoch's beginning: the sink hears nothing of it before accept().
  bool tentative = false;
};

// Makes transactions out of binlog events: follows the position, groups events, encodes rows into
// lines by partition, hands whole transactions (or parts of large ones) to the sink.  What it does
// not understand and must not skip is an error with position and remedy.  Needs no connection:
// recorded packets drive it as well.  Belongs to one thread.
class Assembler final : private event::LineSink {
 public:
  Assembler(AssemblerSettings settings, const TableFilter& filter, schema::Catalog& catalog,
            TransactionSink& sink, HeldXa& held, ops::Counters& counters, const Clock& clock);

  // Before the events of a (new) dump: drops an unfinished transaction; what of it was streamed is
  // not sent again in the same epoch.
  void start(const DumpStart& start);
  // After a tentative start: what the tables are like is taken along to the place read so far.
  // Errors: the schema history's.
  Status take_schemas_along() { return catalog_->enter(place_here()); }
  void accept() noexcept { tentative_ = false; }
  // Waits until Redis has every row handed over; asked before rows of a table go by another key.
  void set_barrier(std::function<Status()> barrier) { barrier_ = std::move(barrier); }
  // What removes from Redis what rows of tables have become, which a statement at `at` takes away;
  // Redis has all that came before.  Without it such a statement is an error, or is passed over.
  using TableName = schema::Definitions::Name;
  using Empty = std::function<Status(const std::vector<TableName>& tables, const TransactionId& at,
                                     const std::string& gtid)>;
  void set_empty(Empty empty) { empty_ = std::move(empty); }
  // Rows that are sent already, to be dropped when the source brings them again.
  void set_overlap(Overlap overlap);
  // Takes one event.  Errors: fatal, with the position in the text; stopped from the sink.
  Status feed(const binlog::EventView& event, const binlog::FormatDescription* format);

  // End of the last whole transaction: where a new dump goes on.  No place beyond 4 GiB of a file:
  // a dump cannot begin there, so what comes again is passed over.
  const BinlogPosition& resume() const noexcept { return resume_; }
  std::shared_ptr<const SourceFile> resume_file() const noexcept { return resume_file_; }
  // No transaction is open.
  bool idle() const noexcept { return !group_.open; }
  // Timestamp of the last event read, seconds; 0 before the first.
  std::uint32_t last_timestamp() const noexcept { return last_timestamp_; }
  // Place read so far.
  BinlogPosition here() const { return {file_ ? file_->name : std::string(), pos_}; }
  schema::Place place_here() const { return {epoch_ ? epoch_->number : 1, here()}; }
  std::shared_ptr<const SourceFile> file() const noexcept { return file_; }
  const std::shared_ptr<const SourceEpoch>& epoch() const noexcept { return epoch_; }

 private:
  struct Group {
    bool open = false;
    bool in_transaction = false;  // BEGIN seen, or MariaDB's GTID that stands for it
    bool standalone = false;      // MariaDB: the next event is the whole group
    bool xa = false;              // its rows go to held_rows_, and wait there for its end
    bool streamed = false;        // part of it is with the sink already
    bool known = false;           // read before, from this server or another: passed over
    bool again = false;  // all of it is sent: it lies behind the place a dump could begin at
    TransactionId id;
    Gtid gtid;
    std::string gtid_text;
    std::int64_t es_ms = 0;
    std::int64_t commit_us = 0;
    std::uint64_t events = 0;  // ROWS events seen, filtered ones too
    std::size_t alone = 0;     // bytes of those encoded without the threads
  };
  struct Savepoint {
    std::string name;
    std::vector<std::uint64_t> overlap;
    std::vector<std::pair<std::size_t, std::size_t>> marks;  // per partition: lines, text size
    std::uint64_t rows = 0;
    std::size_t letters = 0;
    HeldRows::Mark held;
  };

  Status take(const binlog::EventView& event, const binlog::FormatDescription* format);
  // One event that holds no others.
  Status dispatch(const binlog::EventView& event, const binlog::FormatDescription& format);
  Status on_packed(const binlog::EventView& event, const binlog::FormatDescription& format);
  Status on_gtid_set(const binlog::EventView& event, const binlog::FormatDescription& format);
  Status advance(const binlog::EventView& event);
  Status on_format_description(const binlog::EventView& event,
                               const binlog::FormatDescription& format);
  Status on_rotate(const binlog::EventView& event);
  bool was_read(const Gtid& gtid);
  Status on_gtid(const binlog::EventView& event, const binlog::FormatDescription& format,
                 std::uint64_t start);
  Status on_query(const binlog::EventView& event, const binlog::FormatDescription& format,
                  std::uint64_t start);
  Status on_statement(const binlog::QueryEvent& query, const binlog::Statement& statement);
  Status on_dropped(const binlog::QueryEvent& query, const binlog::Statement& statement);
  Result<event::PlanCache::Entry> make_plan(binlog::TableMap map);
  Result<event::PlanCache::Entry> make_plan(binlog::TableMap map, TableSchema schema);
  void tell_unknown_columns(const event::PlanCache::Entry& entry);
  Status on_rows(const binlog::EventView& event, const binlog::FormatDescription& format);
  // XA transactions (assembler_xa.cc).
  Status begin_xa(const binlog::FormatDescription& format);
  Status on_xa(const binlog::QueryEvent& query, const binlog::FormatDescription& format);
  Status on_xa_prepare(const binlog::EventView& event);
  Status hold(const event::PlanCache::Entry& entry, std::uint64_t table_id,
              const binlog::EventView& event, std::uint64_t ordinal);
  Status send_prepared(const std::string& xid);
  Status send_held(Result<position::RecordReader> records);
  Status encode(const std::shared_ptr<const event::TablePlan>& plan, const binlog::RowsEvent& rows,
                std::uint64_t ordinal);
  // Whether the threads are to have an event of the open transaction.
  bool for_threads(std::size_t body_bytes) const noexcept;
  void take(std::uint32_t partition, event::LineEncoder& line) override;
  // Rows too large for a message (assembler_oversize.cc).
  Status oversize(const event::OversizeRow& row, event::LineEncoder& line) override;
  Result<queue::Letter> letter_of(const event::OversizeRow& row, event::LineEncoder& line) const;
  void say_oversize(const event::OversizeRow& row);
  // Lines are about to be added to it.
  PartitionLines& partition_of(std::uint32_t partition);
  event::LineContext& context_of(std::uint64_t ordinal);
  void keep(const std::shared_ptr<const event::TablePlan>& plan);
  void count_rows(std::uint64_t rows);
  Status stream_above_limit(std::uint64_t ordinal);
  // With threads that encode: takes what one of them made.
  Status take_job(EncodeJob& job);
  void open_group(std::uint32_t timestamp, std::uint64_t start);
  Status commit();
  Status abandon(std::string_view why);
  Status hand_over();
  void pass_to_here(const GtidSet* executed);
  void drop_rows();
  void savepoint(const std::string& name);
  Status rollback_to(const std::string& name);
  Status on_ddl(const binlog::QueryEvent& query, const binlog::Statement& statement,
                const binlog::FormatDescription& format);
  // Rows that are in Redis already (assembler_content.cc).  `rows_seen_to`: for those that went, it
  // is decided elsewhere what becomes of their keys.
  Status on_effects(const std::vector<schema::TableEffect>& effects, bool rows_seen_to);
  Status on_renamed(const schema::TableEffect& effect);
  Status content_changed(const std::string& table, const std::string& what) const;
  Status wait_until_applied(const std::string& table) const;
  Status publish(const schema::DdlStatement& ddl);
  Error at_position(Error error) const;
  Error unsupported(std::string what) const;

  const AssemblerSettings settings_;
  const TableFilter* filter_;
  schema::Catalog* catalog_;
  TransactionSink* sink_;
  ops::Counters* counters_;
  const Clock* clock_;

  Flavor flavor_ = Flavor::mysql;
  std::shared_ptr<const SourceFile> file_, expected_file_, resume_file_;
  std::uint64_t pos_ = 0;          // end of the last event read
  std::uint64_t event_start_ = 0;  // start of the event being read
  BinlogPosition resume_;
  BinlogPosition read_to_;  // end of the last whole transaction, when that is beyond resume_
  std::uint32_t last_timestamp_ = 0;
  binlog::EventUnpacker unpacker_;
  Group group_;
  // Of a transaction that was being streamed when its connection was lost: ROWS events below this
  // were handed over.
  TransactionId streamed_id_;
  std::uint64_t streamed_events_ = 0;
  std::vector<std::uint64_t> streamed_left_;  // of the overlap, behind them
  Overlap overlap_;
  std::shared_ptr<const SourceEpoch> epoch_;
  bool by_gtid_ = false, tentative_ = false;
  bool file_ended_ = false;  // its ROTATE was read
  bool cut_short_ = false;   // the file before it had none
  // MariaDB: domains of which this dump brought something new; the binlog's order is the truth
  // then.
  std::unordered_set<std::uint32_t> fresh_domains_;
  binlog::TransactionPrint print_;  // of the transaction at hand, when it has no GTID
  event::PlanCache tables_;
  event::PlanCache::Maker make_plan_;
  // What was told of: tables, and columns with their tables.
  std::unordered_set<std::string> keyless_, unknown_columns_;
  std::function<Status()> barrier_;
  Empty empty_;
  HeldXa* held_;
  HeldRows held_rows_;
  HeldTables held_tables_;
  TransactionBatch batch_;
  event::RowsEncoder encoder_;
  std::unique_ptr<ParallelEncoder> parallel_;  // null without threads that encode
  std::vector<Savepoint> savepoints_;
  std::uint64_t oversize_unsaid_ = 0;  // rows since the last line of the log
  std::optional<std::chrono::steady_clock::time_point> oversize_said_at_;
  event::LineContext context_;
};

}  // namespace sluice::pipeline
