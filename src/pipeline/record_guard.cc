#include "pipeline/record_guard.h"

#include <utility>
#include <vector>

namespace sluice::pipeline {

Result<redis::Reply> RecordGuard::fence(std::string_view key) {
  commands_.clear();
  redis::append_command(commands_, {"WATCH", key});
  redis::append_command(commands_, {"GET", key});
  SLUICE_TRY(redis_->send(commands_.view()));
  SLUICE_TRY_ASSIGN(redis::Reply watched, redis_->receive());
  SLUICE_TRY_ASSIGN(redis::Reply record, redis_->receive());
  return watched.kind == redis::Reply::Kind::error ? std::move(watched) : std::move(record);
}

Status RecordGuard::drop() {
  SLUICE_TRY_ASSIGN(const redis::Reply reply, redis_->command({"UNWATCH"}));
  if (reply.kind == redis::Reply::Kind::error) return redis::error_of_reply(reply.text);
  return {};
}

Result<bool> RecordGuard::write(std::string_view key, std::string_view text) {
  commands_.clear();
  redis::append_command(commands_, {"MULTI"});
  if (text.empty())
    redis::append_command(commands_, {"UNLINK", key});
  else
    redis::append_command(commands_, {"SET", key, text});
  redis::append_command(commands_, {"EXEC"});
  SLUICE_TRY(redis_->send(commands_.view()));
  std::vector<std::pair<std::size_t, std::string>> errors;
  SLUICE_TRY(redis_->receive_checked(2, errors));
  SLUICE_TRY_ASSIGN(const redis::ExecResult exec, redis_->receive_exec());
  if (!errors.empty()) return redis::error_of_reply(errors.front().second);
  if (!exec.refused.empty()) return redis::error_of_reply(exec.refused);
  if (!exec.errors.empty()) return redis::error_of_reply(exec.errors.front().second);
  return !exec.aborted;
}

}  // namespace sluice::pipeline
