#pragma once

namespace sluice::fuzz {

// What must hold whatever the input: libFuzzer keeps the input for which it does not, and the
// replay of the seeds fails.
inline void require(bool claim) {
  if (!claim) __builtin_trap();
}

}  // namespace sluice::fuzz
