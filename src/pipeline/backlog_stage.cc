#include "pipeline/backlog_stage.h"

#include "sluice/base/backoff.h"
#include "sluice/base/log.h"

namespace sluice::pipeline {

Result<std::uint64_t> BacklogStage::count(queue::Admin& admin) {
  std::uint64_t messages = 0;
  for (std::uint32_t n = 0; n < names_.partitions; ++n) {
    SLUICE_TRY_ASSIGN(const auto info, admin.inspect(names_.partition(n)));
    if (info) messages += info->messages;
  }
  return messages;
}

void BacklogStage::run(const std::stop_token& st) {
  std::unique_ptr<queue::Admin> admin;
  do {
    if (!admin) {
      if (auto opened = connect_(); opened.ok()) admin = std::move(opened).value();
    }
    std::optional<std::uint64_t> messages;
    if (admin) {
      auto counted = count(*admin);
      if (counted.ok()) {
        messages = *counted;
      } else {
        log::get("queue").debug("backlog unknown error=\"{}\"", to_string(counted.error()));
        admin.reset();
      }
    }
    {
      const Lock lock(mu_);
      latest_ = messages;
    }
  } while (wait_for(interval_, st));
}

std::optional<std::uint64_t> BacklogStage::latest() const {
  const Lock lock(mu_);
  return latest_;
}

}  // namespace sluice::pipeline
