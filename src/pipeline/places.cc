#include "pipeline/places.h"

#include <algorithm>
#include <utility>

#include "sluice/binlog/control_events.h"
#include "sluice/binlog/event.h"
#include "sluice/binlog/rows.h"
#include "sluice/binlog/transaction_print.h"
#include "sluice/binlog/transaction_tracker.h"
#include "sluice/binlog/unpacker.h"
#include "sluice/config/values.h"

namespace sluice::pipeline {
namespace {

using binlog::EventType;

constexpr std::uint64_t kHead = 4;  // behind the file's magic number

// Whether a transaction comes behind `set`; `before`: executed before it.  MariaDB's set is a place
// in each domain, whatever the numbers are.
bool is_behind(const Gtid& gtid, const GtidSet& before, const GtidSet& set) {
  const auto* const mariadb = std::get_if<MariadbGtid>(&gtid);
  if (mariadb == nullptr || set.mariadb() == nullptr || before.mariadb() == nullptr)
    return !set.contains(gtid);
  const auto& wanted = set.mariadb()->domains();
  const auto& seen = before.mariadb()->domains();
  const auto last = wanted.find(mariadb->domain);
  const auto at = seen.find(mariadb->domain);
  return last == wanted.end() || (at != seen.end() && at->second == last->second);
}

}  // namespace

// Reads on from the head of a file, event by event.
class PlaceFinder::Walk {
 public:
  Walk(const PlaceFinder& finder, std::unique_ptr<binlog::EventSource> source, std::string file)
      : finder_(&finder),
        source_(std::move(source)),
        framer_(source_->announced_checksum(), true),
        file_(std::move(file)),
        gtids_(finder.flavor_) {}

  static Result<Walk> begin(const PlaceFinder& finder, const std::string& file) {
    SLUICE_TRY_ASSIGN(auto source, finder.open_({file, kHead}));
    return Walk(finder, std::move(source), file);
  }

  // Reads up to the end of the next event of a file.  False: the end of the binlog was reached.
  Result<bool> next() {
    for (;;) {
      if (at_end()) return false;
      SLUICE_TRY_ASSIGN(const Bytes bytes, source_->next());
      SLUICE_TRY_ASSIGN(const auto event, framer_.frame(bytes));
      const EventType type = event.header.type;
      if (type == EventType::heartbeat || type == EventType::heartbeat_v2) continue;
      if (event.header.artificial()) {
        if (type == EventType::rotate) SLUICE_TRY(enter(event));
        continue;
      }
      SLUICE_TRY(take(event));
      return true;
    }
  }

  const std::string& file() const noexcept { return file_; }
  // Of the event read last.
  std::uint64_t start() const noexcept { return start_; }
  std::uint64_t end() const noexcept { return pos_; }
  bool inside() const noexcept { return tracker_.inside(); }
  bool began() const noexcept { return tracker_.began(); }
  std::int64_t time_us() const noexcept { return tracker_.time_us(); }
  // The event read last ends a file that another one was begun after.
  bool at_rotate() const noexcept { return at_rotate_; }
  // The file's FORMAT_DESCRIPTION, once it was read.
  const binlog::FormatDescription* format() const noexcept { return framer_.format(); }
  // What the files before this one hold is known, or will not be told.
  bool head_is_read() const noexcept { return head_is_read_ || at_end(); }
  // Executed before the place, but for the transaction that is open.
  const GtidSet& gtids() const noexcept { return gtids_; }
  // Of the transaction begun last.
  const Gtid& gtid() const noexcept { return tracker_.gtid(); }
  // Of the transaction begun last, as far as it was read.
  std::uint64_t print() const noexcept { return print_.value(); }
  void clear_print() noexcept { print_.clear(); }

 private:
  bool at_end() const noexcept {
    return framer_.format() != nullptr && file_ == finder_->end_.file && pos_ >= finder_->end_.pos;
  }

  Status enter(const binlog::EventView& event) {
    SLUICE_TRY_ASSIGN(const auto rotate, binlog::RotateEvent::decode(event.body));
    if (file_ == rotate.next_file && pos_ != 0) return {};  // said twice
    file_ = rotate.next_file;
    pos_ = rotate.pos;
    head_is_read_ = false;
    return {};
  }

