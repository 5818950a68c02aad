// `sluice dead replay`: docs/design.md, section 6.
#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "sluice/base/backoff.h"
#include "sluice/event/line_reader.h"
#include "sluice/mapping/mapper.h"
#include "sluice/position/applied_record.h"
#include "sluice/position/state_file.h"
#include "sluice/redis/connection.h"

#include "pipeline/dead_letters.h"
#include "pipeline/replicas.h"
#include "pipeline/source_rows.h"
#include "pipeline/start.h"
#include "pipeline/watermark_stage.h"

namespace sluice::pipeline {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
constexpr milliseconds kPollEvery{50};
constexpr int kMaxAborts = 20;

// One row, whatever the number of its letters.
struct Job {
  std::set<EventId> letters;
  std::set<std::uint32_t> partitions;  // that its letters came from
  std::string key;                     // in Redis
  std::vector<std::string> lines;      // of its letters
  std::optional<ShownRow> before;      // as read first
  std::string why;                     // it is not done yet
  bool hopeless = false;
  bool done = false;
};

class Replay {
 public:
  Replay(const Options& options, const LetterChoice& choice, milliseconds timeout,
         std::ostream& out)
      : options_(options),
        choice_(choice),
        deadline_(steady_clock::now() + timeout),
        out_(out),
        reader_(options.rendering.binary() == RenderingOptions::Binary::base64),
        mapper_(options) {}
  Status run();

 private:
  using Jobs = std::map<RowName, Job>;
  Status open();
  Status collect();
  void add(const queue::Letter& letter);
  Status round();
  Status wait_for_redis(const BinlogPosition& end);
  Status unwatch();
  Status write(const RowName& name, Job& job);
  Status attempt(const RowName& name, Job& job, bool& aborted);
  Status attempt_on_cluster(const RowName& name, Job& job);
  void say_done(const RowName& name, Job& job, bool is_there);
  Status append_commands(const RowName& name, const Job& job, const std::optional<ShownRow>& row);
  Result<std::vector<ChangeView>> images_of(const std::string& line);
  Status append_update(const ChangeView& now, const ChangeView& was);
  Status remove_letters();
  void keep(Job& job, const Error& error) {
    job.why = to_string(error);
    job.hopeless = true;
    if (!first_error_) first_error_ = error;
  }

