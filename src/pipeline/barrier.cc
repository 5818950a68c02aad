#include "pipeline/barrier.h"

#include <algorithm>
#include <chrono>

#include "sluice/base/backoff.h"

namespace sluice::pipeline {

Status Barrier::pass(const std::stop_token& st) const {
  constexpr std::chrono::milliseconds kFirstLook{10}, kLookEvery{200};
  SLUICE_TRY(outbox_->wait_drained());
  const std::vector<EventId> sent = outbox_->chain();
  for (auto pause = kFirstLook;; pause = std::min(2 * pause, kLookEvery)) {
    if (st.stop_requested()) return stopped();
    const auto records = applied_();
    if (!records && records.error().cls != ErrorClass::retry) return records.error();
    if (records && std::equal(sent.begin(), sent.end(), records->begin(), records->end(),
                              [](const EventId& last, const auto& record) {
                                return last.is_zero() || (record && record->id >= last);
                              }))
      return {};
    if (!wait_for(pause, st)) return stopped();
  }
}

}  // namespace sluice::pipeline
