#pragma once
#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sluice/base/mutex.h"
#include "sluice/base/text_buffer.h"
#include "sluice/redis/connection.h"
#include "sluice/redis/replica_wait.h"

#include "redis/cluster_nodes.h"
#include "redis/command_list.h"

namespace sluice::redis {

// A cluster as one Connection.  A pipeline is cut into one for each node, and commands of one key
// keep their order; replies come in the order of the commands.  What a node sends elsewhere (MOVED,
// ASK) goes there, with all commands of that slot or key behind it, so some may be done twice, in
// order.  A lost node ends the whole connection.
//
// A transaction is of one slot and in one send(), and WATCH is of the same slot; when its slot
// moves on the way EXEC says `aborted`.  A command without a key goes to the master of slot 0.
class ClusterConnection final : public Connection {
 public:
  explicit ClusterConnection(std::shared_ptr<ClusterNodes> nodes) : nodes_(std::move(nodes)) {}
  Status send(std::string_view bytes) override;
  Result<Reply> receive() override;
  Status receive_checked(std::size_t count,
                         std::vector<std::pair<std::size_t, std::string>>& errors) override;
  Result<ExecResult> receive_exec() override;
  void set_wait(Duration limit, std::function<Status()> serve) override;
  void interrupt() noexcept override;
  Result<std::vector<Connection*>> nodes() override;
  Result<std::optional<std::string>> placement() override;
  Result<std::vector<std::string>> spread(const std::string& key) override;
  Result<Reached> wait_written(const ReplicaWait& wait) override;

 private:
  // One to a node.
  struct Link {
    HostPort at;
    std::unique_ptr<Connection> connection;
    TextBuffer out;  // what is to be sent
    // Whose replies are to come, in order: the command's number, and how often it had been sent.
    struct Expected {
      std::uint64_t command = 0;
      std::uint32_t attempt = 0;
    };
    std::deque<Expected> expected;
    bool written = false;  // since the last WAIT that was enough
  };
  enum class Kind : std::uint8_t { plain, watch, unwatch, multi, queued, exec };
  struct Command {
    std::size_t begin = 0, size = 0;          // in text_
    std::size_t key_begin = 0, key_size = 0;  // the same
    std::uint16_t slot = 0;
    Kind kind = Kind::plain;
    bool has_key = false, writes = false;
    std::uint32_t attempt = 0;
    Link* link = nullptr;
    std::optional<Reply> reply;  // that came before its turn
  };

  Status usable();
  // The error of this and all later calls.
  Error broken(Error error);
  // What comes of `status`: its error is this connection's from here on.
  Status keep(Status status) {
    if (status.ok()) return status;
    return broken(std::move(status).error());
  }
  Status add(std::size_t begin);
  Status route();
  Result<Link*> link_of(const HostPort& node);
  Result<Link*> link_of_slot(std::uint16_t slot);
  void push(Command& command, bool asking);
  Status flush();
  // The reply of the oldest command, from where it comes at last.  `whole`: else only whether it
  // is an error.
  Result<Reply> next(bool whole);
  Result<Reply> read(Command& command, bool whole);
  // Reads the replies that nobody waits for, when no other is to come.
  Status drain();
  Status follow(const Redirect& redirect);
  Command& at(std::uint64_t number) { return commands_[number - first_]; }
  std::string_view key_of(const Command& command) const {
    return text_.view().substr(command.key_begin, command.key_size);
  }

  std::shared_ptr<ClusterNodes> nodes_;
  ClusterNodes::Map map_;
  mutable Mutex mu_;
  std::vector<std::unique_ptr<Link>> links_ GUARDED_BY(mu_);  // changed by this thread alone
  bool interrupted_ GUARDED_BY(mu_) = false;
  std::optional<std::pair<Duration, std::function<Status()>>> wait_;
  std::optional<Error> broken_;

  TextBuffer text_;  // what was sent and is not answered yet
  std::vector<Command> commands_;
  std::uint64_t first_ = 1;      // number of the first of them
  std::uint64_t next_ = 1;       // of the oldest one that is not answered
  std::uint32_t redirects_ = 0;  // in a row
  struct Watch {
    std::uint16_t slot = 0;
    Link* link = nullptr;
    bool asking = false;
  };
  std::optional<Watch> watch_;
  bool moved_in_transaction_ = false;
  bool strays_ = false;  // replies come that nobody waits for
  std::vector<std::pair<std::size_t, std::string>> scratch_;
};

}  // namespace sluice::redis