  const Options& options_;
  const LetterChoice& choice_;
  const steady_clock::time_point deadline_;
  std::ostream& out_;
  event::LineReader reader_;
  mapping::Mapper mapper_;
  std::uint32_t epoch_ = 0;
  std::unique_ptr<SourceRows> source_;
  std::unique_ptr<redis::Connection> redis_;
  Jobs jobs_;
  std::uint64_t kept_ = 0;
  std::optional<Error> first_error_;
  TextBuffer commands_;
  mapping::CommandCounts counts_;
};

Status Replay::open() {
  SLUICE_TRY_ASSIGN(const auto saved, position::Store::peek(options_.state_dir()));
  if (!saved)
    return fatal(Errc::position_missing,
                 "no state file in " + options_.state_dir() +
                     ": run it where the instance runs, it tells which source and which place");
  if (saved->layout != layout_of(options_))
    return fatal(Errc::position_mismatch,
                 "filter, tables, rendering or partitions differ from the saved layout: the row "
                 "would not be what the pipeline sends");
  epoch_ = saved->epoch;
  SLUICE_TRY_ASSIGN(source_, SourceRows::open(options_, *saved));
  SLUICE_TRY_ASSIGN(redis_, redis::Connection::open(options_.redis));
  return {};
}

void Replay::add(const queue::Letter& letter) {
  const auto cannot = [&](const std::string& why) {
    ++kept_;
    out_ << "kept      " << letter.id.to_string() << ": " << why << "\n";
    if (!first_error_)
      first_error_ = fatal(Errc::usage, "letter " + letter.id.to_string() + ": " + why);
  };
  if (!letter.is_row)
    return cannot(
        "it holds a message that cannot be read, not a row: find its rows by position "
        "and GTID, write them again at the source, then drop it");
  reader_.open(letter.body);
  const auto view = reader_.next();
  if (!view) return cannot(view.error().what);
  if (*view == nullptr || (*view)->rows.size() != 1) return cannot("it holds no row");
  RowName name;
  name.database = (*view)->database;
  name.table = (*view)->table;
  const auto fields = (*view)->data((*view)->rows.front());
  for (const std::string_view column : (*view)->pk_names) {
    const auto found =
        std::find_if(fields.begin(), fields.end(), [&](const auto& f) { return f.name == column; });
    if (found == fields.end() || found->is_null)
      return cannot("its key column " + std::string(column) + " has no value");
    name.key_names.emplace_back(column);
    name.key.emplace_back(found->value);
  }
  if (name.key.empty()) return cannot("its table has no key");
  for (const auto& f : fields) name.columns.emplace(f.name);
  Job& job = jobs_[std::move(name)];
  job.letters.insert(letter.id);
  job.partitions.insert(letter.partition);
  job.key = letter.key;
  job.lines.push_back(letter.body);
}

// The letters go back to their queue meanwhile: waiting for Redis may take longer than the broker
// waits for us.
Status Replay::collect() {
  SLUICE_TRY_ASSIGN(ChosenLetters chosen, ChosenLetters::make(choice_));
  SLUICE_TRY_ASSIGN(const auto box, queue::LetterBox::open(options_.queue, names_of(options_)));
  while (!chosen.full()) {
    SLUICE_TRY_ASSIGN(const auto stored, box->next());
    if (!stored) break;
    if (chosen.take(stored->letter)) add(stored->letter);
  }
  return box->close();
}

// Everything up to `end` is in Redis.
Status Replay::wait_for_redis(const BinlogPosition& end) {
  SLUICE_TRY_ASSIGN(const BinlogFileName file, BinlogFileName::parse(end.file));
  const std::uint32_t partitions = options_.queue.partitions();
  for (;;) {
    SLUICE_TRY_ASSIGN(const auto records, read_applied(*redis_, options_.instance(), partitions));
    const auto lowest = lowest_tick(records);
    if (lowest && lowest->epoch > epoch_)
      return fatal(Errc::mysql_identity,
                   "the instance follows another server, or another history, meanwhile: try again");
    if (lowest && std::tuple(lowest->epoch, lowest->file_number, lowest->pos) >=
                      std::tuple(epoch_, file.number, end.pos))
      return {};
    if (steady_clock::now() >= deadline_)
      return fatal(Errc::pipeline_timeout,
                   "Redis is not complete up to " + end.to_string() + " (" +
                       (lowest ? lowest->file + ":" + std::to_string(lowest->pos)
                               : std::string("no watermark yet")) +
                       "), where the rows were read: the daemon must run and be in step; nothing "
                       "was written");
    wait_for(kPollEvery, {});
  }
}

// The row as one of its letters has it: as it was to be, and, of an update, as it was before. Valid
// until another line is read.
Result<std::vector<ChangeView>> Replay::images_of(const std::string& line) {
  std::vector<ChangeView> out;
  reader_.open(line);
  SLUICE_TRY_ASSIGN(const auto* const view, reader_.next());
  if (view == nullptr || view->rows.size() != 1) return out;
  out.push_back(*view);
  out.back().kind = ChangeKind::remove;
  const ChangeView::Row row = view->rows.front();
  if (view->old(row).empty()) return out;
  ChangeView before = out.back();
  for (const ChangeView::Field& f : view->old(row))
    for (std::uint32_t n = row.data_begin; n < row.data_end; ++n)
      if (before.fields[n].column == f.column) before.fields[n] = f;
  out.push_back(std::move(before));
  return out;
}

// `now` as an update of what the row was by a letter: members of sets and such that it has no more
// go.  All that is NULL now counts as changed, so that its fields go, too.
Status Replay::append_update(const ChangeView& now, const ChangeView& was) {
  ChangeView view = now;
  view.kind = ChangeKind::update;
  ChangeView::Row& row = view.rows.front();
  const auto stale = was.data(was.rows.front());
  for (std::uint32_t n = row.data_begin; n < row.data_end; ++n) {
    ChangeView::Field old = view.fields[n];
    const auto found = std::find_if(stale.begin(), stale.end(),
                                    [&old](const auto& f) { return f.name == old.name; });
    const bool differs =
        found != stale.end() && (found->is_null != old.is_null || found->value != old.value);
    if (!differs && !old.is_null) continue;
    if (differs) {
      old.is_null = found->is_null;
      old.value = found->value;
    }
    view.fields.push_back(old);
  }
  row.old_end = static_cast<std::uint32_t>(view.fields.size());
  return mapper_.append_again(view, row, commands_, counts_);
}

Status Replay::append_commands(const RowName& name, const Job& job,
                               const std::optional<ShownRow>& row) {
  counts_ = {};
  ChangeView view;
  if (row) {
    view.kind = ChangeKind::insert;
    view.database = name.database;
    view.table = name.table;
    view.shown = &source_->shown();
    view.pk_names.assign(name.key_names.begin(), name.key_names.end());
    ChangeView::Row r;
    for (const auto& [column, text] : *row) {
      const auto n = static_cast<std::uint16_t>(view.fields.size());
      view.fields.push_back({column, text ? std::string_view(*text) : std::string_view(),
                             !text.has_value(), view.shown->columns[n].binary, n});
    }
    r.data_end = r.old_begin = r.old_end = static_cast<std::uint32_t>(view.fields.size());
    view.rows = {r};
  }
  for (const std::string& line : job.lines) {
    SLUICE_TRY_ASSIGN(const auto images, images_of(line));
    for (const ChangeView& was : images)
      SLUICE_TRY(row ? append_update(view, was)
                     : mapper_.append_again(was, was.rows.front(), commands_, counts_));
  }
  return row ? mapper_.append_again(view, view.rows.front(), commands_, counts_) : Status();
}

Status Replay::unwatch() {
  SLUICE_TRY_ASSIGN(const redis::Reply reply, redis_->command({"UNWATCH"}));
  if (reply.kind == redis::Reply::Kind::error) return redis::error_of_reply(reply.text);
  return {};
}

// Between WATCH and EXEC nothing may be applied to the row's partition; what was before the WATCH
// is in what is read behind it.
Status Replay::attempt(const RowName& name, Job& job, bool& aborted) {
  const queue::Names names = names_of(options_);
  // Where the partition does not follow from the key, the row may come through another one now.
  const event::TableRules rules = TableFilter(options_).rules(name.database, name.table);
  const bool fixed = rules.partition.by != event::PartitionRule::By::columns &&
                     job.partitions.size() == 1 && *job.partitions.begin() < names.partitions;
  commands_.clear();
  std::size_t replies = 0;
  for (std::uint32_t n = 0; n < names.partitions; ++n) {
    if (fixed && !job.partitions.contains(n)) continue;
    redis::append_command(commands_,
                          {"WATCH", position::applied_key(names.instance, names.partitions, n)});
    ++replies;
  }
  SLUICE_TRY(redis_->send(commands_.view()));
  std::vector<std::pair<std::size_t, std::string>> errors;
  SLUICE_TRY(redis_->receive_checked(replies, errors));
  if (!errors.empty()) return redis::error_of_reply(errors.front().second);
  SLUICE_TRY_ASSIGN(const auto now, source_->read(name, true));
  if (now != job.before) {
    job.why = "the row is being changed at the source";
    return unwatch();
  }
  commands_.clear();
  redis::append_command(commands_, {"MULTI"});
  SLUICE_TRY(append_commands(name, job, now));
  redis::append_command(commands_, {"EXEC"});
  SLUICE_TRY(redis_->send(commands_.view()));
  SLUICE_TRY(redis_->receive_checked(counts_.commands + 1, errors));
  SLUICE_TRY_ASSIGN(const redis::ExecResult exec, redis_->receive_exec());
  if (!errors.empty()) return redis::error_of_reply(errors.front().second);
  if (!exec.refused.empty()) return redis::error_of_reply(exec.refused);
  aborted = exec.aborted;
  if (aborted) {
    job.why = "its partition is applied to all the time";
    return {};
  }
  if (!exec.errors.empty()) return redis::error_of_reply(exec.errors.front().second);
  say_done(name, job, now.has_value());
  return {};
}

void Replay::say_done(const RowName& name, Job& job, bool is_there) {
  job.done = true;
  out_ << (is_there ? "replayed  " : "deleted   ")
       << printable(job.key.empty() ? full_name(name.database, name.table) : job.key) << "\n";
}

// No transaction reaches over nodes: the row is written, then read once more.  Is it still what was
// written, then no change of it can have been applied before: one that comes later in the binlog
// has not been committed, one that is not applied yet comes by its queue and ends with this value.
Status Replay::attempt_on_cluster(const RowName& name, Job& job) {
  SLUICE_TRY_ASSIGN(const auto now, source_->read(name, true));
  if (now != job.before) {
    job.why = "the row is being changed at the source";
    return {};
  }
  commands_.clear();
  SLUICE_TRY(append_commands(name, job, now));
  SLUICE_TRY(redis_->send(commands_.view()));
  std::vector<std::pair<std::size_t, std::string>> errors;
  SLUICE_TRY(redis_->receive_checked(counts_.commands, errors));
  if (!errors.empty()) return redis::error_of_reply(errors.front().second);
  SLUICE_TRY_ASSIGN(const auto after, source_->read(name, true));
  if (after != now) {
    job.why = "the row was changed at the source while it was written";
    return {};
  }
  say_done(name, job, now.has_value());
  return {};
}

Status Replay::write(const RowName& name, Job& job) {
  const bool cluster = !options_.redis.cluster().empty();
  bool aborted = true;
  for (int i = 0; aborted && i < kMaxAborts; ++i) {
    aborted = false;
    Status s = cluster ? attempt_on_cluster(name, job) : attempt(name, job, aborted);
    if (s.ok()) continue;
    const Error error = std::move(s).error();
    const bool of_row = error.cls == ErrorClass::poison || error.code == Errc::usage;
    if (!of_row) return error;
    keep(job, error);
    if (!cluster) SLUICE_TRY(unwatch());  // it may have come to no EXEC
  }
  return {};
}

Status Replay::round() {
  bool any = false;
  for (auto& [name, job] : jobs_) {
    if (job.done || job.hopeless) continue;
    auto row = source_->read(name, false);
    if (!row && row.error().code != Errc::usage && row.error().code != Errc::schema_missing)
      return std::move(row).error();
    if (!row) {
      keep(job, row.error());
      continue;
    }
    job.before = std::move(row).value();
    any = true;
  }
  if (!any) return {};
  SLUICE_TRY_ASSIGN(const BinlogPosition end, source_->binlog_end());
  SLUICE_TRY(wait_for_redis(end));
  for (auto& [name, job] : jobs_)
    if (!job.done && !job.hopeless) SLUICE_TRY(write(name, job));
  return {};
}

Status Replay::remove_letters() {
  std::set<EventId> done;
  for (const auto& [name, job] : jobs_)
    if (job.done) done.insert(job.letters.begin(), job.letters.end());
  if (done.empty()) return {};
  // Written on this connection, so its WAIT is about these rows.
  if (Status s = require_replicas(options_, *redis_); !s.ok())
    return std::move(s).error().at("the rows are written, their letters stay");
  SLUICE_TRY_ASSIGN(const auto box, queue::LetterBox::open(options_.queue, names_of(options_)));
  for (;;) {
    SLUICE_TRY_ASSIGN(const auto stored, box->next());
    if (!stored) break;
    if (stored->letter.is_row && done.contains(stored->letter.id))
      SLUICE_TRY(box->remove(stored->tag));
  }
  return box->close();
}

Status Replay::run() {
  SLUICE_TRY(open());
  SLUICE_TRY(collect());
  const auto left = [this] {
    return std::any_of(jobs_.begin(), jobs_.end(),
                       [](const auto& j) { return !j.second.done && !j.second.hopeless; });
  };
  Status s;
  while (s.ok() && left() && steady_clock::now() < deadline_) s = round();
  SLUICE_TRY(remove_letters());  // of what was done, however it ended
  std::uint64_t replayed = 0;
  for (const auto& [name, job] : jobs_) {
    if (job.done) {
      ++replayed;
      continue;
    }
    ++kept_;
    const std::string why = job.why.empty() ? std::string("not come to") : job.why;
    if (!first_error_)
      first_error_ =
          fatal(Errc::pipeline_timeout, full_name(name.database, name.table) + ": " + why);
    out_ << "kept      " << printable(job.key) << ": " << why << "\n";
  }
  out_ << replayed << " rows replayed, " << kept_ << " kept\n";
  if (!s.ok()) return s;
  return first_error_ ? Status(*first_error_) : Status();
}

}  // namespace

Status dead_replay(const Options& options, const LetterChoice& choice, milliseconds timeout,
                   std::ostream& out) {
  return Replay(options, choice, timeout, out).run();
}

}  // namespace sluice::pipeline
