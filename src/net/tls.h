#pragma once
#include <memory>

#include "sluice/base/result.h"
#include "sluice/base/unique_fd.h"
#include "sluice/net/stream.h"

namespace sluice::net {

// Shakes hands as a client over a connected, non-blocking socket.  Files are read anew each time,
// so renewed certificates count from the next connection on.  Errors: retry/io for the network and
// the deadline; fatal/io for certificates, keys and names, with the remedy.
Result<std::unique_ptr<Stream>> start_tls(UniqueFd fd, const Target& target, Time deadline);

}  // namespace sluice::net
