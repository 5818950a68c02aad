#include "pipeline/held_rows.h"

#include <algorithm>
#include <utility>

#include "sluice/base/byte_writer.h"
#include "sluice/schema/schema_json.h"

namespace sluice::pipeline {
namespace {

using position::HeldWriter;
using position::RecordReader;

// Kinds of records.
constexpr std::uint8_t kFormat = 1, kTable = 2, kRows = 3;
// Records of a file are written in pieces of about this size.
constexpr std::size_t kPiece = 256u << 10;
constexpr std::size_t kMostTables = 1024;

std::string sized(std::string_view text) {
  return std::move(ByteWriter().le<4>(text.size()).bytes(text)).str();
}
std::string_view take_sized(ByteReader& in) {
  return as_chars(in.take(in.u32()));
}

Error damaged(std::string_view record) {
  return fatal(Errc::position_damaged,
               "held rows: a " + std::string(record) + " record that cannot be read");
}

}  // namespace

// ---- Collecting ----

void HeldRows::begin(const binlog::FormatDescription& format) {
  drop();
  const std::string fixed =
      std::move(
          ByteWriter().le<1>(format.flavor == Flavor::mariadb ? 1 : 0).le<1>(format.header_len))
          .str();
  const std::string lengths(format.post_header_len.begin(), format.post_header_len.end());
  position::append_record(buffer_, kFormat, {fixed, sized(format.server_version), sized(lengths)});
}

Status HeldRows::add(const std::string& table, binlog::EventType type, Bytes body,
                     std::uint64_t ordinal) {
  auto known = std::find(tables_.begin(), tables_.end(), table);
  if (known == tables_.end()) {
    position::append_record(buffer_, kTable, {table});
    tables_.push_back(table);
    known = tables_.end() - 1;
  }
  const std::string head = std::move(ByteWriter()
                                         .le<8>(ordinal)
                                         .le<4>(static_cast<std::uint64_t>(known - tables_.begin()))
                                         .le<1>(static_cast<std::uint8_t>(type)))
                               .str();
  position::append_record(buffer_, kRows, {head, as_chars(body)});
  ++rows_events_;
  return buffer_.size() > (file_ ? kPiece : memory_bytes_) ? flush() : Status();
}

Status HeldRows::flush() {
  if (!file_) {
    SLUICE_TRY_ASSIGN(HeldWriter writer, HeldWriter::create(held_->folder(), HeldXa::kReading));
    file_.emplace(std::move(writer));
  }
  SLUICE_TRY(file_->append(buffer_));
  buffer_.clear();
  return {};
}

void HeldRows::leave_out(const std::string& table) {
  if (std::find(left_out_.begin(), left_out_.end(), table) == left_out_.end())
    left_out_.push_back(table);
}

void HeldRows::drop() noexcept {
  buffer_.clear();
  file_.reset();
  tables_.clear();
  rows_events_ = 0;
  left_out_.clear();
}

HeldRows::Mark HeldRows::mark() const noexcept {
  return {(file_ ? file_->size() : 0) + buffer_.size(), rows_events_, tables_.size()};
}

Status HeldRows::rollback_to(const Mark& mark) {
  const std::uint64_t written = file_ ? file_->size() : 0;
  if (mark.size < written) {
    SLUICE_TRY(file_->truncate(mark.size));
    buffer_.clear();
  } else {
    buffer_.resize(static_cast<std::size_t>(mark.size - written));
  }
  rows_events_ = mark.rows_events;
  tables_.resize(mark.tables);
  return {};
}

Status HeldRows::prepare(position::HeldSummary summary) {
  summary.rows_events = rows_events_;
  summary.left_out = std::move(left_out_);
  Status s;
  if (file_) {
    SLUICE_TRY(flush());
    s = held_->add(std::move(summary), std::move(*file_));
  } else {
    s = held_->add(std::move(summary), empty() ? std::string_view() : buffer_);
  }
  drop();
  return s;
}

Result<RecordReader> HeldRows::take() {
  if (file_) {
    SLUICE_TRY(flush());
    auto reader = file_->read();
    drop();  // the reader has the file open
    return reader;
  }
  RecordReader reader(std::make_shared<const std::string>(std::move(buffer_)));
  drop();
  return reader;
}

// ---- Reading ----

Result<bool> HeldRowsReader::next(Event& out) {
  for (;;) {
    RecordReader::Record record;
    SLUICE_TRY_ASSIGN(const bool more, records_->next(record));
    if (!more) return false;
    ByteReader in(record.body);
    switch (record.kind) {
      case kFormat: {
        format_.flavor = in.u8() == 1 ? Flavor::mariadb : Flavor::mysql;
        format_.header_len = in.u8();
        format_.server_version = take_sized(in);
        const std::string_view lengths = take_sized(in);
        format_.post_header_len.assign(lengths.begin(), lengths.end());
        if (!in.ok()) return damaged("format");
        break;
      }
      case kTable: tables_.emplace_back(as_chars(record.body)); break;
      case kRows: {
        out.ordinal = in.u64();
        out.number = in.u32();
        out.type = static_cast<binlog::EventType>(in.u8());
        if (!in.ok() || out.number >= tables_.size()) return damaged("rows");
        out.table = &tables_[out.number];
        out.body = in.rest();
        return true;
      }
      default: return damaged("kind " + std::to_string(record.kind));
    }
  }
}

// ---- Tables ----

void HeldTables::trim() noexcept {
  if (by_plan_.size() <= kMostTables && entries_.size() <= kMostTables) return;
  by_plan_.clear();
  entries_.clear();
}

Result<const std::string*> HeldTables::record_of(const event::PlanCache::Entry& entry, Bytes map) {
  const auto known = by_plan_.find(entry.plan.get());
  if (known != by_plan_.end()) return known->second.record;
  trim();
  SLUICE_TRY_ASSIGN(const std::string schema, schema::encode_schema(*entry.schema));
  // The rows are read back under the plan they would have had.
  const auto it = entries_.insert_or_assign(sized(as_chars(map)) + sized(schema), entry).first;
  by_plan_[entry.plan.get()] = {entry.plan, &it->first};
  return &it->first;
}

Result<const event::PlanCache::Entry*> HeldTables::entry_of(const std::string& record,
                                                            const binlog::FormatDescription& format,
                                                            const Maker& make) {
  if (const auto known = entries_.find(record); known != entries_.end()) return &known->second;
  trim();
  ByteReader in(as_bytes(record));
  const std::string_view map_body = take_sized(in);
  const std::string_view schema_text = take_sized(in);
  if (!in.ok()) return damaged("table");
  SLUICE_TRY_ASSIGN(binlog::TableMap map, binlog::TableMap::decode(as_bytes(map_body), format));
  SLUICE_TRY_ASSIGN(TableSchema schema, schema::decode_schema(schema_text));
  SLUICE_TRY_ASSIGN(event::PlanCache::Entry entry, make(std::move(map), std::move(schema)));
  return &entries_.insert_or_assign(record, std::move(entry)).first->second;
}

}  // namespace sluice::pipeline
