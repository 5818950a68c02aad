#include "pipeline/backlog_stage.h"

#include <algorithm>

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

Status BacklogStage::count_dead(queue::Admin& admin) {
  const std::uint64_t written = counters_->dead_letters.load();
  SLUICE_TRY_ASSIGN(const auto info, admin.inspect(names_.dead()));
  const Lock lock(mu_);
  // Letters that `sluice dead` holds are not ready, and not gone either.
  if (info && info->consumers != 0)
    dead_ = std::max(info->messages, dead_.value_or(1));
  else
    dead_ = info ? info->messages : 0;
  written_before_ = written;
  return {};
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
      if (counted.ok())
        if (Status s = count_dead(*admin); !s.ok()) counted = std::move(s).error();
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

std::optional<std::uint64_t> BacklogStage::dead() const {
  const std::uint64_t written = counters_->dead_letters.load();
  const Lock lock(mu_);
  if (!dead_) return std::nullopt;
  return *dead_ + (written - written_before_);
}

}  // namespace sluice::pipeline
