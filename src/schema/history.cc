#include "sluice/schema/history.h"

#include <algorithm>
#include <string_view>
#include <system_error>
#include <tuple>
#include <utility>
#include <variant>

#include "sluice/base/checksum.h"
#include "sluice/base/log.h"

#include "schema/history_line.h"

namespace sluice::schema {
namespace {

namespace fs = std::filesystem;

std::uint32_t fingerprint_of(const history::Record& record) {
  return crc32(as_bytes(history::encode(record, 0)));
}

std::string scope_of(const history::Record& record) {
  const auto* snapshot = std::get_if<history::Snapshot>(&record);
  return snapshot == nullptr ? std::string() : snapshot->scope;
}

}  // namespace

Error History::damaged(std::uint64_t line, const std::string& what) const {
  return fatal(Errc::schema_history,
               path_.string() + " is damaged in line " + std::to_string(line) + ": " + what +
                   ". Put the state folder back from a backup, or `rm " + path_.string() +
                   "`: the next start reads the tables from the source, and asks the binlog since "
                   "the saved position for what has changed them");
}

Result<std::unique_ptr<History>> History::load(const fs::path& file, bool write,
                                               const Clock& clock) {
  std::unique_ptr<History> history(new History(file, clock));
  std::error_code ec;
  const bool is_there = fs::exists(file, ec);
  if (ec) return fatal(Errc::io, "look at " + file.string() + ": " + ec.message());
  const Lock lock(history->mu_);
  if (!is_there) {
    if (!write) return history;
    SLUICE_TRY(
        write_file_durably(file, history::encode(history::Head{}, clock.wall_us() / 1'000'000)));
  }
  SLUICE_TRY_ASSIGN(const std::string content, read_file(file));
  SLUICE_TRY(history->read_lines(content));
  if (!write) return history;
  SLUICE_TRY_ASSIGN(history->file_, AppendFile::open(file));
  if (history->size_ < content.size()) {
    log::get("schema").warn(
        "the end of the schema history was cut off by a crash, its last line is taken out file={} "
        "bytes={}",
        file.string(), content.size() - history->size_);
    SLUICE_TRY(history->file_->truncate(history->size_));
  }
  if (history->lines_ == 0) {  // not even its head was whole
    const std::string head = history::encode(history::Head{}, clock.wall_us() / 1'000'000);
    SLUICE_TRY(history->file_->append(head));
    history->lines_ = 1;
    history->size_ = head.size();
  }
  return history;
}

Result<std::unique_ptr<History>> History::open(const fs::path& file, const Clock& clock) {
  return load(file, true, clock);
}

Result<std::unique_ptr<History>> History::peek(const fs::path& file, const Clock& clock) {
  return load(file, false, clock);
}

Result<bool> History::remove(const fs::path& file, bool really) {
  std::error_code ec;
  const bool found = fs::exists(file, ec);
  if (found && really) fs::remove(file, ec);
  if (ec) return fatal(Errc::io, "remove " + file.string() + ": " + ec.message());
  return found;
}

// A line is written in one go, so what a crash leaves of it is a part without its line feed, or
// blocks that were never written, which are NULs.
Status History::read_lines(std::string_view content) {
  while (size_ < content.size()) {
    const std::string_view rest = content.substr(size_);
    const std::size_t end = rest.find('\n');
    if (end == std::string_view::npos) return {};
    const std::string_view text = rest.substr(0, end);
    auto line = history::decode(text);
    if (!line) {
      const bool last = size_ + end + 1 == content.size();
      if (last && text.find('\0') != std::string_view::npos) return {};
      return damaged(lines_ + 1, line.error().what);
    }
    if (const auto* head = std::get_if<history::Head>(&line->record)) {
      if (lines_ != 0) return damaged(lines_ + 1, "a second head");
      if (head->version != history::kVersion)
        return fatal(Errc::schema_history,
                     path_.string() + " has version " + std::to_string(head->version) +
                         ", this program knows " + std::to_string(history::kVersion) +
                         ": run the newer sluice that wrote it");
    } else {
      if (lines_ == 0) return damaged(1, "it is not the head");
      const Kind kind = std::visit(
          [](const auto& one) {
            using T = std::decay_t<decltype(one)>;
            if constexpr (std::is_same_v<T, history::Snapshot>) return Kind::snapshot;
            if constexpr (std::is_same_v<T, history::TableRead>) return Kind::table;
            if constexpr (std::is_same_v<T, history::Break>) return Kind::gap;
            return Kind::ddl;
          },
          line->record);
      entries_.emplace(
          *history::place_of(line->record),
          Entry{kind, line->written_at, size_, end, lines_,
                kind == Kind::table ? fingerprint_of(line->record) : 0, scope_of(line->record)});
      if (kind == Kind::snapshot) not_below_ = std::max(not_below_, 2 * end);
    }
    ++lines_;
    size_ += end + 1;
  }
  return {};
}

template <class R>
Status History::write(Kind kind, const R& record) {
  if (!file_) return fatal(Errc::internal, path_.string() + " was opened for looking at it only");
  const history::Record any(record);
  const std::uint32_t fingerprint = kind == Kind::table ? fingerprint_of(any) : 0;
  const auto [begin, end] = entries_.equal_range(record.place);
  if (kind == Kind::ddl || kind == Kind::table)
    for (auto known = begin; known != end; ++known)
      if (known->second.kind == kind && known->second.fingerprint == fingerprint) return {};
  const std::int64_t now = clock_->wall_us() / 1'000'000;
  const std::string line = history::encode(any, now);
  SLUICE_TRY(file_->append(line));
  entries_.emplace(record.place,
                   Entry{kind, now, size_, line.size() - 1, lines_, fingerprint, scope_of(any)});
  ++lines_;
  size_ += line.size();
  return {};
}

Status History::add_snapshot(const Place& place, const Definitions& tables,
                             const std::string& scope) {
  const Lock lock(mu_);
  return write(Kind::snapshot, history::Snapshot{place, tables, scope});
}

Status History::add(const DdlStatement& statement) {
  const Lock lock(mu_);
  return write(Kind::ddl, statement);
}

Status History::add_table(const Place& place, const TableSchema& table) {
  const Lock lock(mu_);
  return write(Kind::table, history::TableRead{place, table});
}

Status History::add_break(const Place& place, std::string why) {
  const Lock lock(mu_);
  return write(Kind::gap, history::Break{place, std::move(why)});
}

template <class R>
Result<R> History::read(std::string_view content, const Entry& entry) const {
  auto line = history::decode(
      content.size() < entry.offset ? "" : content.substr(entry.offset, entry.length));
  if (!line) return damaged(entry.number + 1, line.error().what);
  auto* record = std::get_if<R>(&line->record);
  if (record == nullptr) return damaged(entry.number + 1, "it has changed");
  return std::move(*record);
}

// The last snapshot up to `place`, when no break that came after it lies between.
History::Entries::const_iterator History::base_of(const Place& place) const {
  auto base = entries_.end();
  std::uint64_t broken = 0;  // number of the latest break met on the way back
  for (auto it = entries_.upper_bound(place); it != entries_.begin();) {
    --it;
    const Entry& entry = it->second;
    if (it->first.epoch() != place.epoch()) break;  // places of another history
    if (entry.kind == Kind::gap) broken = std::max(broken, entry.number);
    if (entry.kind != Kind::snapshot) continue;
    if (base == entries_.end() || it->first == base->first) {
      if (base == entries_.end() || entry.number > base->second.number) base = it;
    } else {
      break;
    }
  }
  return base != entries_.end() && broken > base->second.number ? entries_.end() : base;
}

std::optional<std::string> History::scope(const Place& place) const {
  const Lock lock(mu_);
  const auto base = base_of(place);
  return base == entries_.end() ? std::nullopt : std::optional(base->second.scope);
}

Result<std::optional<Definitions>> History::restore(const Place& place) const {
  const Lock lock(mu_);
  return restored(place);
}

Result<std::optional<Definitions>> History::restored(const Place& place) const {
  const auto base = base_of(place);
  if (base == entries_.end()) return std::optional<Definitions>();
  SLUICE_TRY_ASSIGN(const std::string content, read_file(path_));
  SLUICE_TRY_ASSIGN(auto snapshot, read<history::Snapshot>(content, base->second));
  Definitions tables = std::move(snapshot.tables);
  // What was read from the source at the end of a statement has seen it.
  std::vector<Entries::const_iterator> since;
  const auto end = entries_.upper_bound(place);
  for (auto it = entries_.upper_bound(base->first); it != end; ++it)
    if (it->second.kind == Kind::ddl || it->second.kind == Kind::table) since.push_back(it);
  const auto rank = [](const Entry& e) { return e.kind == Kind::table ? 1 : 0; };
  std::stable_sort(since.begin(), since.end(), [&rank](const auto& a, const auto& b) {
    return std::tuple(a->first, rank(a->second)) < std::tuple(b->first, rank(b->second));
  });
  for (const auto& it : since) {
    if (it->second.kind == Kind::table) {
      SLUICE_TRY_ASSIGN(auto read_then, read<history::TableRead>(content, it->second));
      tables.put(std::move(read_then.table));
    } else {
      SLUICE_TRY_ASSIGN(const auto ddl, read<DdlStatement>(content, it->second));
      tables.apply(ddl.text, ddl.context);
    }
  }
  return std::optional(std::move(tables));
}

Result<std::vector<History::Later>> History::later(const Place& place) const {
  const Lock lock(mu_);
  std::vector<Later> out;
  std::optional<std::string> content;
  for (auto it = entries_.upper_bound(place); it != entries_.end(); ++it) {
    const Entry& entry = it->second;
    if (it->first.epoch() != place.epoch()) break;
    if (entry.kind != Kind::table && entry.kind != Kind::snapshot) continue;
    if (!content) {
      SLUICE_TRY_ASSIGN(content, read_file(path_));
    }
    Later one;
    one.place = it->first;
    one.snapshot = entry.kind == Kind::snapshot;
    if (one.snapshot) {
      SLUICE_TRY_ASSIGN(const auto snapshot, read<history::Snapshot>(*content, entry));
      for (const auto& [name, table] : snapshot.tables.tables()) one.tables.push_back(table);
    } else {
      SLUICE_TRY_ASSIGN(auto read_then, read<history::TableRead>(*content, entry));
      one.tables.push_back(std::move(read_then.table));
    }
    out.push_back(std::move(one));
  }
  return out;
}

Status History::carry_over(const Place& from, const Place& to) {
  const Lock lock(mu_);
  SLUICE_TRY_ASSIGN(const auto tables, restored(from));
  if (!tables) return {};
  return write(Kind::snapshot, history::Snapshot{to, *tables, base_of(from)->second.scope});
}

// The last place that nobody needs to go back behind: written about before the time to keep, and
// not behind the restart position.
std::optional<Place> History::cut_for(const Place& restart, std::chrono::seconds keep) const {
  const std::int64_t before = clock_->wall_us() / 1'000'000 - keep.count();
  std::optional<Place> cut;
  for (const auto& [place, entry] : entries_) {
    if (place > restart) break;
    if (entry.written_at <= before && entry.kind != Kind::gap) cut = place;
  }
  return cut;
}

Status History::compact(const Place& restart, std::chrono::seconds keep, std::uint64_t above) {
  const Lock lock(mu_);
  if (!file_ || size_ <= std::max(above, not_below_)) return {};
  not_below_ = 2 * size_;
  const auto cut = cut_for(restart, keep);
  if (!cut) return {};
  SLUICE_TRY_ASSIGN(const auto tables, restored(*cut));
  if (!tables) return {};
  const std::uint64_t before = size_;
  SLUICE_TRY_ASSIGN(const std::string content, read_file(path_));
  const std::int64_t now = clock_->wall_us() / 1'000'000;
  std::string anew = history::encode(history::Head{}, now);
  const std::string snapshot =
      history::encode(history::Snapshot{*cut, *tables, base_of(*cut)->second.scope}, now);
  anew += snapshot;
  std::vector<const Entry*> kept;
  for (auto it = entries_.upper_bound(*cut); it != entries_.end(); ++it)
    kept.push_back(&it->second);
  std::sort(kept.begin(), kept.end(),
            [](const Entry* a, const Entry* b) { return a->number < b->number; });
  for (const Entry* entry : kept) {
    if (content.size() < entry->offset + entry->length + 1)
      return damaged(entry->number + 1, "it is not there any more");
    anew.append(content, entry->offset, entry->length + 1);
  }
  if (Status s = write_file_durably(path_, anew); !s.ok()) {
    // It stays as long as it is, and is looked at again when it has grown.
    if (s.error().code != Errc::no_space) return s;
    log::get("schema").warn("no room to write the schema history anew bytes={} error=\"{}\"",
                            before, to_string(s.error()));
    return {};
  }
  SLUICE_TRY_ASSIGN(file_, AppendFile::open(path_));
  entries_.clear();
  lines_ = size_ = 0;
  not_below_ = 0;
  SLUICE_TRY(read_lines(anew));
  not_below_ = std::max(not_below_, 2 * size_);
  log::get("schema").info("schema history written anew from={} bytes_before={} bytes={}",
                          cut->to_string(), before, size_);
  return {};
}

std::uint64_t History::size() const {
  const Lock lock(mu_);
  return size_;
}

}  // namespace sluice::schema
