#include "pipeline/applier_step.h"

namespace sluice::pipeline {

void TransactionStep::begin(TextBuffer& commands) {
  redis::append_command(commands, {"MULTI"});
}

Result<ApplierStep::Output> TransactionStep::run(const Input& input) {
  TextBuffer& commands = *input.commands;
  redis::append_command(commands, {"SET", input.key, input.record});
  redis::append_command(commands, {"EXEC"});
  if (wait_.wanted()) redis::append_wait(commands, wait_);
  redis::append_command(commands, {"WATCH", input.next_key});
  redis::append_command(commands, {"GET", input.next_key});
  SLUICE_TRY(redis_->send(commands.view()));
  Output out;
  std::vector<std::pair<std::size_t, std::string>> unqueued;
  // MULTI, the commands, SET
  SLUICE_TRY(redis_->receive_checked(input.count + 2, unqueued));
  SLUICE_TRY_ASSIGN(redis::ExecResult exec, redis_->receive_exec());
  if (!unqueued.empty()) {  // nothing was done, and that is not one row's fault
    Error error = redis::error_of_reply(unqueued.front().second);
    if (error.cls == ErrorClass::poison) error.cls = ErrorClass::fatal;
    return error;
  }
  if (!exec.refused.empty()) return redis::error_of_reply(exec.refused);
  out.aborted = exec.aborted;
  out.recorded = !exec.aborted;
  out.errors = std::move(exec.errors);
  if (Status s = receive_rest(out); !s.ok()) out.failed = std::move(s).error();
  return out;
}

Status TransactionStep::receive_rest(Output& out) {
  redis::Reply waited;
  if (wait_.wanted()) {
    SLUICE_TRY_ASSIGN(waited, redis_->receive());
  }
  SLUICE_TRY_ASSIGN(redis::Reply watched, redis_->receive());
  SLUICE_TRY_ASSIGN(redis::Reply record, redis_->receive());
  out.next_record =
      watched.kind == redis::Reply::Kind::error ? std::move(watched) : std::move(record);
  if (wait_.wanted() && out.recorded) {
    SLUICE_TRY_ASSIGN(out.reached, redis::reached(waited, wait_));
  }
  return {};
}

void ClusterStep::begin(TextBuffer&) {}

Result<ApplierStep::Output> ClusterStep::run(const Input& input) {
  Output out;
  if (input.count != 0) {
    SLUICE_TRY(redis_->send(input.commands->view()));
    SLUICE_TRY(redis_->receive_checked(input.count, out.errors));
    // Some are done, some are not: without the record all of them come again, in their order.
    for (const auto& [index, text] : out.errors) {
      Error error = redis::error_of_reply(text);
      if (error.cls != ErrorClass::poison) return error;
    }
    if (!out.errors.empty() && input.stops_at_refused) return out;
    // A node that comes back older must not be older than the record on another one.
    SLUICE_TRY(await_());
  }
  SLUICE_TRY_ASSIGN(out.recorded, guard_->write(input.key, input.record));
  out.aborted = !out.recorded;
  out.wrote_rows = input.count != 0;
  if (!out.recorded) return out;
  if (Status s = await_(); !s.ok()) out.failed = std::move(s).error();
  return out;
}

}  // namespace sluice::pipeline
