#pragma once
#include <chrono>
#include <cstdint>
#include <string>

#include <sys/uio.h>

#include "sluice/base/result.h"
#include "sluice/base/unique_fd.h"

namespace sluice::queue {

using Time = std::chrono::steady_clock::time_point;

// A connected, non-blocking TCP socket with TCP_NODELAY.  Tries every address of the name until
// `deadline` (the name's lookup itself ends by the resolver's own timeouts).  Errors:
// retry/queue_lost with the system's reason.
Result<UniqueFd> connect_tcp(const std::string& host, std::uint32_t port, Time deadline);

// What poll() needs: whole milliseconds until `deadline`, rounded up, never negative.
int poll_ms(Time now, Time deadline) noexcept;

// The text of an errno, thread-safe.
std::string errno_text(int error);

}  // namespace sluice::queue
