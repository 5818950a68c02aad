#pragma once
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "sluice/base/result.h"
#include "sluice/config/options.h"

namespace sluice::redis {

// A connected byte stream that never blocks but in wait().  The seam for TLS and for tests.
class Transport {
 public:
  struct Transfer {
    std::size_t bytes = 0;  // 0 and not closed: nothing now, wait()
    bool closed = false;    // the other side has ended the stream
  };
  enum class Wake : std::uint8_t { ready, timeout, interrupted };

  virtual ~Transport() = default;
  // Errors of all: retry/redis_lost with the system's reason.
  virtual Result<Transfer> read(std::span<char> into) = 0;
  virtual Result<Transfer> write(std::string_view bytes) = 0;
  // Until there may be something to read, or, with `to_write`, room to write.
  virtual Result<Wake> wait(bool to_write, Duration timeout) = 0;
  // Ends the wait in progress and all later ones.  Thread-safe.
  virtual void interrupt() noexcept = 0;
};

// Where a server is.
struct Endpoint {
  std::string socket;  // unix; empty: the address
  HostPort address;
  // "127.0.0.1:6379", "[::1]:6379" or the socket's path: for messages.
  std::string to_string() const { return socket.empty() ? address.to_string(0) : socket; }
};

// Connects to one of the host's addresses, or the unix socket.  The timeout is for all addresses
// together; looking up the name comes on top.  Errors: retry/redis_lost; fatal/config_invalid for a
// path that is too long.
Result<std::unique_ptr<Transport>> connect_socket(const RedisOptions& options, const Endpoint& at,
                                                  Duration timeout);

}  // namespace sluice::redis
