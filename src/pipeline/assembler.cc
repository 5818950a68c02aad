#include "pipeline/assembler.h"

#include <algorithm>

#include "sluice/base/log.h"

namespace sluice::pipeline {
namespace {

// Lines of a transaction too large to hold go to the sink in pieces of about this size.
constexpr std::size_t kStreamBytes = 256u << 10;
// Keys of the applied records and the watermark: sluice:<instance>:...
constexpr std::string_view kOwnPrefix = "sluice";

std::string table_name(std::string_view database, std::string_view table) {
  std::string name(database);
  name += '.';
  name += table;
  return name;
}

// Savepoints are named without regard to case.
bool same_name(std::string_view a, std::string_view b) {
  const auto fold = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return fold(x) == fold(y); });
}

// The word after "XA", upper case; "" when there is none.
std::string xa_verb(std::string_view statement) {
  const auto is_space = [](char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; };
  std::size_t at = statement.find_first_of("xX");
  if (at == std::string_view::npos) return {};
  at += 2;
  while (at < statement.size() && is_space(statement[at])) ++at;
  std::string verb;
  for (; at < statement.size() && !is_space(statement[at]); ++at)
    verb += statement[at] >= 'a' && statement[at] <= 'z' ? static_cast<char>(statement[at] - 32)
                                                         : statement[at];
  return verb;
}

}  // namespace

Assembler::Assembler(AssemblerSettings settings, const TableFilter& filter,
                     schema::Catalog& catalog, TransactionSink& sink, ops::Counters& counters,
                     const Clock& clock)
    : settings_(settings),
      filter_(&filter),
      catalog_(&catalog),
      sink_(&sink),
      counters_(&counters),
      clock_(&clock),
      encoders_(settings.partitions) {
  batch_.partitions.resize(settings_.partitions);
}

void Assembler::start(const BinlogPosition& from, std::shared_ptr<const SourceFile> expected_file) {
  drop_rows();
  group_ = {};
  tables_.clear();
  file_.reset();
  expected_file_ = std::move(expected_file);
  pos_ = from.pos;
  resume_ = from;
  resume_file_ = expected_file_;
}

Error Assembler::at_position(Error error) const {
  const std::string where = file_ ? file_->name : resume_.file;
  error.what = "at " + where + ":" + std::to_string(event_start_) + ": " + error.what;
  return error;
}

Error Assembler::unsupported(std::string what) const {
  return fatal(Errc::pipeline_unsupported, std::move(what));
}

