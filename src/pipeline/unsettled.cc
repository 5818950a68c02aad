#include "pipeline/unsettled.h"

#include <utility>

namespace sluice::pipeline {

void Unsettled::keep(std::uint32_t partition, const MessageHeaders& headers, Refused refused) {
  const Lock lock(mu_);
  if (refused.empty())
    kept_.erase(partition);
  else
    kept_.insert_or_assign(partition, Kept{headers.prev, headers.last, std::move(refused)});
}

Unsettled::Refused Unsettled::of(std::uint32_t partition, const MessageHeaders& headers) const {
  const Lock lock(mu_);
  const auto found = kept_.find(partition);
  if (found == kept_.end()) return {};
  const Kept& kept = found->second;
  return kept.prev == headers.prev && kept.last == headers.last ? kept.refused : Refused{};
}

}  // namespace sluice::pipeline
