#pragma once
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/base/byte_reader.h"
#include "sluice/base/result.h"
#include "sluice/base/unique_fd.h"
#include "sluice/model/binlog_position.h"
#include "sluice/model/event_id.h"

// The rows of an XA transaction between its PREPARE and its COMMIT: records, in memory or in a file
// of the state folder's xa/.  Format version 1, little-endian:
//
//   file    = "sluice-xa 1\n" record* summary tail
//   record  = size:u32 kind:u8 crc:u32 body:byte[size]    kind 1..255; crc = CRC-32 of size, kind
//                                                         and body
//   summary = record of kind 0: HeldSummary as JSON
//   tail    = begin:u64 "xa-end 1"                        where `summary` begins in the file
//
// What the records say is their writer's business.  Errors, unless said otherwise: fatal/io,
// fatal/position_damaged, both with the path.

namespace sluice::position {

// What is known of it without reading its records.
struct HeldSummary {
  std::string xid;         // X'gtrid',X'bqual',format
  TransactionId prepared;  // the transaction that ends in XA PREPARE
  BinlogPosition begins;   // its place and GTID, for people
  std::string gtid;        // "" without
  std::uint64_t rows_events = 0;
  std::vector<std::string> left_out;  // database.table: the filter did not take their rows
  friend bool operator==(const HeldSummary&, const HeldSummary&) = default;
};

// Name of its file: HASH-EPOCH.FILE.POS.held, and HASH-EPOCH.FILE.POS-EPOCH.FILE.POS.held when it
// is over: the XXH64 of the xid, the transaction that prepared it, the one that ended it.
struct HeldName {
  std::uint64_t xid_hash = 0;
  TransactionId prepared;
  std::optional<TransactionId> ended;
  std::string to_string() const;
  // nullopt: another file.
  static std::optional<HeldName> parse(std::string_view name);
  friend bool operator==(const HeldName&, const HeldName&) = default;
};
std::uint64_t xid_hash(std::string_view xid) noexcept;
// The files of this kind in a folder, by name; none when there is no such folder.  Errors:
// fatal/io.
Result<std::vector<HeldName>> list_held(const std::filesystem::path& folder);

// Appends a record whose body is `parts`, one after the other.  `kind` is not 0.
void append_record(std::string& out, std::uint8_t kind,
                   std::initializer_list<std::string_view> parts);

// Reads records one by one: of memory, or of a file, of which it holds one record and a little
// more. Belongs to one thread.
class RecordReader {
 public:
  struct Record {
    std::uint8_t kind = 0;
    Bytes body;  // valid until the next next()
  };
  explicit RecordReader(std::shared_ptr<const std::string> records);
  // `end`: where in the file the records end.
  static Result<RecordReader> open(const std::filesystem::path& path, std::uint64_t end);
  // False behind the last one.
  Result<bool> next(Record& out);

 private:
  RecordReader(UniqueFd file, std::filesystem::path path, std::uint64_t end);
  // The next `size` bytes, without going on.
  Result<Bytes> peek(std::size_t size);
  Error damaged(std::string_view why) const;

  std::shared_ptr<const std::string> memory_;
  UniqueFd file_;
  std::filesystem::path path_;
  std::uint64_t at_ = 0, end_ = 0;  // of the next record; behind the last
  std::string buffer_;              // of a file: bytes from buffer_at_ on
  std::uint64_t buffer_at_ = 0;
};

// A whole file, looked at: its summary is good, its records have not been read.
struct HeldFile {
  HeldSummary summary;
  std::uint64_t records_end = 0;  // for RecordReader::open
  static Result<HeldFile> open(const std::filesystem::path& path);
};

// Writes a file under a name for the time being; gone with this object unless it is finished.
// Belongs to one thread.
class HeldWriter {
 public:
  // Makes the folder when it is missing.  An unfinished file of this name is written anew.
  static Result<HeldWriter> create(const std::filesystem::path& folder, std::string_view name);
  HeldWriter(HeldWriter&& other) noexcept;
  HeldWriter& operator=(HeldWriter&&) = delete;
  HeldWriter(const HeldWriter&) = delete;
  HeldWriter& operator=(const HeldWriter&) = delete;
  ~HeldWriter();

  // Records, whole ones.  Now and then waits for the disk, so that finish() need not wait long.
  Status append(std::string_view records);
  // Takes back all but the first `size` bytes of records.
  Status truncate(std::uint64_t size);
  std::uint64_t size() const noexcept { return size_; }  // bytes of records
  // A reader of what was appended so far.
  Result<RecordReader> read() const;
  // Gives it its name.  `durable`: it survives a power cut once the folder is synced, too.
  Status finish(const HeldSummary& summary, const std::filesystem::path& path, bool durable);
  // Where the records of the finished file end.
  std::uint64_t records_end() const noexcept;

 private:
  HeldWriter(UniqueFd file, std::filesystem::path path);
  UniqueFd file_;
  std::filesystem::path path_;  // empty: finished
  std::uint64_t size_ = 0;
  std::uint64_t unsynced_ = 0;
};

}  // namespace sluice::position