Status Assembler::feed(const binlog::EventView& event, const binlog::FormatDescription* format) {
  using binlog::EventType;
  counters_->events_read.fetch_add(1, std::memory_order_relaxed);
  counters_->bytes_read.fetch_add(event.whole.size(), std::memory_order_relaxed);
  const EventType type = event.header.type;
  event_start_ = pos_;
  const auto run = [&]() -> Status {
    if (type == EventType::rotate) return on_rotate(event);
    if (type == EventType::heartbeat || type == EventType::heartbeat_v2) return {};
    if (format == nullptr)
      return fatal(Errc::binlog_malformed,
                   std::string(binlog::event_type_name(type)) + " before FORMAT_DESCRIPTION");
    flavor_ = format->flavor;
    SLUICE_TRY(advance(event));
    if (event.header.timestamp != 0) last_timestamp_ = event.header.timestamp;
    switch (type) {
      case EventType::format_description: return on_format_description(event, *format);
      case EventType::gtid:
      case EventType::anonymous_gtid:
      case EventType::gtid_tagged:
      case EventType::mariadb_gtid: return on_gtid(event, *format, event_start_);
      case EventType::query: return on_query(event, *format, event_start_);
      case EventType::xid: SLUICE_TRY(binlog::XidEvent::decode(event.body)); return commit();
      case EventType::table_map: return on_table_map(event, *format);
      case EventType::xa_prepare: return on_xa_prepare(event);
      case EventType::incident: {
        SLUICE_TRY_ASSIGN(const auto incident, binlog::IncidentEvent::decode(event.body));
        return fatal(Errc::binlog_unsupported,
                     "INCIDENT " + std::to_string(incident.number) + " (" +
                         std::string(incident.message) +
                         "): the source says that its binlog has a hole here. Rows may be missing: "
                         "compare the tables, then go on behind it with `sluice position set`");
      }
      // Known, and nothing in them for us.  INTVAR, RAND and USER_VAR belong to a statement that
      // follows as QUERY.
      case EventType::previous_gtids:
      case EventType::gtid_list: {
        if (group_.open || event.header.artificial()) return {};
        if ((type == EventType::gtid_list) != (flavor_ == Flavor::mariadb))
          return fatal(Errc::binlog_malformed, std::string(binlog::event_type_name(type)) +
                                                   " in a binlog of " + format->server_version);
        SLUICE_TRY_ASSIGN(const GtidSet executed,
                          binlog::decode_gtid_set_event(event.header, event.body));
        resume_ = here();
        resume_file_ = file_;
        sink_->complete({file_, pos_, {}, 0, &executed});
        return {};
      }
      case EventType::stop:
      case EventType::intvar:
      case EventType::rand:
      case EventType::user_var:
      case EventType::ignorable:
      case EventType::rows_query:
      case EventType::annotate_rows:
      case EventType::binlog_checkpoint:
      case EventType::transaction_context:
      case EventType::large_transaction_header: return {};
      case EventType::view_change:
        return group_.open && !group_.in_transaction ? commit() : Status{};
      case EventType::begin_load_query:
      case EventType::execute_load_query:
      case EventType::append_block:
      case EventType::delete_file:
        return unsupported(
            "LOAD DATA in statement format: its rows are not in the binlog. Set binlog_format = "
            "ROW for every session (SET GLOBAL binlog_format = 'ROW'), reload the table, then go "
            "on behind it with `sluice position set`");
      default: break;
    }
    if (binlog::is_rows_event(type)) return on_rows(event, *format);
    if (event.header.ignorable()) return {};
    return fatal(Errc::binlog_unsupported,
                 "event type " + std::to_string(static_cast<int>(type)) + " (" +
                     std::string(binlog::event_type_name(type)) + "), " +
                     std::to_string(event.whole.size()) +
                     " bytes: not known to this version and not marked as ignorable");
  };
  if (Status s = run(); !s.ok()) {
    Error error = std::move(s).error();
    return error.cls == ErrorClass::stopped ? error : at_position(std::move(error));
  }
  return {};
}

// Keeps our own count of the position.  log_pos, where an event has one, must agree with it modulo
// 2^32; events that the server made up for the stream carry none.
Status Assembler::advance(const binlog::EventView& event) {
  const auto& h = event.header;
  if (h.artificial()) return {};
  if (h.type == binlog::EventType::format_description && h.log_pos == 0) return {};
  const std::uint64_t end = pos_ + event.whole.size();
  if (h.log_pos != 0 && static_cast<std::uint32_t>(end) != h.log_pos)
    return fatal(Errc::binlog_malformed, std::string(binlog::event_type_name(h.type)) + " of " +
                                             std::to_string(event.whole.size()) +
                                             " bytes says it ends at " + std::to_string(h.log_pos) +
                                             ", counted " + std::to_string(end) +
                                             ": events are missing in the stream");
  pos_ = end;
  return {};
}

Status Assembler::on_rotate(const binlog::EventView& event) {
  SLUICE_TRY_ASSIGN(const auto rotate, binlog::RotateEvent::decode(event.body));
  if (!event.header.artificial()) SLUICE_TRY(advance(event));
  SLUICE_TRY_ASSIGN(const auto name, BinlogFileName::parse(rotate.next_file));
  if (file_ && file_->name == rotate.next_file && pos_ == rotate.pos) return {};  // said twice
  auto next = std::make_shared<SourceFile>();
  next->name = rotate.next_file;
  next->number = name.number;
  file_ = std::move(next);
  pos_ = rotate.pos;
  return {};
}

