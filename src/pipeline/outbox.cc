#include "pipeline/outbox.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace sluice::pipeline {
namespace {

// More candidates than this, and transactions without rows are folded together: a source of
// filtered rows must not fill memory while the broker is away.
constexpr std::size_t kFoldAbove = 4096;
// Any are above this: one queue that takes nothing (the one for DDL) while rows flow must not,
// either.
constexpr std::size_t kMostCandidates = 1u << 14;
constexpr std::size_t kMostPrints = 1u << 16;
constexpr std::size_t kPooledMessages = 64;
constexpr std::size_t kLineRoom = 128;  // what a line takes beside its text and its types
// More of a partition's lines than this are copied without the lock: the publisher, which confirms
// and takes meanwhile, would wait for milliseconds otherwise.
constexpr std::size_t kCopiedUnderLock = 16u << 10;

bool same_table(const event::TablePlan& a, const event::TablePlan& b) {
  return a.schema().name == b.schema().name && a.schema().database == b.schema().database;
}

// Whether the types of `plan` are to be written: not when they stand in the message already and are
// the last said of the table.
bool needs_types(OutgoingMessage& m, const event::TablePlan* plan, const TransactionBatch& batch) {
  for (const auto& known : m.typed)
    if (known.get() == plan) return false;
  std::erase_if(m.typed, [plan](const auto& known) { return same_table(*known, *plan); });
  m.typed.push_back(*std::find_if(batch.plans.begin(), batch.plans.end(),
                                  [plan](const auto& owned) { return owned.get() == plan; }));
  return true;
}

std::size_t room_of(const event::EncodedLine& line) {
  return line.size + line.plan->mysql_types().size() + line.plan->sql_types().size() + kLineRoom;
}

// Whether `bytes` more do not go into `m`.
bool is_full(const OutgoingMessage& m, std::size_t bytes, const Outbox::Settings& settings) {
  const std::size_t size = m.body.size();
  return size >= settings.message_bytes || (size != 0 && size + bytes > settings.max_message_bytes);
}

// Lines `i` to `end` of a partition, as many as `m` takes, but one at least; returns the next one.
std::size_t append_lines(OutgoingMessage& m, const TransactionBatch& batch,
                         const PartitionLines& lines, std::size_t i, std::size_t end,
                         const Outbox::Settings& settings) {
  do {
    const event::EncodedLine& line = lines.lines[i++];
    event::append_line(m.body, lines.text.view().substr(line.begin, line.size), line,
                       needs_types(m, line.plan, batch), m.number);
    if (m.headers.rows == 0) m.headers.first = line.first;
    m.headers.last = line.last;
    m.headers.rows += line.rows;
  } while (i < end && !is_full(m, room_of(lines.lines[i]), settings));
  m.headers.file = batch.file->name;
  m.headers.pos = batch.pos;
  m.headers.gtid = batch.gtid;
  m.headers.commit_us = batch.commit_us;
  m.ends_in_tick = false;
  return i;
}

}  // namespace

Outbox::Outbox(Settings settings, RestartPoint start, GtidSet gtids, Wakeup& publisher)
    : settings_(settings),
      publisher_(&publisher),
      partitions_(lanes()),
      restart_file_(start.file),
      restart_pos_(start.pos),
      restart_gtids_(gtids),
      restart_trail_(start.trail),
      read_file_(std::move(start.file)),
      read_pos_(start.pos),
      read_gtids_(std::move(gtids)),
      read_trail_(std::move(start.trail)) {
  for (std::uint32_t p = 0; p < settings_.partitions && p < start.last.size(); ++p)
    partitions_[p].last = partitions_[p].restart_last = start.last[p];
}

std::unique_ptr<OutgoingMessage> Outbox::fresh() {
  if (pool_.empty()) return std::make_unique<OutgoingMessage>();
  auto m = std::move(pool_.back());
  pool_.pop_back();
  pooled_bytes_ -= m->body.capacity();
  return m;
}

