#pragma once
#include <functional>
#include <optional>
#include <stop_token>
#include <utility>
#include <vector>

#include "sluice/base/result.h"
#include "sluice/position/applied_record.h"

#include "pipeline/outbox.h"

namespace sluice::pipeline {

// Lets nothing pass until Redis holds every row gathered so far: what comes behind it cannot
// overtake them, whichever queue it goes through.
class Barrier {
 public:
  // What Redis has, by partition.
  using Applied = std::function<Result<std::vector<std::optional<position::AppliedRecord>>>()>;
  Barrier(Outbox& outbox, Applied applied) : outbox_(&outbox), applied_(std::move(applied)) {}

  // Waits, for as long as broker or Redis are away too.  Called by the source's thread. Errors:
  // stopped; those of `applied` that are not retry.
  Status pass(const std::stop_token& st) const;

 private:
  Outbox* outbox_;
  Applied applied_;
};

}  // namespace sluice::pipeline
