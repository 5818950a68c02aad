#include "pipeline/stage.h"

#include <exception>
#include <utility>

#include "pipeline/signals.h"

namespace sluice::pipeline {

std::jthread start_stage(std::string name, FailureBox& failures, std::function<Status()> body) {
  return std::jthread([name = std::move(name), &failures, body = std::move(body)] {
    name_thread(name.c_str());
    try {
      if (Status s = body(); !s.ok() && s.error().cls != ErrorClass::stopped)
        failures.put(std::move(s).error());
    } catch (const std::exception& e) {  // thread top: out of memory, or a bug of ours
      failures.put(fatal(Errc::internal, name + ": " + e.what()));
    }
  });
}

}  // namespace sluice::pipeline