Status Assembler::on_format_description(const binlog::EventView& event,
                                        const binlog::FormatDescription& format) {
  if (!file_) return fatal(Errc::binlog_malformed, "FORMAT_DESCRIPTION before any ROTATE");
  auto named = std::make_shared<SourceFile>(*file_);
  named->timestamp = format.timestamp;
  named->fingerprint = format.fingerprint;
  if (expected_file_ && expected_file_->name == named->name &&
      (expected_file_->timestamp != named->timestamp ||
       expected_file_->fingerprint != named->fingerprint))
    return fatal(Errc::mysql_identity,
                 named->name +
                     " on the source is not the file that was read before under this "
                     "name: its binlog was reset, or it is another server. Start anew "
                     "from a known state: `sluice reset`, then set source.start");
  file_ = std::move(named);
  const bool repeated = event.header.log_pos == 0;
  if (group_.open && !repeated) SLUICE_TRY(abandon("its binlog file ended inside it"));
  tables_.clear();
  // A whole file read: the restart point may enter the next one, so that the old one can be purged.
  // At a first start this is also where the file's identity becomes known.
  if (!group_.open && (!repeated || !resume_file_)) {
    resume_ = here();
    resume_file_ = file_;
    sink_->complete({file_, pos_, {}, 0, nullptr});
  }
  return {};
}

void Assembler::open_group(std::uint32_t timestamp, std::uint64_t start) {
  group_ = {};
  group_.open = true;
  group_.id = {settings_.epoch, file_ ? file_->number : 0, start};
  group_.es_ms = std::int64_t{timestamp} * 1000;
  // Second-granular sources: the commit was in that second and before now.
  const std::int64_t second_end = std::int64_t{timestamp} * 1'000'000 + 999'999;
  group_.commit_us =
      std::min(second_end, std::max(clock_->wall_us(), std::int64_t{timestamp} * 1'000'000));
  group_.streamed = group_.id == streamed_id_ && streamed_events_ != 0;
  savepoints_.clear();
}

Status Assembler::on_gtid(const binlog::EventView& event, const binlog::FormatDescription& format,
                          std::uint64_t start) {
  SLUICE_TRY_ASSIGN(auto gtid, binlog::GtidEvent::decode(event.header, event.body, format));
  if (group_.open) {
    if (group_.in_transaction)
      return fatal(Errc::binlog_malformed,
                   "a transaction begins inside another one, which began at " +
                       std::to_string(group_.id.pos));
    SLUICE_TRY(commit());  // a group of nothing but ignorable events
  }
  open_group(event.header.timestamp, start);
  group_.gtid_text = gtid_to_string(gtid.gtid);
  group_.gtid = std::move(gtid.gtid);
  if (gtid.immediate_commit_us != 0) {
    group_.commit_us = gtid.immediate_commit_us;
    group_.es_ms = gtid.immediate_commit_us / 1000;
  }
  group_.standalone = gtid.standalone;
  group_.prepared_xa = gtid.prepared_xa;
  group_.completed_xa = gtid.completed_xa;
  // MariaDB's GTID stands for BEGIN.
  group_.in_transaction = format.flavor == Flavor::mariadb && !gtid.standalone;
  return {};
}

Status Assembler::on_query(const binlog::EventView& event, const binlog::FormatDescription& format,
                           std::uint64_t start) {
  SLUICE_TRY_ASSIGN(const auto query, binlog::QueryEvent::decode(event.body, format));
  const binlog::Statement statement = binlog::classify_statement(query.statement, query.sql_mode);
  switch (statement.kind) {
    case binlog::StatementKind::begin:
      if (!group_.open) open_group(event.header.timestamp, start);
      group_.in_transaction = true;
      return {};
    case binlog::StatementKind::commit: return commit();
    case binlog::StatementKind::rollback: {
      SLUICE_TRY(abandon("it ends in ROLLBACK"));
      group_.open = true;  // the group itself is read to its end: its GTID counts as executed
      return commit();
    }
    case binlog::StatementKind::savepoint: savepoint(statement.name); return {};
    case binlog::StatementKind::rollback_to: return rollback_to(statement.name);
    case binlog::StatementKind::create_select: forget_schemas(); return {};
    default: break;
  }
  SLUICE_TRY(on_statement(query, statement));
  if (!group_.open) open_group(event.header.timestamp, start);
  if (!group_.in_transaction || group_.standalone) return commit();
  return {};
}