  Status take(const binlog::EventView& event) {
    if (framer_.format() == nullptr)
      return fatal(Errc::binlog_malformed, file_ + " does not begin with FORMAT_DESCRIPTION");
    start_ = pos_;
    at_rotate_ = event.header.type == EventType::rotate;
    pos_ += event.whole.size();
    if (event.header.log_pos != 0 && event.header.log_pos != static_cast<std::uint32_t>(pos_))
      return fatal(Errc::binlog_malformed,
                   file_ + ":" + std::to_string(start_) + ": an event says it ends at " +
                       std::to_string(event.header.log_pos) + ", counted " + std::to_string(pos_));
    switch (event.header.type) {
      case EventType::previous_gtids:
      case EventType::gtid_list: {
        SLUICE_TRY_ASSIGN(const GtidSet before,
                          binlog::decode_gtid_set_event(event.header, event.body));
        gtids_.add(before);
        head_is_read_ = true;
        break;
      }
      case EventType::format_description:
        open_ = false;  // the server crashed inside it
        break;
      case EventType::start_encryption: break;
      default: head_is_read_ = true; break;
    }
    const bool was_open = open_;
    const Gtid last = was_open ? tracker_.gtid() : Gtid();
    SLUICE_TRY(tracker_.take(event, *framer_.format()));
    if (was_open && tracker_.began()) gtids_.add(last);  // of nothing but ignorable events
    if (tracker_.began()) print_.clear();
    SLUICE_TRY(add_to_print(event));
    open_ = open_ || tracker_.began();
    if (open_ && !tracker_.inside()) {
      gtids_.add(tracker_.gtid());
      open_ = false;
    }
    return {};
  }

  Status add_to_print(const binlog::EventView& event) {
    if (binlog::is_rows_event(event.header.type) &&
        !binlog::EventUnpacker::is_packed(event.header.type)) {
      print_.add(event, *framer_.format());
      return {};
    }
    if (!binlog::EventUnpacker::is_packed(event.header.type)) return {};
    SLUICE_TRY(unpacker_->open(event, *framer_.format()));
    binlog::EventView inner;
    for (;;) {
      SLUICE_TRY_ASSIGN(const bool more, unpacker_->next(inner));
      if (!more) return {};
      if (binlog::is_rows_event(inner.header.type)) print_.add(inner, *framer_.format());
    }
  }

  const PlaceFinder* finder_;
  std::unique_ptr<binlog::EventSource> source_;
  binlog::TransactionPrint print_;
  std::unique_ptr<binlog::EventUnpacker> unpacker_ = std::make_unique<binlog::EventUnpacker>();
  binlog::EventFramer framer_;
  binlog::TransactionTracker tracker_;
  std::string file_;
  std::uint64_t start_ = 0, pos_ = 0;
  bool head_is_read_ = false;
  bool at_rotate_ = false;
  bool open_ = false;  // a transaction whose GTID is not in gtids_ yet
  GtidSet gtids_;
};

Result<Place> PlaceFinder::at(const BinlogPosition& position) const {
  const std::string text = position.to_string();
  if (std::find(files_.begin(), files_.end(), position.file) == files_.end()) {
    const std::string have = files_.empty() ? "none" : files_.front() + " to " + files_.back();
    return fatal(Errc::mysql_binlog_purged,
                 "binlog " + position.file + " is not on the source (any more); it has " + have);
  }
  if (position.file == end_.file && position.pos > end_.pos)
    return fatal(Errc::usage, text + " lies beyond the end of the binlog, " + end_.to_string());
  SLUICE_TRY_ASSIGN(Walk walk, Walk::begin(*this, position.file));
  std::uint64_t before = kHead;  // the last place up to `position`
  const auto here = [&walk, &position] {
    return walk.file() == position.file ? walk.end() : kHead;
  };
  while (here() < position.pos || !walk.head_is_read()) {
    SLUICE_TRY_ASSIGN(const bool more, walk.next());
    if (!more) break;
    if (walk.file() != position.file)
      return fatal(Errc::usage, text + " lies beyond the end of the file; the next begins with " +
                                    walk.file() + ":4");
    if (!walk.inside() && walk.end() <= position.pos) before = walk.end();
  }
  // Behind a ROTATE there is nothing but the next file.
  if (before == position.pos && walk.at_rotate() && position.file != files_.back())
    return Place{{*(std::find(files_.begin(), files_.end(), position.file) + 1), kHead},
                 walk.gtids()};
  if (before == position.pos || position.pos <= kHead)
    return Place{{position.file, std::max(position.pos, kHead)}, walk.gtids()};
  std::string after = "the end of the file";
  while (walk.inside() || walk.end() <= position.pos) {
    SLUICE_TRY_ASSIGN(const bool more, walk.next());
    if (!more || walk.file() != position.file) break;
  }
  if (walk.file() == position.file && !walk.inside())
    after = BinlogPosition{walk.file(), walk.end()}.to_string();
  return fatal(Errc::usage,
               text + " is not a place between two transactions; the nearest ones are " +
                   BinlogPosition{position.file, before}.to_string() + " and " + after);
}

Result<std::uint32_t> PlaceFinder::head_time(const std::string& file) const {
  SLUICE_TRY_ASSIGN(Walk walk, Walk::begin(*this, file));
  SLUICE_TRY(walk.next());
  if (walk.format() == nullptr)
    return fatal(Errc::binlog_malformed, file + " does not begin with FORMAT_DESCRIPTION");
  return walk.format()->timestamp;
}

// The last file that was begun before that second: what earlier ones hold is older.
Result<std::string> PlaceFinder::file_of_time(std::int64_t seconds) const {
  if (files_.empty())
    return fatal(Errc::mysql_preflight, "the source has no binlogs: log_bin in my.cnf");
  std::size_t low = 0, high = files_.size();
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    SLUICE_TRY_ASSIGN(const std::uint32_t begun, head_time(files_[middle]));
    if (begun < seconds)
      low = middle + 1;
    else
      high = middle;
  }
  if (low == 0) {
    SLUICE_TRY_ASSIGN(const BinlogFileName oldest, BinlogFileName::parse(files_.front()));
    if (oldest.number > 1)
      return fatal(Errc::mysql_binlog_purged,
                   "the source's binlog begins after " + utc_time_text(seconds) + ", with " +
                       files_.front() + ": transactions of that time are not there any more");
  }
  return files_[low == 0 ? 0 : low - 1];
}

