#pragma once
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sluice/base/clock.h"
#include "sluice/base/files.h"
#include "sluice/base/mutex.h"
#include "sluice/base/result.h"
#include "sluice/model/table_schema.h"
#include "sluice/schema/ddl_statement.h"
#include "sluice/schema/definitions.h"
#include "sluice/schema/place.h"

namespace sluice::schema {

// The schema history: a file that grows, of lines with a checksum each.  All records speak of
// places of the binlog, so their order in the file does not matter, but for that of breaks and
// snapshots:
//
//   head      the version of the format
//   snapshot  the tables there, those that are not known there, the databases' character sets
//   ddl       a statement that ends there
//   table     a table as it is from there on, read from the source
//   break     what went before does not lead to what comes behind it
//
// Each epoch begins anew.
// Each record is on disk when its call returns.  A line that a crash has cut off is taken out at
// the next open().  Errors of all: fatal/io; fatal/schema_history with file, line and remedy.
// Thread-safe.
class History {
 public:
  // What a later place brings beside the statements of the binlog.
  struct Later {
    Place place;
    std::vector<TableSchema> tables;
    bool snapshot = false;  // for tables that are not known otherwise
  };
  static constexpr std::uint64_t kCompactAbove = 4u << 20;  // bytes

  // For writing; makes the file when there is none.  The caller holds the state folder's lock.
  static Result<std::unique_ptr<History>> open(const std::filesystem::path& file,
                                               const Clock& clock);
  // For looking at, beside a running daemon; without a file it is empty.
  static Result<std::unique_ptr<History>> peek(const std::filesystem::path& file,
                                               const Clock& clock);
  // Removes the file when `really`; tells whether there was one.
  static Result<bool> remove(const std::filesystem::path& file, bool really);

  // `scope`: whose tables these are; what follows is of the same.
  Status add_snapshot(const Place& place, const Definitions& tables, const std::string& scope = "");
  // A statement that is there already is not written again.
  Status add(const DdlStatement& statement);
  Status add_table(const Place& place, const TableSchema& table);
  Status add_break(const Place& place, std::string why);

  // True when restore() has an answer.
  bool covers(const Place& place) const { return scope(place).has_value(); }
  // The scope of what restore() gives; nullopt when it has no answer.
  std::optional<std::string> scope(const Place& place) const;
  // The tables at a place: the snapshot before it and all that came since.  Nullopt when there is
  // none, or a break in between.
  Result<std::optional<Definitions>> restore(const Place& place) const;
  // What tables and snapshots behind it bring, in the order of their places.
  Result<std::vector<Later>> later(const Place& place) const;

  // What held at `from` holds at `to`, where another epoch goes on with the same transactions.
  Status carry_over(const Place& from, const Place& to);

  // When the file has become large: writes it anew so that it begins with a snapshot.  Places that
  // were written about within `keep`, and those from `restart` on, can be restored afterwards, too.
  Status compact(const Place& restart, std::chrono::seconds keep,
                 std::uint64_t above = kCompactAbove);

  std::uint64_t size() const;

 private:
  enum class Kind : std::uint8_t { snapshot, ddl, table, gap };
  struct Entry {
    Kind kind = Kind::ddl;
    std::int64_t written_at = 0;  // seconds
    std::uint64_t offset = 0, length = 0;
    std::uint64_t number = 0;       // of the line: later ones are of later knowledge
    std::uint32_t fingerprint = 0;  // of what it says
    std::string scope;              // of a snapshot
  };
  using Entries = std::multimap<Place, Entry>;

  History(std::filesystem::path path, const Clock& clock)
      : path_(std::move(path)), clock_(&clock) {}
  static Result<std::unique_ptr<History>> load(const std::filesystem::path& file, bool write,
                                               const Clock& clock);
  Status read_lines(std::string_view content) REQUIRES_LOCK(mu_);
  Error damaged(std::uint64_t line, const std::string& what) const;
  template <class R>
  Status write(Kind kind, const R& record) REQUIRES_LOCK(mu_);
  template <class R>
  Result<R> read(std::string_view content, const Entry& entry) const;
  Entries::const_iterator base_of(const Place& place) const REQUIRES_LOCK(mu_);
  Result<std::optional<Definitions>> restored(const Place& place) const REQUIRES_LOCK(mu_);
  std::optional<Place> cut_for(const Place& restart, std::chrono::seconds keep) const
      REQUIRES_LOCK(mu_);

  const std::filesystem::path path_;
  const Clock* clock_;
  mutable Mutex mu_;
  std::optional<AppendFile> file_ GUARDED_BY(mu_);  // none: for looking at
  Entries entries_ GUARDED_BY(mu_);
  std::uint64_t lines_ GUARDED_BY(mu_) = 0;
  std::uint64_t size_ GUARDED_BY(mu_) = 0;       // of the lines that were read
  std::uint64_t not_below_ GUARDED_BY(mu_) = 0;  // size at which compact() looks again
};

}  // namespace sluice::schema