Status Assembler::on_statement(const binlog::QueryEvent& query,
                               const binlog::Statement& statement) {
  switch (statement.kind) {
    case binlog::StatementKind::xa: {
      const std::string verb = xa_verb(query.statement);
      if (verb == "START" || verb == "BEGIN") {
        group_.in_transaction = true;
      } else if (verb == "COMMIT") {
        return unsupported(
            "XA COMMIT: rows of prepared XA transactions are not held yet, so those of this one "
            "would be lost. Compare the tables it wrote, then go on behind it with `sluice "
            "position set`");
      } else if (verb == "ROLLBACK") {
        group_.in_transaction = false;
      }
      return {};
    }
    case binlog::StatementKind::dml:
      return unsupported(
          "a change in statement format (database \"" + std::string(query.database) +
          "\"): its rows are not in the binlog. Set binlog_format = ROW for every session (SET "
          "GLOBAL binlog_format = 'ROW'), compare the tables, then go on behind it with `sluice "
          "position set`");
    case binlog::StatementKind::ddl_table: forget_schemas(); return {};
    case binlog::StatementKind::truncate:
    case binlog::StatementKind::drop: forget_schemas(); return on_dropped(query, statement);
    default: return {};
  }
}

Status Assembler::on_dropped(const binlog::QueryEvent& query, const binlog::Statement& statement) {
  std::string victim;
  if (!statement.tables_known) {
    victim = "a table (the statement could not be read)";
  } else {
    for (const auto& [database, table] : statement.tables) {
      const std::string_view db = database.empty() ? query.database : std::string_view(database);
      if (table.empty() ? filter_->may_take_from(db) : filter_->takes(db, table)) {
        victim = table.empty() ? "database " + std::string(db) : table_name(db, table);
        break;
      }
    }
  }
  if (victim.empty()) return {};
  const std::string_view verb =
      statement.kind == binlog::StatementKind::truncate ? "TRUNCATE" : "DROP";
  if (settings_.ignore_truncate) {
    log::get("pipeline")
        .warn("{} of {} ignored, its keys stay in Redis pos={}", verb, victim, here().to_string());
    return {};
  }
  return unsupported(std::string(verb) + " of " + victim +
                     ": its keys would stay in Redis. Set applier.on_truncate: ignore to leave "
                     "them there and go on, or remove them by hand and go on behind it with "
                     "`sluice position set`");
}

void Assembler::forget_schemas() {
  tables_.clear();
  catalog_->forget();
}

Status Assembler::on_xa_prepare(const binlog::EventView& event) {
  SLUICE_TRY_ASSIGN(const auto prepare, binlog::XaPrepareEvent::decode(event.body));
  if (prepare.one_phase) return commit();
  if (batch_.empty() && !group_.streamed) return commit();
  return unsupported("XA PREPARE of " + prepare.xid +
                     ": rows of prepared XA transactions are not held yet. Commit it in one phase, "
                     "or compare the tables it wrote after its XA COMMIT and go on behind that "
                     "with `sluice position set`");
}

Status Assembler::on_table_map(const binlog::EventView& event,
                               const binlog::FormatDescription& format) {
  ByteReader head(event.body);
  const std::uint64_t id =
      format.post_header(binlog::EventType::table_map) == 6 ? head.le<4>() : head.le<6>();
  if (!head.ok()) return fatal(Errc::binlog_truncated, "TABLE_MAP");
  const std::string_view body = as_chars(event.body);
  TableEntry& entry = tables_[id];
  if (entry.body == body) return {};  // the same table again: the plan holds
  SLUICE_TRY_ASSIGN(auto map, binlog::TableMap::decode(event.body, format));
  entry.plan.reset();
  entry.name = table_name(map.database, map.table);
  if (filter_->takes(map.database, map.table)) {
    if (map.database == kOwnPrefix)
      return unsupported("database \"" + map.database +
                         "\" is taken by the filter, but Redis keys that begin with it are "
                         "Sluice's own: put it into filter.exclude");
    const auto rule = filter_->rule(map.database, map.table);
    auto schema = catalog_->resolve(map, format.flavor);
    if (!schema) return std::move(schema).error();
    auto plan =
        event::TablePlan::make(std::move(map), std::move(schema).value(), rule, settings_.render);
    if (!plan) return std::move(plan).error();
    entry.plan = std::move(plan).value();
  }
  entry.body = body;  // last: a map that failed is looked at again
  return {};
}

