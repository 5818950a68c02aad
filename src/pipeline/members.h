#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/base/result.h"
#include "sluice/position/state_file.h"
#include "sluice/redis/connection.h"

namespace sluice::pipeline {

// Which of an instance's partitions the process `id` is to serve, when `ids` (sorted, each once)
// share them: each gets as many as the others, or one less, and when one comes or goes not many
// more change hands than must.  All that see the same ids come to the same answer.  One per
// partition.
std::vector<bool> share_of(const std::string& id, const std::vector<std::string>& ids,
                           std::uint32_t partitions);

// The processes that apply for an instance, on all hosts: each says every few seconds that it is
// there, in the sorted set sluice:<instance>:members, scored by Redis' own clock in milliseconds;
// who has not for kLife is gone.  Two that see different sets for a moment want the same partition,
// or none of them does: the queue's single active consumer and the record of what is applied keep
// that harmless.  Belongs to one thread.
class Members {
 public:
  static constexpr std::chrono::seconds kBeat{2}, kLife{10};
  Members(std::string instance, std::string id)
      : instance_(std::move(instance)), id_(std::move(id)) {}
  const std::string& id() const noexcept { return id_; }

  struct View {
    std::vector<std::string> ids;            // sorted; this one is among them
    std::optional<position::Layout> layout;  // that the publisher works with; none has run yet
  };
  // Says that we are there, and looks who else is.  Errors: the connection's, those of its replies.
  Result<View> beat(redis::Connection& redis);
  // Says that we are not any more.
  Status leave(redis::Connection& redis);

 private:
  const std::string instance_, id_;
};

// A name for this process: host, pid, and a random number, for pids come again.
std::string member_id();
// Redis' answer to GET layout_key: what the last publisher went by; nullopt: none has run.
Result<std::optional<position::Layout>> layout_of_reply(const redis::Reply& reply,
                                                        std::string_view instance);

}  // namespace sluice::pipeline
