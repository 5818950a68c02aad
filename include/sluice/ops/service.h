#pragma once
#include <chrono>
#include <optional>
#include <string_view>

namespace sluice::ops {

// Tells the service manager (systemd's sd_notify protocol over $NOTIFY_SOCKET).  All are no-ops
// without one.  Thread-safe.
void notify_ready();
void notify_stopping();
void notify_status(std::string_view line);
void notify_watchdog();
// How often notify_watchdog() must be called at the latest (WatchdogSec); nullopt when no watchdog
// is set.
std::optional<std::chrono::microseconds> watchdog_interval();

}  // namespace sluice::ops
