#include "decode/scanner.h"

#include <algorithm>

#include "sluice/binlog/rows.h"
#include "sluice/model/binlog_position.h"
#include "sluice/schema/map_schema.h"

namespace sluice::decode {
namespace {

using binlog::EventType;
using binlog::EventView;

// A job is handed over when it holds about as much as a chunk.
constexpr std::size_t kJobBytes = BinlogFile::kChunkBytes;

// XA START, BEGIN and END, against XA PREPARE, COMMIT, ROLLBACK.
bool is_xa_bracket(std::string_view statement) {
  const std::size_t verb = statement.find_first_not_of(" \t\r\n", 2);
  return verb != std::string_view::npos &&
         std::string_view("SBEsbe").find(statement[verb]) != std::string_view::npos;
}

// Null: rows of this table are not wanted.
const binlog::RowLayout* layout_of(const event::PlanCache::Entry& entry) {
  return entry.plan ? &entry.plan->layout() : entry.layout.get();
}

// Keeps a table for as long as the job lasts.  Its count of owners stands beside what the encoders
// read: changed with every event, it would send that line of memory from core to core and back.
template <class Table>
void hold(Job& job, const std::shared_ptr<Table>& table) {
  constexpr std::size_t kLookBack = 8;  // tables that one statement changes
  const auto last = job.tables.rbegin();
  const auto end = last + static_cast<std::ptrdiff_t>(std::min(job.tables.size(), kLookBack));
  const bool held =
      std::any_of(last, end, [&table](const auto& other) { return other.get() == table.get(); });
  if (!held) job.tables.push_back(table);
}

std::string_view base_name(std::string_view path) {
  return path.substr(path.find_last_of('/') + 1);
}

}  // namespace

Scanner::Scanner(const DecodeOptions& options, const SchemaOpener& schemas, DecodeSink& sink,
                 JobRing& ring)
    : options_(&options),
      open_schemas_(schemas ? &schemas : nullptr),
      sink_(&sink),
      ring_(&ring),
      framer_(binlog::ChecksumAlg::off, options.verify_checksums),
      unpacker_(options.unpack),
      printer_(options.json_events),
      maker_([this](binlog::TableMap map) { return make_entry(std::move(map)); }) {}

void Scanner::begin_file(std::string name) {
  const auto parsed = BinlogFileName::parse(base_name(name));
  file_number_ = parsed ? parsed->number : 0;
  file_ = std::make_shared<const std::string>(std::move(name));
  format_.reset();
  framer_ = binlog::EventFramer(binlog::ChecksumAlg::off, options_->verify_checksums);
  tables_.clear();
  ended_ = in_use_ = false;
  ++totals_.files;
  if (options_->format == OutputFormat::events) printer_.begin_file(job().out, *file_);
}

Job& Scanner::job() {
  Job& job = ring_->current();
  if (!job.file) {
    job.chunk = chunk_;
    job.file = file_;
    job.format = format_;
    gtid_placed_ = false;
  }
  return job;
}

Status Scanner::scan(const std::shared_ptr<Chunk>& chunk, std::uint64_t from) {
  chunk_ = chunk;
  Bytes left = chunk->events();
  offset_ = chunk->offset();
  const auto walk = [&]() -> Status {
    EventView event;
    while (!left.empty()) {
      const auto header = binlog::EventHeader::read(left);
      const Bytes bytes = left.first(header.event_size);  // the chunk holds whole events
      left = left.subspan(header.event_size);
      const std::uint64_t end = offset_ + header.event_size;
      const bool description = header.type == EventType::format_description;
      if (offset_ < from && end > from && !description)
        return fatal(Errc::usage, "no event begins at " + std::to_string(from) +
                                      ": this one ends at " + std::to_string(end));
      if (offset_ >= from || description) {
        SLUICE_TRY(framer_.frame(bytes, event));
        ++totals_.events;
        totals_.bytes += header.event_size;
        SLUICE_TRY(on_event(event));
      }
      offset_ = end;
    }
    return {};
  };
  Status s = walk();
  chunk_.reset();
  if (!s.ok() && s.error().cls != ErrorClass::stopped)
    return std::move(s).error().at(*file_ + ":" + std::to_string(offset_));
  // The next chunk is another job's.
  if (s.ok() && ring_->current().file) SLUICE_TRY(ring_->submit());
  return s;
}

Status Scanner::on_event(const EventView& event) {
  const EventType type = event.header.type;
  ended_ = type == EventType::stop || (type == EventType::rotate && !event.header.artificial());
  if (type == EventType::format_description) {
    // What is filled so far was framed by the old one.
    if (ring_->current().file) SLUICE_TRY(ring_->submit());
    format_ = std::make_shared<const binlog::FormatDescription>(*framer_.format());
    in_use_ = (event.header.flags & binlog::EventHeader::kFlagInUse) != 0;
    tables_.clear();
  } else if (!format_) {
    if (type == EventType::rotate && event.header.artificial()) return {};  // a copied stream
    return fatal(Errc::binlog_malformed,
                 std::string(binlog::event_type_name(type)) + " before any FORMAT_DESCRIPTION");
  }
  if (!binlog::EventUnpacker::is_packed(type)) {
    if (type == EventType::format_description) {
      unpacker_.reset();
    } else if (unpacker_.in_fragments()) {
      return fatal(Errc::binlog_malformed, std::string(binlog::event_type_name(type)) +
                                               " comes between two PARTIAL_ROW_DATA");
    }
    return on_inner(event);
  }
  if (options_->format == OutputFormat::events && !options_->tables) SLUICE_TRY(print(event));
  SLUICE_TRY(unpacker_.open(event, *format_));
  EventView inner;
  for (;;) {
    SLUICE_TRY_ASSIGN(const bool more, unpacker_.next(inner));
    if (!more) return {};
    if (inner.nested) ++totals_.events;
    SLUICE_TRY(on_inner(inner));
  }
}

Status Scanner::on_inner(const EventView& event) {
  const EventType type = event.header.type;
  if (binlog::is_rows_event(type)) return on_rows(event);
  const bool print_events = options_->format == OutputFormat::events;
  switch (type) {
    case EventType::table_map: SLUICE_TRY(tables_.add(event.body, *format_, maker_)); break;
    case EventType::gtid:
    case EventType::anonymous_gtid:
    case EventType::gtid_tagged:
    case EventType::mariadb_gtid: SLUICE_TRY(on_gtid(event)); break;
    case EventType::query: SLUICE_TRY(on_query(event)); break;
    case EventType::xid:
      SLUICE_TRY(binlog::XidEvent::decode(event.body));
      close_group();
      break;
    case EventType::xa_prepare:
      SLUICE_TRY(binlog::XaPrepareEvent::decode(event.body));
      close_group();
      break;
    default: SLUICE_TRY(check(event)); break;
  }
  // With a filter only what concerns its tables is shown.
  if (print_events && (!options_->tables || is_wanted_map(event))) return print(event);
  return {};
}

bool Scanner::is_wanted_map(const EventView& event) const {
  if (event.header.type != EventType::table_map) return false;
  const auto id = binlog::table_id_of(event.header.type, event.body, *format_);
  const auto* entry = id ? tables_.find(*id) : nullptr;
  return entry != nullptr && layout_of(*entry) != nullptr;
}

Status Scanner::print(const EventView& event, std::string_view table, std::uint64_t rows) {
  SLUICE_TRY(printer_.print(job().out, event, {*file_, offset_, format_.get(), table, rows}));
  // A compressed transaction has many events, and all stand in one chunk.
  return job().out.size() >= kJobBytes ? ring_->submit() : Status{};
}

// Events that carry nothing for rows: their structure at least is looked at.
Status Scanner::check(const EventView& event) const {
  switch (event.header.type) {
    case EventType::rotate: SLUICE_TRY(binlog::RotateEvent::decode(event.body)); break;
    case EventType::incident: SLUICE_TRY(binlog::IncidentEvent::decode(event.body)); break;
    case EventType::previous_gtids:
    case EventType::gtid_list:
      SLUICE_TRY(binlog::decode_gtid_set_event(event.header, event.body));
      break;
    default:
      if (binlog::event_type_name(event.header.type) == "UNKNOWN" && !event.header.ignorable())
        return fatal(Errc::binlog_unsupported,
                     "event type " + std::to_string(static_cast<unsigned>(event.header.type)) +
                         ", " + std::to_string(event.whole.size()) +
                         " bytes: not known to this version and not marked as ignorable");
  }
  return {};
}

void Scanner::open_group(const EventView& event) {
  group_.open = true;
  group_.in_transaction = false;
  group_.pos = offset_;
  group_.es_ms = std::int64_t{event.header.timestamp} * 1000;
  group_.events = 0;
  group_.gtid.clear();
  gtid_placed_ = false;
}

void Scanner::close_group() {
  group_.open = false;
  tables_.trim();
}

Status Scanner::on_gtid(const EventView& event) {
  SLUICE_TRY_ASSIGN(const auto& gtid,
                    binlog::GtidEvent::decode(event.header, event.body, *format_));
  open_group(event);
  // MariaDB's GTID stands for BEGIN, unless the next event is all there is.
  group_.in_transaction = format_->flavor == Flavor::mariadb && !gtid.standalone;
  if (gtid.immediate_commit_us != 0) group_.es_ms = gtid.immediate_commit_us / 1000;
  append_gtid(gtid.gtid, group_.gtid);
  return {};
}

Status Scanner::on_query(const EventView& event) {
  binlog::QueryEvent query;
  SLUICE_TRY(binlog::QueryEvent::decode(event.body, *format_, query));
  if (!group_.open) open_group(event);
  using Kind = binlog::StatementKind;
  const Kind kind = query.statement == "BEGIN"
                        ? Kind::begin
                        : binlog::classify_statement(query.statement, query.sql_mode).kind;
  switch (kind) {
    case Kind::begin:
    case Kind::create_select: group_.in_transaction = true; break;
    case Kind::savepoint:
    case Kind::rollback_to:
    case Kind::dml: break;
    case Kind::commit:
    case Kind::rollback: close_group(); break;
    case Kind::xa:  // START and END stand inside a transaction, COMMIT and ROLLBACK are one
    case Kind::ddl_table:
    case Kind::truncate:
    case Kind::drop:
    case Kind::other:
      if (kind == Kind::xa && is_xa_bracket(query.statement)) {
        group_.in_transaction = true;
      } else if (!group_.in_transaction) {
        close_group();
      }
      break;
  }
  return {};
}

Status Scanner::on_rows(const EventView& event) {
  SLUICE_TRY_ASSIGN(const std::uint64_t id,
                    binlog::table_id_of(event.header.type, event.body, *format_));
  const auto* entry = tables_.find(id);
  if (!group_.open) open_group(event);  // the file, or what is read of it, begins inside one
  const std::uint64_t ordinal = group_.events++;
  const bool print_events = options_->format == OutputFormat::events;
  if (entry == nullptr || print_events) {
    SLUICE_TRY_ASSIGN(const auto& rows,
                      binlog::RowsEvent::decode(event.header.type, event.body, *format_));
    if (entry == nullptr) {
      if (id == binlog::TableMap::kDummyId && rows.rows.empty())
        return print_events && !options_->tables ? print(event) : Status{};
      return fatal(Errc::binlog_malformed,
                   "rows of table id " + std::to_string(id) + ", which no TABLE_MAP has named" +
                       (options_->start_pos != 0 ? ": begin at the start of the transaction" : ""));
    }
    const binlog::RowLayout* layout = layout_of(*entry);
    if (layout == nullptr) return {};
    SLUICE_TRY_ASSIGN(const std::uint64_t count, printer_.count_rows(rows, *layout));
    totals_.rows += count;
    return print(event, entry->name, count);
  }
  if (layout_of(*entry) == nullptr) return {};
  Job& job = this->job();
  entry->plan ? hold(job, entry->plan) : hold(job, entry->layout);
  // What lies in the chunk stays where it is; what was unpacked is gone with the next event.
  const Bytes in_chunk = chunk_->events();
  const bool lasts =
      event.body.data() >= in_chunk.data() && event.body.data() < in_chunk.data() + in_chunk.size();
  const std::size_t copy_at = job.copies.size();
  if (!lasts) job.copies.append(as_chars(event.body));
  if (!gtid_placed_) {
    gtid_at_ = job.gtids.size();
    job.gtids += group_.gtid;
    gtid_placed_ = true;
  }
  job.items.push_back({.type = event.header.type,
                       .plan = entry->plan.get(),
                       .layout = layout_of(*entry),
                       .body = lasts ? event.body : Bytes{},
                       .copy_at = copy_at,
                       .copy_size = job.copies.size() - copy_at,
                       .gtid_at = gtid_at_,
                       .gtid_size = group_.gtid.size(),
                       .seq = {1, file_number_, group_.pos, ordinal, 0},
                       .id = ++rows_events_,
                       .offset = offset_,
                       .es_ms = group_.es_ms});
  if (job.copies.size() >= kJobBytes) SLUICE_TRY(ring_->submit());
  return {};
}

void Scanner::note_once(const std::string& text) {
  if (noted_.insert(text).second) sink_->note(text);
}

Result<TableSchema> Scanner::schema_of(const binlog::TableMap& map, const std::string& name) {
  if (open_schemas_ != nullptr) {
    SLUICE_TRY_ASSIGN(schemas_, (*open_schemas_)(*format_));
    open_schemas_ = nullptr;
  }
  if (schemas_) {
    auto known = schemas_->read_table(map.database, map.table);
    if (known) return schema::fit(map, *known, format_->flavor);
    if (known.error().code != Errc::schema_missing) return std::move(known).error();
    note_once(name + " is not in the schema given: it is read as the binlog alone tells it");
  }
  note_old_temporals(map, name);
  return schema::schema_from_map(map, format_->flavor);
}

// MariaDB with mysql56_temporal_format=OFF.
void Scanner::note_old_temporals(const binlog::TableMap& map, const std::string& name) {
  const auto is_old = [](const binlog::MapColumn& c) {
    return c.type == binlog::ColumnType::time || c.type == binlog::ColumnType::datetime ||
           c.type == binlog::ColumnType::timestamp;
  };
  if (format_->flavor == Flavor::mariadb &&
      std::any_of(map.columns.begin(), map.columns.end(), is_old))
    note_once(name +
              " has times in MariaDB's old format; how many fractional digits they have only a "
              "schema tells (--schema, --source-config), without one they are read as having none");
}

Result<event::PlanCache::Entry> Scanner::make_entry(binlog::TableMap map) {
  event::PlanCache::Entry entry;
  entry.name = map.database + "." + map.table;
  if (options_->tables && !options_->tables->matches(entry.name)) return entry;
  // Rows can be cut by the map alone, but for old temporal columns: a schema is used where one is.
  const bool only_cut =
      options_->format == OutputFormat::events || options_->format == OutputFormat::none;
  if (only_cut && !schemas_ && open_schemas_ == nullptr) {
    note_old_temporals(map, entry.name);
    return event::PlanCache::layout_only(std::move(map));
  }
  SLUICE_TRY_ASSIGN(TableSchema schema, schema_of(map, entry.name));
  event::TableRules rules;
  if (options_->partitions == 0) rules.partition.by = event::PartitionRule::By::table;
  SLUICE_TRY_ASSIGN(entry.plan, event::TablePlan::make(std::move(map), std::move(schema), rules,
                                                       options_->render));
  return entry;
}

}  // namespace sluice::decode