// The one that the next `bytes` go into.
OutgoingMessage& Outbox::open_message(Partition& p, std::size_t bytes) {
  if (p.gathering.empty() || is_full(*p.gathering.back(), bytes, settings_) ||
      p.gathering.back()->behind_letters != p.letters) {
    auto m = fresh();
    m->behind_letters = p.letters;
    m->number = next_number_++;
    m->headers = {};
    m->headers.prev = m->headers.first = m->headers.last = p.last;
    p.gathering.push_back(std::move(m));
  }
  return *p.gathering.back();
}

void Outbox::list(std::uint32_t partition) {
  Partition& p = partitions_[partition];
  if (p.listed || p.unconfirmed) return;
  p.listed = true;
  if (ready_.empty()) publisher_->notify();
  ready_.push_back(partition);
}

// For what a transaction brings.
Status Outbox::make_room(Lock& lock) {
  // A large transaction that is at hand already would go on for long.
  if (stop_.stop_requested()) return stopped();
  if (!room_.wait(lock.native(), stop_,
                  [this]() REQUIRES_LOCK(mu_) { return bytes_ < settings_.limit_bytes; }))
    return stopped();
  if (!serial_open_) {
    ++serial_;
    serial_open_ = true;
  }
  return {};
}

Status Outbox::add_ddl(const PublishedDdl& ddl) {
  Lock lock(mu_);
  if (!settings_.ddl) return {};
  SLUICE_TRY(make_room(lock));
  Partition& p = partitions_[settings_.partitions];
  OutgoingMessage& m = open_message(p, ddl.line.sql.size() + kLineRoom);
  const std::size_t before = m.body.size();
  event::append_ddl(m.body, ddl.line, m.number);
  bytes_ += m.body.size() - before;
  const TransactionId& id = ddl.line.id;
  p.last = {id.epoch, id.file, id.pos, 0, 0, 0};
  if (m.headers.rows == 0) m.headers.first = p.last;
  m.headers.last = p.last;
  m.headers.rows += 1;
  m.headers.file = ddl.file->name;
  m.headers.pos = ddl.pos;
  m.headers.gtid = ddl.line.gtid;
  m.headers.commit_us = ddl.commit_us;
  if (m.first_transaction == 0) m.first_transaction = serial_;
  list(settings_.partitions);
  return {};
}

Status Outbox::add(const TransactionBatch& batch) {
  Lock lock(mu_);
  SLUICE_TRY(make_room(lock));
  const std::uint64_t letters_before = letters_added_;
  add_letters(batch);
  for (const std::uint32_t n : batch.touched) {
    gather(lock, n, batch, letters_before);
    Partition& p = partitions_[n];
    if (!p.marks.empty() && p.marks.back().first == serial_)
      p.marks.back().second = p.last;
    else
      p.marks.emplace_back(serial_, p.last);
  }
  for (std::size_t i = 0; i < batch.letters.size(); ++i)
    partitions_[batch.letters[i].partition].letters = letters_before + i + 1;
  return {};
}

// The partition's lines of `batch`; a line waits for the letters that stand before it.
void Outbox::gather(Lock& lock, std::uint32_t partition, const TransactionBatch& batch,
                    std::uint64_t letters_before) {
  Partition& p = partitions_[partition];
  const PartitionLines& lines = batch.partitions[partition];
  const bool much = lines.text.size() > kCopiedUnderLock;
  std::size_t letter = 0;
  for (std::size_t i = 0; i < lines.lines.size();) {
    std::size_t end = lines.lines.size();
    for (; letter < batch.letters.size(); ++letter) {
      if (batch.letters[letter].partition != partition) continue;
      if (batch.letters[letter].lines_before > i) {
        end = std::min(end, batch.letters[letter].lines_before);
        break;
      }
      p.letters = letters_before + letter + 1;
    }
    OutgoingMessage& m = open_message(p, room_of(lines.lines[i]));
    if (m.first_transaction == 0) m.first_transaction = serial_;
    const std::size_t before = m.body.size();
    if (much) {
      p.writing = true;
      lock.native().unlock();
    }
    i = append_lines(m, batch, lines, i, end, settings_);
    if (much) {
      lock.native().lock();
      p.writing = false;
      written_.notify_all();
    }
    bytes_ += m.body.size() - before;
    p.last = lines.lines[i - 1].last;
    list(partition);
  }
}