Status Assembler::on_rows(const binlog::EventView& event, const binlog::FormatDescription& format) {
  SLUICE_TRY_ASSIGN(const auto rows,
                    binlog::RowsEvent::decode(event.header.type, event.body, format));
  const auto it = tables_.find(rows.table_id);
  // The dummy's number may be a real table's too: servers do not leave it out.
  if (rows.table_id == binlog::TableMap::kDummyId && it == tables_.end() && rows.rows.empty())
    return {};
  if (!group_.open)
    return fatal(Errc::binlog_malformed, std::string(binlog::event_type_name(event.header.type)) +
                                             " outside a transaction");
  if (it == tables_.end())
    return fatal(Errc::binlog_malformed, "rows of table id " + std::to_string(rows.table_id) +
                                             ", which no TABLE_MAP has named");
  const std::uint64_t ordinal = group_.events++;
  const TableEntry& entry = it->second;
  if (!entry.plan) return {};
  if (group_.id == streamed_id_ && ordinal < streamed_events_) return {};  // handed over before
  if (Status s = encode(entry.plan, rows, ordinal); !s.ok()) {
    for (const std::uint32_t p : open_) encoders_[p].reset();
    open_.clear();
    return std::move(s).error().at(entry.name);
  }
  if (batch_.bytes > settings_.hold_bytes || (group_.streamed && batch_.bytes > kStreamBytes)) {
    if (!group_.streamed)
      log::get("pipeline")
          .debug("transaction too large to hold, streaming id={}.{}.{}", group_.id.epoch,
                 group_.id.file, group_.id.pos);
    group_.streamed = true;
    streamed_id_ = group_.id;
    SLUICE_TRY(hand_over());
    streamed_events_ = ordinal + 1;
  }
  return {};
}

Status Assembler::encode(const std::shared_ptr<const event::TablePlan>& shared,
                         const binlog::RowsEvent& rows, std::uint64_t ordinal) {
  const event::TablePlan& plan = *shared;
  if (std::find(batch_.plans.begin(), batch_.plans.end(), shared) == batch_.plans.end())
    batch_.plans.push_back(shared);  // lines point to it
  SLUICE_TRY_ASSIGN(auto cursor, binlog::RowCursor::open(plan.map(), rows));
  context_.seq = {group_.id.epoch, group_.id.file, group_.id.pos, ordinal, 0};
  context_.gtid = group_.gtid_text;
  context_.es_ms = group_.es_ms;
  context_.ts_ms = clock_->wall_us() / 1000;
  const bool by_row = plan.partitioned_by_row();
  std::uint32_t partition = 0;
  for (std::uint64_t row = 0;; ++row) {
    SLUICE_TRY_ASSIGN(const bool more, cursor.next(images_));
    if (!more) {
      counters_->rows_read.fetch_add(row, std::memory_order_relaxed);
      batch_.rows += row;
      break;
    }
    const auto& key_image = rows.kind == binlog::RowsKind::insert ? images_.after : images_.before;
    if (by_row || row == 0) {
      SLUICE_TRY_ASSIGN(partition, plan.partition(key_image, settings_.partitions, scratch_));
    }
    switch (rows.kind) {
      case binlog::RowsKind::insert:
        SLUICE_TRY(put(partition, plan, ChangeKind::insert, 0, row, images_.after, {}));
        break;
      case binlog::RowsKind::remove:
        SLUICE_TRY(put(partition, plan, ChangeKind::remove, 0, row, images_.before, {}));
        break;
      case binlog::RowsKind::update:
        if (by_row && plan.partition_key_changed(images_.before, images_.after)) {
          SLUICE_TRY(put(partition, plan, ChangeKind::remove, 0, row, images_.before, {}));
          SLUICE_TRY_ASSIGN(
              const std::uint32_t target,
              plan.partition(images_.after, images_.before, settings_.partitions, scratch_));
          SLUICE_TRY(put(target, plan, ChangeKind::insert, 1, row, images_.after, images_.before));
        } else {
          SLUICE_TRY(
              put(partition, plan, ChangeKind::update, 0, row, images_.after, images_.before));
        }
        break;
    }
  }
  close_lines();
  return {};
}

