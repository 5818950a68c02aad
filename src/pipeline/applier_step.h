#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sluice/base/clock.h"
#include "sluice/base/result.h"
#include "sluice/base/text_buffer.h"
#include "sluice/redis/connection.h"
#include "sluice/redis/replica_wait.h"

#include "pipeline/record_guard.h"

namespace sluice::pipeline {

// How the rows of a message and the applied record come to Redis.  Before it the record was fenced.
class ApplierStep {
 public:
  struct Input {
    TextBuffer* commands = nullptr;  // what begin() wrote, and the rows' commands
    std::uint64_t count = 0;         // of these
    std::string_view key, record;    // what is to stand there then
    std::string_view next_key;       // the record that the next message will ask for, likely
    bool stops_at_refused = false;
  };
  struct Output {
    // The record was written by somebody else, or its slot moved: it is not written.
    bool aborted = false;
    bool wrote_rows = false;  // though it was aborted
    bool recorded = false;
    // What Redis refused, by the command's number.
    std::vector<std::pair<std::size_t, std::string>> errors;
    // Of next_key, which is fenced.
    std::optional<redis::Reply> next_record;
    // What went wrong behind it: what was done stands.
    std::optional<Error> failed;
    // How far the replicas are, when they are waited for and it has not been done yet.
    std::optional<redis::Reached> reached;
  };
  virtual ~ApplierStep() = default;
  // What stands before the rows' commands.
  virtual void begin(TextBuffer& commands) = 0;
  // `input.commands` is used up.  Errors: those of the connection; what Redis refuses for now, or
  // the account may not.
  virtual Result<Output> run(const Input& input) = 0;
};

// On a server alone: rows and record in one transaction, in one write with the wait for replicas
// and the next fence.
class TransactionStep final : public ApplierStep {
 public:
  TransactionStep(redis::Connection& redis, const redis::ReplicaWait& wait)
      : redis_(&redis), wait_(wait) {}
  void begin(TextBuffer& commands) override;
  Result<Output> run(const Input& input) override;

 private:
  // What was asked for in the same write.
  Status receive_rest(Output& out);
  redis::Connection* redis_;
  const redis::ReplicaWait wait_;
};

// On a cluster, which has no transactions across its nodes: the rows first, on each node in their
// order; when all are there, and on as many replicas as are asked for, the record.
class ClusterStep final : public ApplierStep {
 public:
  // `await` waits for the replicas of what was written.  All outlive it.
  ClusterStep(redis::Connection& redis, RecordGuard& guard, std::function<Status()> await)
      : redis_(&redis), guard_(&guard), await_(std::move(await)) {}
  void begin(TextBuffer& commands) override;
  Result<Output> run(const Input& input) override;

 private:
  redis::Connection* redis_;
  RecordGuard* guard_;
  std::function<Status()> await_;
};

}  // namespace sluice::pipeline
