#pragma once
#include "sluice/base/result.h"

namespace sluice::pipeline {

// The process' exit code for an error (docs/operate.md): 1 internal or input/output, 2 usage, 3
// configuration, 4 source, 5 position, 6 gap, 7 stream, 8 refused by Redis, 9 queue, 10 Redis, 11
// timeout.
int exit_code(const Error& error) noexcept;

}  // namespace sluice::pipeline