Status Assembler::put(std::uint32_t partition, const event::TablePlan& plan, ChangeKind kind,
                      std::uint8_t half, std::uint64_t row, std::span<const binlog::Cell> data,
                      std::span<const binlog::Cell> before) {
  event::LineEncoder& line = encoders_[partition];
  if (line.open() &&
      (line.kind() != kind || line.half() != half || line.bytes() >= settings_.line_bytes))
    close_line(partition);
  if (!line.open()) {
    line.begin(plan, kind, half, context_);
    if (std::find(open_.begin(), open_.end(), partition) == open_.end()) open_.push_back(partition);
  }
  return line.add(row, data, before);
}

void Assembler::close_line(std::uint32_t partition) {
  PartitionLines& lines = batch_.partitions[partition];
  if (lines.lines.empty()) batch_.touched.push_back(partition);
  lines.lines.push_back(encoders_[partition].finish(lines.text));
  batch_.bytes += lines.lines.back().size;
}

void Assembler::close_lines() {
  for (const std::uint32_t p : open_)
    if (encoders_[p].open()) close_line(p);
  open_.clear();
}

Status Assembler::hand_over() {
  if (batch_.empty()) return {};
  batch_.id = group_.id;
  batch_.gtid = group_.gtid_text;
  batch_.commit_us = group_.commit_us;
  batch_.file = file_;
  batch_.pos = pos_;
  const Status s = sink_->add(batch_);
  batch_.clear();
  return s;
}

Status Assembler::commit() {
  if (group_.open && !batch_.empty()) SLUICE_TRY(hand_over());
  batch_.clear();
  counters_->transactions_read.fetch_add(1, std::memory_order_relaxed);
  resume_ = here();
  resume_file_ = file_;
  TransactionEnd end{file_, pos_, std::move(group_.gtid), group_.es_ms, nullptr};
  group_ = {};
  streamed_events_ = 0;
  streamed_id_ = {};
  sink_->complete(end);
  return {};
}

void Assembler::drop_rows() {
  for (const std::uint32_t p : open_) encoders_[p].reset();
  open_.clear();
  batch_.clear();
  savepoints_.clear();
}

Status Assembler::abandon(std::string_view why) {
  if (group_.streamed)
    return unsupported(
        "a transaction of more than limits.transaction_hold, which began at " +
        std::to_string(group_.id.pos) + ", was rolled back (" + std::string(why) +
        ") after part of its rows went to the queue. Rows with event ids from " +
        EventId{group_.id.epoch, group_.id.file, group_.id.pos, 0, 0, 0}.to_string() +
        " on are to be compared with the source; then go on behind it with "
        "`sluice position set`, with a larger limits.transaction_hold");
  if (!batch_.empty())
    log::get("pipeline")
        .info("transaction rolled back rows={} began={} ({})", batch_.rows, group_.id.pos, why);
  drop_rows();
  group_.open = false;
  return {};
}

void Assembler::savepoint(const std::string& name) {
  Savepoint s;
  s.name = name;
  s.rows = batch_.rows;
  s.marks.reserve(batch_.partitions.size());
  for (const PartitionLines& p : batch_.partitions)
    s.marks.emplace_back(p.lines.size(), p.text.size());
  std::erase_if(savepoints_, [&](const Savepoint& old) { return same_name(old.name, name); });
  savepoints_.push_back(std::move(s));
}

Status Assembler::rollback_to(const std::string& name) {
  if (group_.streamed) return abandon("ROLLBACK TO SAVEPOINT " + name);
  const auto it = std::find_if(savepoints_.begin(), savepoints_.end(),
                               [&](const Savepoint& s) { return same_name(s.name, name); });
  if (it == savepoints_.end())
    return fatal(Errc::binlog_malformed, "ROLLBACK TO a savepoint that was not set: " + name);
  savepoints_.erase(it + 1, savepoints_.end());
  std::vector<std::uint32_t> kept;
  for (const std::uint32_t p : batch_.touched) {
    PartitionLines& lines = batch_.partitions[p];
    const auto [count, size] = it->marks[p];
    for (std::size_t i = count; i < lines.lines.size(); ++i) batch_.bytes -= lines.lines[i].size;
    lines.lines.resize(count);
    lines.text.truncate(size);
    if (count != 0) kept.push_back(p);
  }
  batch_.touched = std::move(kept);
  batch_.rows = it->rows;
  return {};
}

}  // namespace sluice::pipeline