// Each a message of its own.
void Outbox::add_letters(const TransactionBatch& batch) {
  for (const RowLetter& row : batch.letters) {
    ++letters_added_;
    auto m = fresh();
    m->number = next_number_++;
    m->headers = {};
    m->behind_letters = 0;
    m->body.append(row.letter.body);
    m->letter = std::make_unique<queue::Letter>(row.letter);
    m->letter->body.clear();
    m->first_transaction = serial_;
    bytes_ += m->body.size();
    partitions_[letters_lane()].gathering.push_back(std::move(m));
    list(letters_lane());
  }
}

void Outbox::complete(const TransactionEnd& end) {
  const Lock lock(mu_);
  serial_open_ = false;
  read_file_ = end.file;
  read_pos_ = end.pos;
  read_gtids_.add(end.gtid);
  if (end.also != nullptr) read_gtids_.add(*end.also);
  if (end.es_ms != 0) read_es_ms_ = end.es_ms;
  read_trail_.add(end.print, end.es_ms);
  if (end.print != 0) prints_.push_back(end.print);
  if (prints_.size() > kMostPrints) {  // a trail with a hole in it is none
    prints_before_ += prints_.size();
    prints_.clear();
    restart_trail_.prints.clear();
  }
  const std::uint64_t prints = prints_before_ + prints_.size();
  if (end.pos > kLargestDumpPosition) {
    if (!beyond_) beyond_ = std::make_unique<GtidSet>(read_gtids_.flavor());
    beyond_->add(end.gtid);
    return;
  }
  if (candidates_.size() > kFoldAbove) advance_restart();
  if (candidates_.size() >= kMostCandidates ||
      (candidates_.size() > kFoldAbove && candidates_.back().serial == serial_)) {
    Candidate& back = candidates_.back();
    if (back.serial != serial_) fold_marks();
    back.serial = serial_;
    if (!back.more) back.more = std::make_unique<GtidSet>(read_gtids_.flavor());
    back.more->add(end.gtid);
    if (end.also != nullptr) back.more->add(*end.also);
    if (beyond_) back.more->add(*std::exchange(beyond_, nullptr));
    back.file = end.file;
    back.pos = end.pos;
    back.prints = prints;
    back.es_ms = end.es_ms;
    return;
  }
  Candidate candidate{serial_, end.file, end.pos, end.gtid, std::exchange(beyond_, nullptr),
                      prints,  end.es_ms};
  if (end.also != nullptr) {
    if (!candidate.more) candidate.more = std::make_unique<GtidSet>(read_gtids_.flavor());
    candidate.more->add(*end.also);
  }
  candidates_.push_back(std::move(candidate));
}

// The last transaction and those of the last candidate are passed as one.
void Outbox::fold_marks() {
  const std::uint64_t before = candidates_[candidates_.size() - 2].serial;
  for (Partition& p : partitions_) {
    const std::size_t n = p.marks.size();
    if (n < 2 || p.marks[n - 1].first != serial_ || p.marks[n - 2].first <= before) continue;
    p.marks[n - 2] = p.marks[n - 1];
    p.marks.pop_back();
  }
}

bool Outbox::has_read(const Gtid& gtid) const {
  const Lock lock(mu_);
  return read_gtids_.contains(gtid);
}

position::Trail Outbox::read_trail() const {
  const Lock lock(mu_);
  return read_trail_;
}

