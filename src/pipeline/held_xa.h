#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sluice/base/mutex.h"
#include "sluice/base/result.h"
#include "sluice/model/event_id.h"
#include "sluice/position/held_file.h"

namespace sluice::pipeline {

// XA transactions that are prepared and not over yet: in memory while they are small and young,
// else as files in the state folder's xa/.  What a restart point lies behind the PREPARE of, and
// not behind the end of, is in a file before that point is saved (persist), and stays there until
// state.json and its backup are both behind the end (saved).  Thread-safe.
class HeldXa {
 public:
  // `memory_bytes`: of records held in memory; above it they go into files at once.
  HeldXa(std::filesystem::path folder, std::size_t memory_bytes)
      : folder_(std::move(folder)), memory_bytes_(memory_bytes) {}

  // Finds the files of earlier runs.  `point`: where reading begins; what was prepared behind it is
  // read again, and its file removed.  A damaged file is an error when its rows are wanted.
  // Errors: fatal/io.
  Status load(const TransactionId& point);
  // Removes what earlier runs held, when `really`, for an instance that begins anew; how many there
  // were.  Errors: fatal/io.
  static Result<std::size_t> remove_all(const std::filesystem::path& folder, bool really);
  // Whether a state saved at `point` needs files of the folder: right after persist().  Errors:
  // fatal/io.
  static Result<bool> needed_at(const std::filesystem::path& folder, const TransactionId& point);

  // ---- The source's thread ----
  struct Held {
    position::HeldSummary summary;
    position::RecordReader records;
  };
  // Takes over a prepared transaction: its records, or the writer that has them.  The same one
  // again, read once more, takes the place of the first.  Errors: fatal/io.
  Status add(position::HeldSummary summary, std::string_view records);
  Status add(position::HeldSummary summary, position::HeldWriter writer);
  // The one of this xid that was prepared last and is not over; nullopt: there is none.  Errors:
  // fatal/io, fatal/position_damaged.
  Result<std::optional<Held>> find(const std::string& xid);
  // All of this xid are over: committed or rolled back by the transaction `by`.
  void end(const std::string& xid, const TransactionId& by);
  // For the writer of the one transaction that is being read.
  static constexpr std::string_view kReading = "reading.tmp";
  const std::filesystem::path& folder() const noexcept { return folder_; }

  // ---- The thread that saves the position ----
  // Before `point` is saved.  Errors: fatal/io.
  Status persist(const TransactionId& point);
  // After it was saved, durably, the point saved before being the backup.  Errors: fatal/io.
  Status saved(const TransactionId& point);

  // Not over, whether their rows are ours or not.
  std::size_t count() const;

 private:
  // By xid hash: the summary of a damaged file cannot be read.
  using Key = std::pair<std::uint64_t, TransactionId>;
  struct Entry {
    position::HeldSummary summary;
    std::shared_ptr<const std::string> records;  // null: in the file alone
    position::HeldName name;
    std::uint64_t records_end = 0;  // of the file
    bool in_file = false;
    bool durable = false;
    std::optional<Error> damage;
    std::optional<TransactionId> ended;
    bool over_before(const TransactionId& point) const { return ended && *ended < point; }
  };
  // A file to be written, or only to be made durable, or to be given the name of one that is over.
  struct Task {
    Key key;
    position::HeldName name, new_name;
    std::shared_ptr<const std::string> records;
    position::HeldSummary summary;
    std::uint64_t records_end = 0;
  };
  std::filesystem::path path_of(const position::HeldName& name) const {
    return folder_ / name.to_string();
  }
  void insert(position::HeldSummary summary, Entry entry);
  Status add(position::HeldSummary summary, position::HeldWriter writer, bool sync);
  std::vector<Task> tasks(const TransactionId& point) const;
  Status perform(Task& task) const;

  const std::filesystem::path folder_;
  const std::size_t memory_bytes_;
  mutable Mutex mu_;
  std::map<Key, Entry> entries_ GUARDED_BY(mu_);
  std::size_t bytes_ GUARDED_BY(mu_) = 0;  // of records in memory
  TransactionId backup_;  // the point in state.json.bak, at the least; the saving thread's
};

}  // namespace sluice::pipeline
