#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "sluice/base/backoff.h"
#include "sluice/base/clock.h"
#include "sluice/base/text_buffer.h"
#include "sluice/event/line_reader.h"
#include "sluice/mapping/mapper.h"
#include "sluice/ops/counters.h"
#include "sluice/queue/consumer.h"
#include "sluice/queue/letters.h"

#include "pipeline/health.h"

namespace sluice::pipeline {

enum class OnRefused : std::uint8_t { dead_letter, stop, ignore };

// A row that is not in Redis.
struct Refusal {
  EventId id;
  std::string reason;  // WRONGTYPE, no_key, script
  std::string error;   // without row data
};
// A row of which no commands could be made: `error` is Mapper's, poison.
Refusal refusal_of(const EventId& id, Error error);

// What becomes of rows that Redis refuses for good and of messages that cannot be read, for one
// applier: a dead letter each, confirmed before anybody acknowledges the message, or nothing but a
// count.  A letter may be written twice (of the same EventId), never not at all.  Belongs to one
// thread.
class Refusals {
 public:
  struct Settings {
    const Options* options = nullptr;  // what rows become; outlives this
    OnRefused policy = OnRefused::dead_letter;
    bool binary_base64 = false;
    std::chrono::milliseconds reconnect_max{10000};
    std::chrono::milliseconds stall_after{60000};  // a delivery is not held longer
  };
  struct Dependencies {
    // A connection of its own, opened when the first letter is written.
    std::function<Result<std::unique_ptr<queue::LetterSender>>()> sender;
    // Makes the queue anew when a letter came back.
    std::function<Status()> declare;
  };
  // `serve` is called about each 100 ms while letters are waited for; its error ends the wait.
  Refusals(Settings settings, Dependencies dependencies, std::function<Status()> serve,
           ops::Counters& counters, Health& health, const Clock& clock);

  bool stops() const noexcept { return settings_.policy == OnRefused::stop; }
  // The rows above `applied` of a step whose commands failed: (index, text) as EXEC answered.
  Result<std::vector<Refusal>> rows_of(
      const queue::Delivery& delivery, const EventId& applied,
      const std::vector<std::pair<std::size_t, std::string>>& errors);
  // Does with them what the policy (not stop) says; `rows` ascend.  `unreadable`: the message is
  // one that cannot be read, whole or from some line on.  A broker that does not take letters is
  // waited for, up to stall_after: retry/queue_lost, then the message has to go back.  Errors:
  // also stopped; fatal ones of the broker; those of `serve`.
  Status settle(const queue::Delivery& delivery, const std::vector<Refusal>& rows,
                const std::optional<Error>& unreadable, const std::stop_token& st);
  // At the end of a session.
  void disconnect() noexcept { sender_.reset(); }

 private:
  Result<std::vector<queue::Letter>> letters_of(const queue::Delivery& delivery,
                                                const std::vector<Refusal>& rows);
  queue::Letter letter_of_message(const queue::Delivery& delivery, const Error& unreadable) const;
  Status send(const std::vector<queue::Letter>& letters, const std::stop_token& st);
  Status attempt(const std::vector<queue::Letter>& letters,
                 std::vector<queue::LetterSender::Fate>& fates, const std::stop_token& st,
                 std::chrono::milliseconds limit);
  Status pause(std::chrono::milliseconds time, const std::stop_token& st);
  void say(const queue::Letter& last, std::uint64_t count);

  const Settings settings_;
  const Dependencies deps_;
  const std::function<Status()> serve_;
  ops::Counters* counters_;
  Health* health_;
  const Clock* clock_;
  std::unique_ptr<queue::LetterSender> sender_;
  Backoff backoff_;
  event::LineReader reader_;
  mapping::Mapper mapper_;
  TextBuffer scratch_;
  std::uint64_t unsaid_ = 0;  // since the last line of the log
  std::optional<std::chrono::steady_clock::time_point> said_at_;
};

}  // namespace sluice::pipeline
