#pragma once
#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "redis/stream_connection.h"

namespace sluice::redis {

// The server's side of a stream, in memory.  Shared with the transport that the connection owns.
struct FakeServer {
  std::string replies;               // not read yet
  std::size_t piece = SIZE_MAX;      // bytes a read gives at most
  std::string received;              // what was written
  std::size_t accepts = SIZE_MAX;    // bytes it still takes before a write would block
  std::size_t accepts_per_read = 0;  // and how many more for each byte of replies that is read
  bool closed = false;               // after the replies the stream ends
  bool interrupted = false;
  std::vector<Duration> waits;     // timeouts asked for
  std::vector<std::string> later;  // delivered one by one, each by a wait

  bool readable() const { return !replies.empty() || closed; }
};

class FakeTransport final : public Transport {
 public:
  explicit FakeTransport(FakeServer& server) : server_(server) {}
  Result<Transfer> read(std::span<char> into) override {
    if (server_.replies.empty()) return Transfer{0, server_.closed};
    const auto n = std::min({into.size(), server_.replies.size(), server_.piece});
    std::memcpy(into.data(), server_.replies.data(), n);
    server_.replies.erase(0, n);
    if (server_.accepts != SIZE_MAX) server_.accepts += n * server_.accepts_per_read;
    return Transfer{n, false};
  }
  Result<Transfer> write(std::string_view bytes) override {
    const auto n = std::min(bytes.size(), server_.accepts);
    server_.received.append(bytes.substr(0, n));
    if (server_.accepts != SIZE_MAX) server_.accepts -= n;
    return Transfer{n, false};
  }
  Result<Wake> wait(bool to_write, Duration timeout) override {
    server_.waits.push_back(timeout);
    if (server_.interrupted) return Wake::interrupted;
    if (server_.waits.size() > 100'000)
      return Wake::timeout;  // whoever waits so often goes round in circles
    if (server_.readable() || (to_write && server_.accepts > 0)) return Wake::ready;
    if (server_.later.empty()) return Wake::timeout;
    server_.replies = server_.later.front();
    server_.later.erase(server_.later.begin());
    return Wake::ready;
  }
  void interrupt() noexcept override { server_.interrupted = true; }

 private:
  FakeServer& server_;
};

// Stands still unless told.
class FakeClock final : public Clock {
 public:
  std::chrono::steady_clock::time_point steady() const override { return now; }
  std::int64_t wall_us() const override { return 0; }
  std::chrono::steady_clock::time_point now{};
};

}  // namespace sluice::redis
