#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include <sys/uio.h>

#include "sluice/base/result.h"
#include "sluice/config/options.h"

namespace sluice::net {

using Time = std::chrono::steady_clock::time_point;

// A connected byte stream over a socket, plain or encrypted.  Nothing blocks: who has to wait polls
// fd() for the events told here.  Belongs to one thread; the destructor closes.
//
// Errors of this room have code base.io and texts without the peer's name: the room that connects
// says them in its own words.  retry: the network; fatal: TLS was refused, by us or by the peer,
// with the remedy.
class Stream {
 public:
  struct Transfer {
    std::size_t bytes = 0;  // 0 and not closed: nothing now
    bool closed = false;    // read: the peer has ended the stream
  };
  virtual ~Stream() = default;
  virtual Result<Transfer> read(std::span<char> into) = 0;
  // Sends the beginning of `pieces` (of which there is at least one byte).  After a transfer of 0
  // bytes the next call must come with the same bytes, wherever they are by then.
  virtual Result<Transfer> write(std::span<const iovec> pieces) = 0;
  virtual int fd() const noexcept = 0;
  // What to poll for before the next read(), write().
  virtual short read_events() const noexcept = 0;
  virtual short write_events() const noexcept = 0;
  // Bytes have been received that poll() does not tell of: read() before waiting.
  virtual bool has_received() const noexcept = 0;
};

// Whom to connect to, and how.
struct Target {
  std::string host;
  std::uint32_t port = 0;
  const TlsOptions* tls = nullptr;  // null, or mode disabled: plain
  std::string section;              // "queue": whose tls options the remedies name
};

// Tries every address of the name until `deadline` (the name's lookup itself ends by the resolver's
// own timeouts), then shakes hands, until `deadline` too.  With TCP_NODELAY, and keepalive that
// finds a dead peer within a minute.
Result<std::unique_ptr<Stream>> connect(const Target& target, Time deadline);
// Errors: also fatal/config_invalid for a path that is too long.
Result<std::unique_ptr<Stream>> connect_unix(const std::string& path, Time deadline);

// What poll() needs: whole milliseconds until `deadline`, rounded up, never negative.
int poll_ms(Time now, Time deadline) noexcept;

// The text of an errno, thread-safe.
std::string errno_text(int error);

}  // namespace sluice::net
