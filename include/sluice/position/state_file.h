#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "sluice/base/result.h"
#include "sluice/base/unique_fd.h"
#include "sluice/model/binlog_position.h"
#include "sluice/model/event_id.h"

namespace sluice::position {

// What messages in the queues and records in Redis were made with: other rules must not meet them.
struct Layout {
  std::uint32_t partitions = 0;
  std::string fingerprint;  // of filter, partition_by, mappings and rendering options; hex
  friend bool operator==(const Layout&, const Layout&) = default;
};

struct SourceState {
  std::string flavor;  // "mysql" or "mariadb"
  std::string server_uuid;
  std::uint32_t server_id = 0;
  std::uint32_t domain_id = 0;
  std::string binlog_base;
  // FORMAT_DESCRIPTION of the file the position is in (binlog::FormatDescription::fingerprint).
  std::uint32_t file_timestamp = 0;
  std::uint32_t file_fingerprint = 0;
  friend bool operator==(const SourceState&, const SourceState&) = default;
};

// A row that was sent already: the nth of its transaction in its partition, counted from 1.
struct OverlapMark {
  std::string gtid;
  std::uint64_t ordinal = 0;
  friend bool operator==(const OverlapMark&, const OverlapMark&) = default;
};

// The last transactions, where they have no GTIDs: by it their place in another server's binlog is
// found.
struct Trail {
  static constexpr std::size_t kLongest = 32;
  std::vector<std::uint64_t> prints;  // of those with rows, oldest first: binlog::TransactionPrint
  std::int64_t commit_ms = 0;         // of the last one; 0: not known
  void add(std::uint64_t print, std::int64_t ms);
  friend bool operator==(const Trail&, const Trail&) = default;
};

// The meta file: where to go on after a restart, and the chain there.  Format version 1.
struct State {
  std::string instance;
  Layout layout;
  SourceState source;
  std::uint32_t epoch = 1;
  BinlogPosition position;    // end of a transaction: it and all before it are confirmed
  std::string gtid_set;       // executed there; "" when not known
  std::vector<EventId> last;  // per partition: the last row sent to it as of `position`
  // Another server was taken, and rows behind `position` were sent before that: by partition the
  // last of them.  Pending: not known yet which; Redis tells once it has all that was sent.
  bool overlap_pending = false;
  std::vector<std::optional<OverlapMark>> overlap;  // empty: none
  Trail trail;                                      // up to `position`
  std::int64_t updated_at_us = 0;
  // Where the state has a copy in Redis (mirror_record.h).
  std::uint64_t term = 0;  // of who saved it; 0: never had one
  std::string lineage;     // random, of the first start that all of it goes back to; "" without
  friend bool operator==(const State&, const State&) = default;
};

// JSON with a checksum, as it stands in the file: one member a line.  crc = CRC-32 (hex, lower
// case) of the same object as compact JSON, members in alphabetical order, ASCII, without crc.
// Bytes of names above 0x7F stand as the characters of these numbers (ISO-8859-1), so that any byte
// comes back.
std::string encode(const State& state);
// Errors: fatal/position_damaged (not JSON, crc, missing or bad members), fatal/position_mismatch
// (a later version).
Result<State> decode(std::string_view text);

// The state folder: state.json, state.json.bak, lock.  One process at a time.
class Store {
 public:
  // Makes the folder when it is missing, takes the lock.  Errors: fatal/io, fatal/position_locked.
  static Result<Store> open(const std::filesystem::path& folder);
  // nullopt: no state file and no backup: a first start.  Errors: fatal/position_damaged naming
  // both files and what to do; never falls back to the backup by itself.
  Result<std::optional<State>> load() const;
  // Durable when it returns; the previous one is kept as .bak.  Errors: fatal/io; fatal/internal
  // when state.last does not have one entry per partition (decode would refuse it).
  Status save(const State& state) const;
  // Removes state and backup when `really`; tells whether there was any.  Errors: fatal/io.
  Result<bool> remove(bool really) const;
  // Reads without the lock, for tools that look at a running daemon's position.
  static Result<std::optional<State>> peek(const std::filesystem::path& folder);
  const std::filesystem::path& folder() const noexcept { return folder_; }

 private:
  Store(std::filesystem::path folder, UniqueFd lock)
      : folder_(std::move(folder)), lock_(std::move(lock)) {}
  std::filesystem::path folder_;
  UniqueFd lock_;
};

}  // namespace sluice::position
