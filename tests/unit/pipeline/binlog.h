#pragma once
// Binlog files made by hand, and what a server sends of them.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sluice/binlog/event.h"
#include "sluice/model/binlog_position.h"

#include "unit/binlog/packing.h"

namespace sluice::pipeline::testing {

using binlog::EventType;

// (id, v) of the tables here: `id` INT, `v` VARCHAR(20).
struct TestRow {
  std::int32_t id = 0;
  std::optional<std::string> v = "x";
};

class Binlog {
 public:
  // `begun`: second of the first file's head, which tells the files of two binlogs apart.
  explicit Binlog(Flavor flavor, std::uint32_t begun = 1'600'000'001)
      : flavor_(flavor), begun_(begun) {
    begin_file(1, true);
  }

  static std::string file_name(std::uint64_t number) {
    return "binlog." + std::to_string(1'000'000 + number).substr(1);
  }
  std::string file() const { return file_name(number_); }
  std::uint64_t number() const { return number_; }
  // End of what was written.
  std::uint64_t pos() const { return pos_; }
  BinlogPosition here() const { return {file(), pos_}; }
  Flavor flavor() const { return flavor_; }
  std::uint32_t timestamp = 1'700'000'000;  // of the events to come

  // A new file: its FORMAT_DESCRIPTION.  `started`: by a server that has just started.
  void begin_file(std::uint64_t number, bool started = false) {
    number_ = number;
    pos_ = 4;
    push(format(false, started));
  }
  // ROTATE to the next file and its head.
  void rotate() {
    add(EventType::rotate, std::move(ByteWriter().le<8>(4).bytes(file_name(number_ + 1))).str());
    begin_file(number_ + 1);
  }
  // A crash: the next file without a ROTATE.
  void crash() { begin_file(number_ + 1, true); }

  struct How {
    std::uint16_t flags = 0;
    bool log_pos = true;             // false: 0, as MariaDB 11.4 writes it inside transactions
    std::int64_t log_pos_error = 0;  // added to the right one
  };
  // Any event; returns where it begins.
  std::uint64_t add(EventType type, std::string body, How with) {
    const std::uint64_t start = pos_;
    if (payload_) {
      *payload_ += binlog::testing::make_event(
          {.type = type, .body = std::move(body), .timestamp = timestamp, .log_pos = 0});
      return start;
    }
    const std::size_t size = binlog::EventHeader::kSize + body.size();
    const std::uint64_t end = pos_ + size + static_cast<std::uint64_t>(with.log_pos_error);
    push(
        binlog::testing::make_event({.type = type,
                                     .body = std::move(body),
                                     .timestamp = timestamp,
                                     .log_pos = with.log_pos ? static_cast<std::uint32_t>(end) : 0U,
                                     .flags = with.flags}));
    return start;
  }
  std::uint64_t add(EventType type, std::string body) { return add(type, std::move(body), how); }
  // Events from here on go into a TRANSACTION_PAYLOAD, which end_payload() adds.
  void begin_payload() { payload_.emplace(); }
  void end_payload() {
    const std::string plain = *payload_;
    payload_.reset();
    add(EventType::transaction_payload,
        binlog::testing::payload_body(binlog::testing::zstd(plain),
                                      {.uncompressed = plain.size()}));
  }
  How how;  // of events added from now on

  // The head of the next transaction: its GTID, and BEGIN where the flavour writes one.  Returns
  // the position that names it.
  std::uint64_t begin() {
    const std::uint64_t start = gtid();
    if (flavor_ == Flavor::mysql) query("BEGIN");
    return start;
  }
  static constexpr unsigned kStandalone = 1, kPreparedXa = 0x40, kCompletedXa = 0x80;
  std::uint64_t gtid(unsigned mariadb_flags = 0) {
    ++sequence_;
    ByteWriter body;
    if (flavor_ == Flavor::mariadb) {
      body.le<8>(sequence_).le<4>(0).le<1>(mariadb_flags);
      if ((mariadb_flags & (kPreparedXa | kCompletedXa)) != 0)
        body.le<4>(1).le<1>(1).le<1>(0).bytes("x");
      else
        body.bytes(std::string(6, '\0'));
      return add(EventType::mariadb_gtid, body.str());
    }
    body.le<1>(0).bytes(std::string(16, '\x11')).le<8>(sequence_);
    body.le<1>(2).le<8>(0).le<8>(0).le<7>(commit_us());
    return add(EventType::gtid, body.str());
  }
  std::uint64_t anonymous() {
    ByteWriter body;
    body.le<1>(0).bytes(std::string(16, '\0')).le<8>(0);
    body.le<1>(2).le<8>(0).le<8>(0).le<7>(commit_us());
    return add(EventType::anonymous_gtid, body.str());
  }
  std::uint64_t commit_us() const { return std::uint64_t{timestamp} * 1'000'000 + 250'000; }
  std::string last_gtid() const {
    return flavor_ == Flavor::mariadb
               ? "0-7-" + std::to_string(sequence_)
               : "11111111-1111-1111-1111-111111111111:" + std::to_string(sequence_);
  }
  void query(std::string_view text, std::string_view database = "shop",
             std::optional<std::uint64_t> sql_mode = std::nullopt) {
    ByteWriter vars;
    if (sql_mode) vars.le<1>(1).le<8>(*sql_mode);
    ByteWriter body;
    body.le<4>(1).le<4>(0).le<1>(database.size()).le<2>(0).le<2>(vars.size());
    body.bytes(vars.str()).bytes(database).le<1>(0);
    if (compressed)
      add(EventType::query_compressed, body.bytes(binlog::testing::mariadb_packed(text)).str());
    else
      add(EventType::query, body.bytes(text).str());
  }
  void xid() { add(EventType::xid, std::string(8, '\x05')); }
  void xa_prepare(bool one_phase, std::string_view gtrid = "x") {
    add(EventType::xa_prepare, std::move(ByteWriter()
                                             .le<1>(one_phase ? 1 : 0)
                                             .le<4>(1)
                                             .le<4>(gtrid.size())
                                             .le<4>(0)
                                             .bytes(gtrid))
                                   .str());
  }
  // The xid of these in statements and errors; `gtrid` is of small letters and digits.
  static std::string xid(std::string_view gtrid) {
    std::string out = "X'";
    for (const char c : gtrid) {
      out.push_back("0123456789abcdef"[c >> 4]);
      out.push_back("0123456789abcdef"[c & 15]);
    }
    return out + "',X'',1";
  }
  // The head of an XA transaction, as the flavour writes it.
  std::uint64_t begin_xa(std::string_view gtrid) {
    const std::uint64_t start = gtid(kPreparedXa);
    if (flavor_ == Flavor::mysql) query("XA START " + xid(gtrid));
    return start;
  }
  // Its end: the first half of it.
  void prepare_xa(std::string_view gtrid) {
    query("XA END " + xid(gtrid));
    xa_prepare(false, gtrid);
  }
  // All of the first half: these rows.
  std::uint64_t prepared_xa(std::string_view gtrid, const std::vector<TestRow>& rows,
                            std::string_view table = "t") {
    const std::uint64_t start = begin_xa(gtrid);
    table_map(table);
    insert(rows, table);
    prepare_xa(gtrid);
    return start;
  }
  // The second half: COMMIT or ROLLBACK.
  std::uint64_t end_xa(std::string_view gtrid, std::string_view verb = "COMMIT") {
    const std::uint64_t start = gtid(kCompletedXa);
    query("XA " + std::string(verb) + " " + xid(gtrid));
    return start;
  }
  // Table ids follow from the name.
  void table_map(std::string_view table, std::string_view database = "shop") {
    ByteWriter body;
    body.le<6>(id_of(database, table)).le<2>(1);
    body.lenenc(database.size()).bytes(database).le<1>(0);
    body.lenenc(table.size()).bytes(table).le<1>(0);
    body.lenenc(2).le<1>(3).le<1>(15).lenenc(2).le<2>(20).le<1>(2);
    add(EventType::table_map, body.str());
  }
  void use_table_id(std::uint64_t id) {
    next_table_id_ = id;
    table_ids_.clear();
  }

  bool compressed = false;  // QUERY and ROWS events as MariaDB writes them with log_bin_compress
  bool version_1 = false;   // ROWS events as MariaDB and MySQL 5.5 write them
  void insert(const std::vector<TestRow>& rows, std::string_view table = "t",
              std::string_view database = "shop") {
    std::string images;
    for (const TestRow& r : rows) images += image(r);
    rows_event(version_1 ? EventType::write_rows_v1 : EventType::write_rows, 1, images,
               id_of(database, table));
  }
  void remove(const std::vector<TestRow>& rows, std::string_view table = "t",
              std::string_view database = "shop") {
    std::string images;
    for (const TestRow& r : rows) images += image(r);
    rows_event(version_1 ? EventType::delete_rows_v1 : EventType::delete_rows, 1, images,
               id_of(database, table));
  }
  void update(const std::vector<std::pair<TestRow, TestRow>>& rows, std::string_view table = "t",
              std::string_view database = "shop") {
    std::string images;
    for (const auto& [before, after] : rows) images += image(before) + image(after);
    rows_event(version_1 ? EventType::update_rows_v1 : EventType::update_rows, 2, images,
               id_of(database, table));
  }
  void dummy_rows(std::uint64_t id) {
    rows_event(version_1 ? EventType::write_rows_v1 : EventType::write_rows, 1, "", id);
  }
  // GTID, BEGIN, TABLE_MAP, WRITE_ROWS, XID.
  std::uint64_t transaction(const std::vector<TestRow>& rows, std::string_view table = "t",
                            std::string_view database = "shop") {
    const std::uint64_t start = begin();
    table_map(table, database);
    insert(rows, table, database);
    xid();
    return start;
  }
  // What the file says of those before it.
  void previous_gtids() {
    ByteWriter body;
    const bool any = sequence_ != 0;
    if (flavor_ == Flavor::mariadb) {
      body.le<4>(any ? 1 : 0);
      if (any) body.le<4>(0).le<4>(7).le<8>(sequence_);
      add(EventType::gtid_list, body.str());
      return;
    }
    body.le<8>(any ? 1 : 0);
    if (any) body.bytes(std::string(16, '\x11')).le<8>(1).le<8>(1).le<8>(sequence_ + 1);
    add(EventType::previous_gtids, body.str());
  }

  // What a server sends to a dump that begins at `from`.
  std::vector<std::string> dump(const BinlogPosition& from) const {
    std::vector<std::string> out;
    bool in_it = false;
    for (const auto& [number, events] : files_) {
      const bool first = file_name(number) == from.file;
      in_it = in_it || first;
      if (!in_it) continue;
      out.push_back(artificial_rotate(number, first ? from.pos : 4));
      if (first && from.pos > 4) out.push_back(repeated_format(events.front().bytes));
      for (const Event& e : events)
        if (!first || e.start >= from.pos) out.push_back(e.bytes);
    }
    return out;
  }
  std::vector<std::string> dump() const { return dump({file_name(1), 4}); }

  // Made up by the server for the stream.
  static std::string artificial_rotate(std::uint64_t number, std::uint64_t pos) {
    return binlog::testing::make_event(
        {.type = EventType::rotate,
         .body = std::move(ByteWriter().le<8>(pos).bytes(file_name(number))).str(),
         .timestamp = 0,
         .log_pos = 0,
         .flags = binlog::EventHeader::kFlagArtificial});
  }
  static std::string heartbeat(std::uint64_t number, std::uint64_t pos) {
    return binlog::testing::make_event({.type = EventType::heartbeat,
                                        .body = file_name(number),
                                        .timestamp = 0,
                                        .log_pos = static_cast<std::uint32_t>(pos)});
  }
  std::string format(bool repeated, bool started = false) const {
    binlog::testing::FormatParts parts;
    if (flavor_ == Flavor::mariadb) {
      parts.version = "10.11.6-MariaDB-log";
      parts.lengths = binlog::testing::mariadb_lengths();
    }
    parts.alg = 0;
    parts.timestamp = begun_ + static_cast<std::uint32_t>(number_) - 1;
    parts.created = started ? parts.timestamp : 0;
    parts.log_pos = 0;
    const std::size_t size = binlog::testing::make_format(parts).size();
    if (!repeated) parts.log_pos = static_cast<std::uint32_t>(4 + size);
    return binlog::testing::make_format(parts);
  }
  // Goes on at a later place of the file, as if there were events up to there.
  void skip_to(std::uint64_t pos) { pos_ = pos; }

 private:
  struct Event {
    std::uint64_t start = 0;
    std::string bytes;
  };
  static std::string repeated_format(std::string bytes) {
    bytes.replace(13, 4, 4, '\0');  // log_pos; its checksum is not looked at: there is none
    bytes.replace(71, 4, 4, '\0');  // created
    return bytes;
  }
  void push(std::string bytes) {
    const std::size_t size = bytes.size();
    files_[number_].push_back({pos_, std::move(bytes)});
    pos_ += size;
  }
  std::uint64_t id_of(std::string_view database, std::string_view table) {
    const std::string name = std::string(database) + "." + std::string(table);
    const auto [it, fresh] = table_ids_.try_emplace(name, next_table_id_);
    if (fresh) ++next_table_id_;
    return it->second;
  }
  static std::string image(const TestRow& r) {
    ByteWriter w;
    w.le<1>(r.v ? 0 : 2).le<4>(static_cast<std::uint32_t>(r.id));
    if (r.v) w.short_string(*r.v);
    return w.str();
  }
  void rows_event(EventType type, int images, const std::string& rows, std::uint64_t id) {
    ByteWriter body;
    body.le<6>(id).le<2>(1);
    if (!version_1) body.le<2>(2);
    body.lenenc(2).le<1>(3);
    if (images == 2) body.le<1>(3);
    if (!compressed) {
      add(type, body.bytes(rows).str());
      return;
    }
    const unsigned first =
        static_cast<unsigned>(version_1 ? EventType::write_rows_v1 : EventType::write_rows);
    const unsigned packed = static_cast<unsigned>(version_1 ? EventType::write_rows_compressed_v1
                                                            : EventType::write_rows_compressed);
    add(static_cast<EventType>(static_cast<unsigned>(type) - first + packed),
        body.bytes(binlog::testing::mariadb_packed(rows)).str());
  }

  Flavor flavor_;
  std::uint32_t begun_;
  std::uint64_t number_ = 1, pos_ = 4, sequence_ = 0, next_table_id_ = 100;
  std::map<std::uint64_t, std::vector<Event>> files_;
  std::map<std::string, std::uint64_t> table_ids_;
  std::optional<std::string> payload_;  // events of the open one
};

}  // namespace sluice::pipeline::testing
