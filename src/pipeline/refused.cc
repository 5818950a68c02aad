#include "pipeline/refused.h"

#include <algorithm>

#include "sluice/base/log.h"
#include "sluice/event/lone_row.h"
#include "sluice/model/binlog_position.h"
#include "sluice/redis/connection.h"

namespace sluice::pipeline {
namespace {

using std::chrono::milliseconds;
using Fate = queue::LetterSender::Fate;
constexpr milliseconds kSayEvery{10000};
constexpr milliseconds kServeEvery{100};
// All headers must fit into one AMQP frame, of 8 KiB at least (queue.frame_max).
constexpr std::size_t kLongestKey = 2048, kLongestError = 1024;

}  // namespace

Refusal refusal_of(const EventId& id, Error error) {
  return {id, error.code == Errc::config_invalid ? "script" : "no_key", std::move(error.what)};
}

Refusals::Refusals(Settings settings, Dependencies dependencies, std::function<Status()> serve,
                   ops::Counters& counters, Health& health, const Clock& clock)
    : settings_(settings),
      deps_(std::move(dependencies)),
      serve_(std::move(serve)),
      counters_(&counters),
      health_(&health),
      clock_(&clock),
      backoff_(milliseconds(100), settings.reconnect_max),
      reader_(settings.binary_base64),
      mapper_(*settings.options) {}

Result<std::vector<Refusal>> Refusals::rows_of(
    const queue::Delivery& delivery, const EventId& applied,
    const std::vector<std::pair<std::size_t, std::string>>& errors) {
  std::vector<Refusal> out;
  mapping::CommandCounts counts;
  auto error = errors.begin();
  reader_.open(delivery.body);
  while (error != errors.end()) {
    const auto view = reader_.next();
    if (!view || *view == nullptr) break;  // the step went as far as it could be read
    for (const ChangeView::Row& row : (*view)->rows) {
      const EventId id = (*view)->seq.with_row(row.index);
      if (id <= applied) continue;
      scratch_.clear();
      const Status s = mapper_.append(**view, row, scratch_, counts);
      if (!s.ok() && s.error().cls != ErrorClass::poison) return s.error();
      if (error == errors.end() || error->first >= counts.commands) continue;
      const Error what = redis::error_of_reply(error->second);
      out.push_back({id, what.what.substr(0, what.what.find(' ')), what.what});
      while (error != errors.end() && error->first < counts.commands) ++error;
    }
  }
  if (error != errors.end())
    return fatal(Errc::internal,
                 "command " + std::to_string(error->first) +
                     " of a step belongs to no row: " + redis::error_of_reply(error->second).what);
  return out;
}

Result<std::vector<queue::Letter>> Refusals::letters_of(const queue::Delivery& delivery,
                                                        const std::vector<Refusal>& rows) {
  std::vector<EventId> ids;
  ids.reserve(rows.size());
  for (const Refusal& r : rows) ids.push_back(r.id);
  SLUICE_TRY_ASSIGN(auto lines, event::lone_rows(delivery.body, ids));
  std::vector<queue::Letter> letters;
  std::vector<mapping::TouchedKey> keys;
  reader_.open(delivery.body);
  while (letters.size() < rows.size()) {
    const auto view = reader_.next();
    if (!view || *view == nullptr) break;
    for (const ChangeView::Row& row : (*view)->rows) {
      const std::size_t n = letters.size();
      if (n == rows.size() || (*view)->seq.with_row(row.index) != rows[n].id) continue;
      queue::Letter& letter = letters.emplace_back();
      letter.reason = rows[n].reason;
      letter.error = rows[n].error.substr(0, kLongestError);
      letter.id = rows[n].id;
      letter.file = binlog_file_beside(delivery.headers.file, letter.id.file);
      letter.pos = letter.id.pos;
      letter.gtid = (*view)->gtid;
      letter.table = std::string((*view)->database) + "." + std::string((*view)->table);
      keys.clear();
      if (mapper_.append_keys(**view, row, keys).ok() && !keys.empty())
        letter.key = keys.front().key.substr(0, kLongestKey);
      letter.partition = delivery.partition;
      letter.commit_us = (*view)->es_ms * 1000;
      letter.refused_us = clock_->wall_us();
    }
  }
  if (letters.size() != rows.size() || lines.size() != rows.size())
    return fatal(Errc::internal, "refused rows are not in their message");
  for (std::size_t i = 0; i < rows.size(); ++i) letters[i].body = std::move(lines[i]);
  return letters;
}

queue::Letter Refusals::letter_of_message(const queue::Delivery& delivery,
                                          const Error& unreadable) const {
  queue::Letter letter;
  letter.reason = "unreadable";
  letter.error = unreadable.what.substr(0, kLongestError);
  letter.file = delivery.headers.file;
  letter.pos = delivery.headers.pos;
  letter.gtid = delivery.headers.gtid;
  letter.id = delivery.headers.last;
  letter.partition = delivery.partition;
  letter.commit_us = delivery.headers.commit_us;
  letter.refused_us = clock_->wall_us();
  letter.is_row = false;
  letter.body = delivery.body;
  return letter;
}

Status Refusals::settle(const queue::Delivery& delivery, const std::vector<Refusal>& rows,
                        const std::optional<Error>& unreadable, const std::stop_token& st) {
  SLUICE_TRY_ASSIGN(auto letters, letters_of(delivery, rows));
  if (unreadable) letters.push_back(letter_of_message(delivery, *unreadable));
  if (letters.empty()) return {};
  if (settings_.policy == OnRefused::dead_letter) {
    SLUICE_TRY(send(letters, st));
    counters_->dead_letters.fetch_add(letters.size(), std::memory_order_relaxed);
  } else {
    counters_->ignored.fetch_add(letters.size(), std::memory_order_relaxed);
  }
  say(letters.back(), letters.size());
  return {};
}

Status Refusals::send(const std::vector<queue::Letter>& letters, const std::stop_token& st) {
  std::vector<Fate> fates;
  const auto clean_up = [this](const void*) { health_->letters_waiting.store(false); };
  const std::unique_ptr<const void, decltype(clean_up)> at_end(this, clean_up);
  backoff_.reset();
  const auto until = clock_->steady() + settings_.stall_after;
  for (;;) {
    const auto left = std::chrono::ceil<milliseconds>(
        std::max(until - clock_->steady(), decltype(until)::duration{}));
    Status s = attempt(letters, fates, st, left);
    if (s.ok()) break;
    sender_.reset();
    if (s.error().cls != ErrorClass::retry) return s;
    const auto time = backoff_.next();
    if (clock_->steady() + time >= until)
      return std::move(s).error().at("dead letters were not taken for " +
                                     std::to_string(settings_.stall_after.count()) + " ms");
    if (backoff_.attempts() == 1)
      log::get("applier").warn(
          "dead letters are not taken by the broker, waiting with all partitions of their thread "
          "letters={} wait_ms={} error=\"{}\"",
          letters.size(), time.count(), to_string(s.error()));
    health_->letters_waiting.store(true);
    SLUICE_TRY(pause(time, st));
  }
  if (backoff_.attempts() != 0)
    log::get("applier").info("dead letters are taken again letters={}", letters.size());
  return {};
}

Status Refusals::attempt(const std::vector<queue::Letter>& letters, std::vector<Fate>& fates,
                         const std::stop_token& st, milliseconds limit) {
  if (!sender_) {
    SLUICE_TRY_ASSIGN(sender_, deps_.sender());
  }
  SLUICE_TRY(sender_->send(letters, fates, st, limit, serve_));
  const auto has = [&fates](Fate fate) {
    return std::find(fates.begin(), fates.end(), fate) != fates.end();
  };
  if (has(Fate::returned)) {
    SLUICE_TRY(deps_.declare());
    return retry(Errc::queue_returned, "the queue of dead letters was gone, it is made anew");
  }
  if (has(Fate::nacked))
    return retry(Errc::queue_returned, "the queue of dead letters refuses more (full?)");
  return {};
}

Status Refusals::pause(milliseconds time, const std::stop_token& st) {
  while (time.count() > 0) {
    const milliseconds part = std::min(time, kServeEvery);
    if (!wait_for(part, st)) return stopped();
    SLUICE_TRY(serve_());
    time -= part;
  }
  return {};
}

// A table of which every row is refused must not fill the log.
void Refusals::say(const queue::Letter& last, std::uint64_t count) {
  unsaid_ += count;
  const auto now = clock_->steady();
  if (said_at_ && now - *said_at_ < kSayEvery) return;
  log::get("applier").warn(
      "{} table={} reason={} id={} pos={}:{} partition={} count={} error=\"{}\"",
      settings_.policy == OnRefused::ignore ? "not in Redis, and ignored (applier.on_refused)"
                                            : "not in Redis, a dead letter instead",
      last.table.empty() ? "?" : last.table, last.reason, last.id.to_string(), last.file, last.pos,
      last.partition, unsaid_, last.error);
  unsaid_ = 0;
  said_at_ = now;
}

}  // namespace sluice::pipeline
