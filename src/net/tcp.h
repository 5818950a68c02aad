#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "sluice/base/result.h"
#include "sluice/base/unique_fd.h"
#include "sluice/net/stream.h"

namespace sluice::net {

// A connected, non-blocking TCP socket with TCP_NODELAY.
Result<UniqueFd> connect_tcp(const std::string& host, std::uint32_t port, Time deadline);

// A stream over a connected, non-blocking socket.
std::unique_ptr<Stream> plain_stream(UniqueFd fd);

}  // namespace sluice::net