GtidSet Outbox::read_gtids() const {
  const Lock lock(mu_);
  return read_gtids_;
}

void Outbox::set_idle(bool idle) {
  const Lock lock(mu_);
  idle_ = idle;
}

const OutgoingMessage* Outbox::take(std::uint32_t partition) {
  const Lock lock(mu_);
  Partition& p = partitions_[partition];
  if (p.unconfirmed || p.gathering.empty() || (p.writing && p.gathering.size() == 1) ||
      p.gathering.front()->behind_letters > letters_confirmed_)
    return nullptr;
  p.unconfirmed = std::move(p.gathering.front());
  p.gathering.pop_front();
  return p.unconfirmed.get();
}

void Outbox::ready(std::vector<std::uint32_t>& out) {
  out.clear();
  const Lock lock(mu_);
  out.swap(ready_);
  for (const std::uint32_t p : out) partitions_[p].listed = false;
}

const OutgoingMessage* Outbox::unconfirmed(std::uint32_t partition) const {
  const Lock lock(mu_);
  return partitions_[partition].unconfirmed.get();
}

std::uint64_t Outbox::confirmed(std::uint32_t partition) {
  const Lock lock(mu_);
  Partition& p = partitions_[partition];
  if (!p.unconfirmed) return 0;
  auto m = std::move(p.unconfirmed);
  const std::uint64_t rows = partition < settings_.partitions ? m->headers.rows : 0;
  bytes_ -= m->body.size();
  room_.notify_all();
  if (m->letter) {
    m->letter.reset();
    ++letters_confirmed_;
    for (std::uint32_t n = 0; n < settings_.partitions; ++n)
      if (!partitions_[n].gathering.empty()) list(n);
  }
  keep(std::move(m));
  if (!p.gathering.empty()) list(partition);
  return rows;
}

// For fresh(): the system gives memory of a body's size page by page and takes it back at once,
// which costs as much as writing the body (docs/benchmarks.md).
void Outbox::keep(std::unique_ptr<OutgoingMessage> m) {
  if (pool_.size() >= kPooledMessages) return;
  if (pooled_bytes_ + m->body.capacity() > settings_.partitions * settings_.message_bytes)
    m->body.release();
  pooled_bytes_ += m->body.capacity();
  m->body.clear();
  m->typed.clear();
  m->first_transaction = 0;
  m->ends_in_tick = false;
  pool_.push_back(std::move(m));
}

void Outbox::tick(std::int64_t now_ms) {
  Lock lock(mu_);
  // What a burst needed goes back by and by.
  if (!pool_.empty()) {
    pooled_bytes_ -= pool_.front()->body.capacity();
    pool_.pop_front();
  }
  if (!read_file_ || read_file_->number == 0) return;
  const auto file = read_file_;  // add() may go on while a partition is waited for
  const std::uint64_t pos = read_pos_;
  const std::string gtids = read_gtids_.to_string();
  // An idle source has nothing that is not here: the place is complete up to now.
  const std::int64_t es_ms = idle_ ? std::max(now_ms, read_es_ms_) : read_es_ms_;
  const event::TickLine line{file->epoch_number(), file->name, file->number, pos, gtids, es_ms};
  for (std::uint32_t n = 0; n < settings_.partitions; ++n) {
    Partition& p = partitions_[n];
    written_.wait(lock.native(), [&p]() { return !p.writing; });
    if (!p.gathering.empty() && p.gathering.back()->headers.rows == 0 &&
        p.gathering.back()->behind_letters == p.letters) {
      // Ticks alone, not sent yet: the newer one says it all.
      OutgoingMessage& m = *p.gathering.back();
      bytes_ -= m.body.size();
      m.body.clear();
    }
    OutgoingMessage& m = open_message(p, gtids.size() + 2 * kLineRoom);
    if (m.ends_in_tick && m.headers.rows != 0 && m.tick_file == line.file_number &&
        m.tick_pos == line.pos)
      continue;  // said already
    const std::size_t before = m.body.size();
    event::append_tick(m.body, line);
    bytes_ += m.body.size() - before;
    m.ends_in_tick = true;
    m.tick_file = line.file_number;
    m.tick_pos = line.pos;
    if (m.headers.rows == 0) {
      m.headers.file = file->name;
      m.headers.pos = pos;
    }
    list(n);
  }
}

