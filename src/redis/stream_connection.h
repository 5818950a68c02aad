#pragma once
#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sluice/base/clock.h"
#include "sluice/redis/connection.h"

#include "reply_reader.h"
#include "transport.h"

namespace sluice::redis {

// A Connection over any Transport.
class StreamConnection final : public Connection {
 public:
  // `peer` ("redis db1:6379") is for messages; `clock` must outlive this.
  StreamConnection(std::unique_ptr<Transport> transport, std::string peer, Duration timeout,
                   const Clock& clock);
  Status send(std::string_view bytes) override;
  Result<Reply> receive() override;
  Status receive_checked(std::size_t count,
                         std::vector<std::pair<std::size_t, std::string>>& errors) override;
  Result<ExecResult> receive_exec() override;
  void set_wait(Duration limit, std::function<Status()> serve) override;
  void interrupt() noexcept override { transport_->interrupt(); }

  void set_timeout(Duration timeout) noexcept { timeout_ = timeout; }
  // Nothing is sent, waited for or taken any more once this is set; `why`, a literal, is said then.
  void set_replaced(std::shared_ptr<const std::atomic<bool>> replaced,
                    std::string_view why) noexcept {
    replaced_ = std::move(replaced);
    why_replaced_ = why;
  }

 private:
  using Deadline = std::chrono::steady_clock::time_point;
  // One reply into the sink.
  Status read_reply(ReplySink& sink);
  // Gives the parser more bytes: kept ones, else from the server.
  Status feed_more(Deadline deadline);
  // Reads what the server has sent already, and keeps it.
  Status keep_replies();
  Status wait(bool to_write, Deadline deadline);
  // The error of this and all later calls.
  Error broken(Error error);
  Error lost(std::string_view what);
  // The error that ends this connection, if there is one.
  Status usable();

  std::unique_ptr<Transport> transport_;
  std::string peer_;
  Duration timeout_;
  std::function<Status()> serve_;                      // may be empty
  std::shared_ptr<const std::atomic<bool>> replaced_;  // may be null
  std::string_view why_replaced_;
  Deadline served_at_{};
  const Clock& clock_;
  ReplyReader reader_;
  std::vector<char> piece_;    // what is read at once
  TextBuffer kept_;            // replies that came while sending
  std::size_t kept_used_ = 0;  // of kept_: given to the parser
  std::optional<Error> broken_;
};

// AUTH, CLIENT SETNAME, SELECT and PING.  Errors: as Connection::open.
Status greet(Connection& connection, const RedisOptions& options);
// What a Sentinel refused: with the remedy that is for Sentinels.
Error at_sentinel(Error error);
// AUTH and PING.  Errors: the same.
Status greet_sentinel(Connection& connection, const RedisOptions& options);

}  // namespace sluice::redis
