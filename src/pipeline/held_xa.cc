#include "pipeline/held_xa.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include <unistd.h>

#include "sluice/base/files.h"
#include "sluice/base/log.h"

namespace sluice::pipeline {
namespace {

namespace fs = std::filesystem;
using position::HeldFile;
using position::HeldName;
using position::HeldWriter;
using position::RecordReader;

// Files being written, like kReading: one name for each that may be at the same time.
constexpr std::string_view kFullMemory = "full.tmp";
constexpr std::string_view kPersisted = "persisted.tmp";

Status remove_file(const fs::path& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return io_error("remove", path, errno);
  return {};
}

}  // namespace

Status HeldXa::load(const TransactionId& point) {
  SLUICE_TRY_ASSIGN(const auto names, position::list_held(folder_));
  backup_ = point;
  // What a crash left.
  for (const std::string_view name : {kReading, kFullMemory, kPersisted})
    SLUICE_TRY(remove_file(folder_ / name));
  for (const HeldName& name : names) {
    const fs::path path = path_of(name);
    if (name.prepared >= point) {
      SLUICE_TRY(remove_file(path));
      continue;
    }
    Entry entry;
    entry.name = name;
    entry.in_file = entry.durable = true;
    // One that ended behind the point is not over: its end is read again.
    if (name.ended && *name.ended < point) entry.ended = name.ended;
    auto file = HeldFile::open(path);
    if (file) {
      entry.summary = std::move(file->summary);
      entry.records_end = file->records_end;
    } else if (file.error().code == Errc::position_damaged) {
      log::get("pipeline")
          .warn("{}; it holds an XA transaction of {}", file.error().what,
                name.prepared.to_string());
      entry.damage = std::move(file).error();
    } else {
      return std::move(file).error();
    }
    const Lock lock(mu_);
    entries_[{name.xid_hash, name.prepared}] = std::move(entry);
  }
  if (const std::size_t found = count(); found != 0)
    log::get("pipeline").info("prepared XA transactions are held transactions={}", found);
  return {};
}

Result<bool> HeldXa::needed_at(const fs::path& folder, const TransactionId& point) {
  SLUICE_TRY_ASSIGN(const auto names, position::list_held(folder));
  return std::any_of(names.begin(), names.end(), [&point](const position::HeldName& name) {
    return name.prepared < point && !(name.ended && *name.ended < point);
  });
}

Result<std::size_t> HeldXa::remove_all(const fs::path& folder, bool really) {
  SLUICE_TRY_ASSIGN(const auto names, position::list_held(folder));
  for (const HeldName& name : names)
    if (really) SLUICE_TRY(remove_file(folder / name.to_string()));
  return names.size();
}

// ---- The source's thread ----

void HeldXa::insert(position::HeldSummary summary, Entry entry) {
  const Key key{position::xid_hash(summary.xid), summary.prepared};
  entry.name = {key.first, key.second, std::nullopt};
  entry.summary = std::move(summary);
  const Lock lock(mu_);
  Entry& place = entries_[key];
  if (place.records) bytes_ -= place.records->size();
  if (entry.records) bytes_ += entry.records->size();
  place = std::move(entry);
}

Status HeldXa::add(position::HeldSummary summary, std::string_view records) {
  bool fits = false;
  {
    const Lock lock(mu_);
    fits = bytes_ + records.size() <= memory_bytes_;
  }
  if (!fits) {
    SLUICE_TRY_ASSIGN(HeldWriter writer, HeldWriter::create(folder_, kFullMemory));
    SLUICE_TRY(writer.append(records));
    return add(std::move(summary), std::move(writer), false);
  }
  Entry entry;
  entry.records = std::make_shared<const std::string>(records);
  insert(std::move(summary), std::move(entry));
  return {};
}

Status HeldXa::add(position::HeldSummary summary, HeldWriter writer) {
  // Large: what there is to wait for the disk is waited for here, not by the thread that saves.
  return add(std::move(summary), std::move(writer), true);
}

Status HeldXa::add(position::HeldSummary summary, HeldWriter writer, bool sync) {
  Entry entry;
  const HeldName name{position::xid_hash(summary.xid), summary.prepared, std::nullopt};
  SLUICE_TRY(writer.finish(summary, path_of(name), sync));
  entry.records_end = writer.records_end();
  entry.in_file = true;
  insert(std::move(summary), std::move(entry));
  return {};
}

Result<std::optional<HeldXa::Held>> HeldXa::find(const std::string& xid) {
  Entry found;
  {
    const Lock lock(mu_);
    const std::uint64_t hash = position::xid_hash(xid);
    bool any = false;
    for (auto it = entries_.lower_bound({hash, {}});
         it != entries_.end() && it->first.first == hash; ++it) {
      const Entry& entry = it->second;
      if (entry.ended || (!entry.damage && entry.summary.xid != xid)) continue;
      found = entry;
      any = true;
    }
    if (!any) return std::optional<Held>();
  }
  if (found.damage) return std::move(*found.damage);
  if (found.records)
    return std::optional(Held{std::move(found.summary), RecordReader(std::move(found.records))});
  SLUICE_TRY_ASSIGN(RecordReader reader,
                    RecordReader::open(path_of(found.name), found.records_end));
  return std::optional(Held{std::move(found.summary), std::move(reader)});
}

void HeldXa::end(const std::string& xid, const TransactionId& by) {
  const Lock lock(mu_);
  const std::uint64_t hash = position::xid_hash(xid);
  for (auto it = entries_.lower_bound({hash, {}}); it != entries_.end() && it->first.first == hash;
       ++it) {
    Entry& entry = it->second;
    if (!entry.ended && (entry.damage || entry.summary.xid == xid)) entry.ended = by;
  }
}

std::size_t HeldXa::count() const {
  const Lock lock(mu_);
  return static_cast<std::size_t>(std::count_if(entries_.begin(), entries_.end(),
                                                [](const auto& e) { return !e.second.ended; }));
}

// ---- The thread that saves the position ----

std::vector<HeldXa::Task> HeldXa::tasks(const TransactionId& point) const {
  std::vector<Task> out;
  const Lock lock(mu_);
  for (const auto& [key, entry] : entries_) {
    Task task{key, entry.name, entry.name, nullptr, {}, 0};
    if (entry.over_before(point)) {
      // From now on its name says so: after a crash nobody takes it for one that is still waiting.
      task.new_name.ended = entry.ended;
      if (entry.in_file && task.new_name != task.name) out.push_back(std::move(task));
    } else if (entry.name.prepared < point && !entry.durable) {
      task.records = entry.records;
      if (task.records) task.summary = entry.summary;
      out.push_back(std::move(task));
    }
  }
  return out;
}

Status HeldXa::perform(Task& task) const {
  const fs::path path = path_of(task.name);
  if (task.records) {
    SLUICE_TRY_ASSIGN(HeldWriter writer, HeldWriter::create(folder_, kPersisted));
    SLUICE_TRY(writer.append(*task.records));
    SLUICE_TRY(writer.finish(task.summary, path, true));
    task.records_end = writer.records_end();
    return {};
  }
  if (task.new_name == task.name) return sync_file(path);
  const fs::path renamed = path_of(task.new_name);
  if (::rename(path.c_str(), renamed.c_str()) != 0) return io_error("rename", path, errno);
  return {};
}

Status HeldXa::persist(const TransactionId& point) {
  std::vector<Task> todo = tasks(point);
  if (todo.empty()) return {};
  Status out;
  std::vector<Task> done;
  for (Task& task : todo) {
    out = perform(task);
    if (!out.ok()) break;
    done.push_back(std::move(task));
  }
  // What was done before an error is not done again when the point is saved in spite of it, later.
  if (!done.empty()) SLUICE_TRY(sync_folder(folder_));
  const Lock lock(mu_);
  for (const Task& task : done) {
    const auto it = entries_.find(task.key);
    if (it == entries_.end() || it->second.records != task.records) continue;
    Entry& entry = it->second;
    entry.name = task.new_name;
    if (entry.name.ended) continue;
    entry.durable = entry.in_file = true;
    if (!entry.records) continue;
    entry.records_end = task.records_end;
    bytes_ -= entry.records->size();
    entry.records.reset();
  }
  return out;
}

Status HeldXa::saved(const TransactionId& point) {
  std::vector<fs::path> gone;
  {
    const Lock lock(mu_);
    std::erase_if(entries_, [&](const auto& item) REQUIRES_LOCK(mu_) {
      const Entry& entry = item.second;
      if (!entry.over_before(entry.in_file ? backup_ : point)) return false;
      if (entry.records) bytes_ -= entry.records->size();
      if (entry.in_file) gone.push_back(path_of(entry.name));
      return true;
    });
  }
  for (const fs::path& path : gone) SLUICE_TRY(remove_file(path));
  backup_ = point;
  return {};
}

}  // namespace sluice::pipeline