void Outbox::enter(std::shared_ptr<const SourceFile> file, std::uint64_t pos) {
  const Lock lock(mu_);
  read_file_ = std::move(file);
  read_pos_ = pos;
}

bool Outbox::drained() const {
  const Lock lock(mu_);
  return nothing_left();
}

Status Outbox::wait_drained() {
  Lock lock(mu_);
  if (room_.wait(lock.native(), stop_, [this]() REQUIRES_LOCK(mu_) { return nothing_left(); }))
    return {};
  return stopped();
}

bool Outbox::nothing_left() const {
  return std::all_of(partitions_.begin(), partitions_.end(), [](const Partition& p) {
    return (!p.unconfirmed || p.unconfirmed->first_transaction == 0) &&
           std::all_of(p.gathering.begin(), p.gathering.end(),
                       [](const auto& m) { return m->first_transaction == 0; });
  });
}

void Outbox::advance_restart() {
  std::uint64_t first = std::numeric_limits<std::uint64_t>::max();
  for (const Partition& p : partitions_) {
    if (p.unconfirmed && p.unconfirmed->first_transaction != 0) {
      first = std::min(first, p.unconfirmed->first_transaction);
    } else {
      for (const auto& m : p.gathering)
        if (m->first_transaction != 0) {
          first = std::min(first, m->first_transaction);
          break;
        }
    }
  }
  std::uint64_t passed = 0;
  bool moved = false;
  while (!candidates_.empty() && candidates_.front().serial < first) {
    Candidate& c = candidates_.front();
    passed = c.serial;
    moved = true;
    restart_file_ = std::move(c.file);
    restart_pos_ = c.pos;
    restart_gtids_.add(c.gtid);
    if (c.more) restart_gtids_.add(*c.more);
    for (; prints_before_ < c.prints && !prints_.empty(); ++prints_before_) {
      restart_trail_.add(prints_.front(), 0);
      prints_.pop_front();
    }
    restart_trail_.add(0, c.es_ms);
    candidates_.pop_front();
  }
  if (!moved) return;
  for (Partition& p : partitions_)
    while (!p.marks.empty() && p.marks.front().first <= passed) {
      p.restart_last = p.marks.front().second;
      p.marks.pop_front();
    }
}

RestartPoint Outbox::restart_point() {
  const Lock lock(mu_);
  advance_restart();
  RestartPoint point{restart_file_, restart_pos_, restart_gtids_.to_string(), {}, restart_trail_};
  point.last.reserve(settings_.partitions);
  for (std::uint32_t n = 0; n < settings_.partitions; ++n)
    point.last.push_back(partitions_[n].restart_last);
  return point;
}

OutboxStatus Outbox::status() const {
  const Lock lock(mu_);
  OutboxStatus s;
  s.waiting_bytes = bytes_;
  s.pooled_bytes = pooled_bytes_;
  for (const Partition& p : partitions_) s.unconfirmed += p.unconfirmed ? 1U : 0U;
  if (read_file_) s.read = {read_file_->name, read_pos_};
  s.gtid_set = read_gtids_.to_string();
  s.es_ms = read_es_ms_;
  return s;
}

std::vector<EventId> Outbox::chain() const {
  const Lock lock(mu_);
  std::vector<EventId> out;
  out.reserve(settings_.partitions);
  for (std::uint32_t n = 0; n < settings_.partitions; ++n) out.push_back(partitions_[n].last);
  return out;
}

}  // namespace sluice::pipeline
