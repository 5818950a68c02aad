// What an applier does about rows that Redis refuses and messages that cannot be read.
#include <algorithm>
#include <charconv>
#include <string>
#include <utility>

#include "pipeline/applier.h"

namespace sluice::pipeline {
namespace {

// Why `added` cannot be added to what a sum holds; empty: it can, or the key's type says why.
std::string_view refuses(const redis::Reply& sum, std::int64_t added) {
  if (sum.kind != redis::Reply::Kind::string) return {};
  std::int64_t value = 0;
  const char* end = sum.text.data() + sum.text.size();
  const auto [stop, failed] = std::from_chars(sum.text.data(), end, value);
  if (failed != std::errc{} || stop != end) return "value is not an integer";
  if (__builtin_add_overflow(value, added, &value)) return "the sum is at the end of its 64 bits";
  return {};
}

}  // namespace

// Puts the record back to what it was before the step at hand, so that the whole message is applied
// again when its keys have been seen to: the same commands in the same order leave the same. Should
// we die before, probe() tells.
Status Applier::take_back(const Partition& p) {
  SLUICE_TRY_ASSIGN(const redis::Reply record, guard_->fence(p.key));
  if (record.kind != redis::Reply::Kind::string || record.text != record_text_.view())
    return {};  // not ours any more
  SLUICE_TRY(guard_->write(p.key, p.seen));
  return {};
}

// A message without our headers has no place in the chain.
Status Applier::on_unreadable(Partition& p, const queue::Delivery& delivery) {
  if (refusals_.stops()) {
    Error error = *delivery.unreadable;
    error.cls = ErrorClass::fatal;
    return error;
  }
  unreadable_ = delivery.unreadable;
  return finish(p, delivery);
}

// The rest of the step stands, and the record with it.
Status Applier::on_errors(Partition& p, const queue::Delivery& delivery,
                          const ApplierStep::Output& step) {
  for (const auto& [index, text] : step.errors) {
    Error error = redis::error_of_reply(text);
    const bool refused = error.cls == ErrorClass::poison && index < counts_.commands;
    if (refused && !refusals_.stops()) continue;
    // The message must not be acked, nor count as applied.
    if (step.recorded) SLUICE_TRY(take_back(p));
    if (!refused) return std::move(error).at("partition " + std::to_string(p.number));
    return fatal(Errc::redis_refused,
                 "partition " + std::to_string(p.number) + ": Redis refused " +
                     std::to_string(step.errors.size()) + " command(s) of the message " +
                     describe(delivery.headers) + ": " + error.what +
                     ". A key that this table's rows map to holds another type: remove or rename "
                     "it, then start again; or set applier.on_refused: dead_letter");
  }
  SLUICE_TRY_ASSIGN(auto rows, refusals_.rows_of(delivery, p.record.id, step.errors));
  refused_.insert(refused_.end(), std::make_move_iterator(rows.begin()),
                  std::make_move_iterator(rows.end()));
  std::sort(refused_.begin(), refused_.end(),
            [](const Refusal& a, const Refusal& b) { return a.id < b.id; });
  return {};
}

// Redis has the message: letters of what it does not have, then the ack.
Status Applier::finish(Partition& p, const queue::Delivery& delivery) {
  if (!refused_.empty() || unreadable_) {
    // Not stop_: for as long as it takes us to end, for the next process knows less.
    SLUICE_TRY(refusals_.settle(delivery, refused_, unreadable_, abort_.get_token()));
    unsettled_->keep(p.number, delivery.headers, {});
  }
  return consumer_->ack(p.number, delivery.tag);
}

// A repeat may be a message whose step was refused in part, and whose letters were not written.
Status Applier::recall(const Partition& p, const queue::Delivery& delivery) {
  Unsettled::Refused kept = unsettled_->of(p.number, delivery.headers);
  if (kept.empty()) return delivery.redelivered ? probe(p, delivery) : Status();
  refused_ = std::move(kept.rows);
  unreadable_ = std::move(kept.unreadable);
  return {};
}

// What a process was told that ended before it wrote its letters: keys tell, as far as they can.
Status Applier::probe(const Partition& p, const queue::Delivery& delivery) {
  fenced_.reset();
  keys_.clear();
  refused_.clear();
  std::vector<EventId> ids;  // of the rows the keys belong to
  reader_.open(delivery.body);
  for (;;) {
    auto line = reader_.next();
    if (!line) {
      if (line.error().cls != ErrorClass::poison || refusals_.stops())
        return std::move(line).error();
      unreadable_ = std::move(line).error();
      break;
    }
    const ChangeView* view = *line;
    if (view == nullptr) break;
    for (const ChangeView::Row& row : view->rows) {
      const EventId id = view->seq.with_row(row.index);
      if (Status s = mapper_.append_keys(*view, row, keys_); !s.ok()) {
        if (s.error().cls != ErrorClass::poison || refusals_.stops()) return s;
        refused_.push_back(refusal_of(id, std::move(s).error()));
      }
      ids.resize(keys_.size(), id);
    }
  }
  return keys_.empty() ? Status() : probe_keys(p, delivery, ids);
}

Status Applier::probe_keys(const Partition& p, const queue::Delivery& delivery,
                           const std::vector<EventId>& ids) {
  commands_.clear();
  for (const mapping::TouchedKey& k : keys_) {
    redis::append_command(commands_, {"TYPE", k.key});
    if (!k.added) continue;
    if (k.field.empty())
      redis::append_command(commands_, {"GET", k.key});
    else
      redis::append_command(commands_, {"HGET", k.key, k.field});
  }
  SLUICE_TRY(redis_->send(commands_.view()));
  std::size_t wrong = 0;
  const std::string found = "found when the message was delivered again: ";
  for (std::size_t i = 0; i < keys_.size(); ++i) {
    SLUICE_TRY_ASSIGN(const redis::Reply type, redis_->receive());
    if (type.kind == redis::Reply::Kind::error) return redis::error_of_reply(type.text);
    std::string_view bad = keys_[i].bad;
    redis::Reply sum;
    if (keys_[i].added) {
      SLUICE_TRY_ASSIGN(sum, redis_->receive());
      bad = refuses(sum, *keys_[i].added);
    }
    const std::string_view wanted = keys_[i].type;
    if (!wanted.empty() && type.text != wanted && type.text != "none") {
      refused_.push_back(
          {ids[i], "WRONGTYPE",
           found + "the key holds a " + type.text + ", not a " + std::string(wanted)});
    } else if (!bad.empty()) {
      refused_.push_back({ids[i], "ERR", found + std::string(bad)});
    } else {
      continue;
    }
    ++wrong;
  }
  std::stable_sort(refused_.begin(), refused_.end(),
                   [](const Refusal& a, const Refusal& b) { return a.id < b.id; });
  // One letter a row, however many of its keys are wrong.
  const auto same = [](const Refusal& a, const Refusal& b) { return a.id == b.id; };
  refused_.erase(std::unique(refused_.begin(), refused_.end(), same), refused_.end());
  if (wrong == 0 || !refusals_.stops()) return {};
  return fatal(Errc::redis_refused,
               "partition " + std::to_string(p.number) + ": " + std::to_string(wrong) +
                   " key(s) of the message " + describe(delivery.headers) +
                   " hold another type than their mapping's, or no number: their rows were "
                   "refused. Remove or rename these keys and start again; or set "
                   "applier.on_refused: dead_letter");
}

}  // namespace sluice::pipeline
