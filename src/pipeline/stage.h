#pragma once
#include <functional>
#include <string>
#include <thread>

#include "sluice/base/result.h"

#include "pipeline/failure.h"

namespace sluice::pipeline {

// One thread of the pipeline: named, its error put into the box unless it was stopped.
std::jthread start_stage(std::string name, FailureBox& failures, std::function<Status()> body);

}  // namespace sluice::pipeline