Result<bool> PlaceFinder::reaches_back_to(std::int64_t seconds) const {
  if (files_.empty()) return false;
  SLUICE_TRY_ASSIGN(const std::uint32_t begun, head_time(files_.front()));
  return begun < seconds;
}

Result<Place> PlaceFinder::of_time(std::int64_t seconds) const {
  SLUICE_TRY_ASSIGN(const std::string file, file_of_time(seconds));
  SLUICE_TRY_ASSIGN(Walk walk, Walk::begin(*this, file));
  for (;;) {
    SLUICE_TRY_ASSIGN(const bool more, walk.next());
    if (!more) return Place{end_, walk.gtids()};
    if (walk.began() && walk.time_us() >= seconds * 1'000'000)
      return Place{{walk.file(), walk.start()}, walk.gtids()};
  }
}

Result<std::optional<Place>> PlaceFinder::behind(const position::Trail& trail,
                                                 std::int64_t seconds) const {
  constexpr std::size_t kFewest = 3;  // one transaction alone may be there many times
  const std::vector<std::uint64_t>& prints = trail.prints;
  SLUICE_TRY_ASSIGN(const std::string file, file_of_time(seconds));
  SLUICE_TRY_ASSIGN(Walk walk, Walk::begin(*this, file));
  std::vector<std::uint64_t> seen;
  std::optional<Place> found;
  for (;;) {
    SLUICE_TRY_ASSIGN(const bool more, walk.next());
    if (!more) return found;
    if (walk.inside() || walk.print() == 0) continue;
    seen.push_back(walk.print());
    walk.clear_print();
    const std::size_t count = std::min(seen.size(), prints.size());
    if (count >= std::min(prints.size(), kFewest) &&
        std::equal(prints.end() - static_cast<std::ptrdiff_t>(count), prints.end(),
                   seen.end() - static_cast<std::ptrdiff_t>(count))) {
      if (found) return std::optional<Place>();
      found = Place{{walk.file(), walk.end()}, walk.gtids()};
    }
    if (seen.size() > 2 * position::Trail::kLongest)
      seen.erase(seen.begin(), seen.end() - position::Trail::kLongest);
  }
}

Result<Place> PlaceFinder::behind(const GtidSet& set, const std::string& file) const {
  SLUICE_TRY_ASSIGN(Walk walk, Walk::begin(*this, file));
  Place place;
  for (;;) {
    SLUICE_TRY_ASSIGN(const bool more, walk.next());
    if (!more) {
      place = {end_, walk.gtids()};
      break;
    }
    if (walk.began() && is_behind(walk.gtid(), walk.gtids(), set)) {
      place = {{walk.file(), walk.start()}, walk.gtids()};
      break;
    }
  }
  const GtidSet later = set.minus(place.gtids);
  if (later.empty()) return place;
  return fatal(Errc::usage,
               "the first transaction that the set lacks begins at " + place.position.to_string() +
                   ", but others of the set come behind it (" + later.to_string().substr(0, 400) +
                   "): no place of this binlog is behind the whole set. Begin at " +
                   place.position.to_string() + ": rows of these transactions come again then");
}

}  // namespace sluice::pipeline
