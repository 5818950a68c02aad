#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/base/result.h"
#include "sluice/config/options.h"
#include "sluice/queue/brokers.h"

namespace sluice::queue {

// Names of this instance's exchange and queues.  The layout P is in the name: AMQP cannot read
// arguments back.
struct Names {
  std::string instance;
  std::uint32_t partitions = 0;
  bool with_ddl = false;      // there is a queue for DDL, too
  bool with_letters = false;  // the publisher writes dead letters, too (there always is a queue)
  bool of_control = false;    // the only partition is the control queue
  std::string exchange() const { return "sluice." + instance; }
  std::string partition(std::uint32_t n) const {
    if (of_control) return control();
    return exchange() + ".p" + std::to_string(partitions) + "." + std::to_string(n);
  }
  std::string dead() const { return exchange() + ".dead"; }
  std::string ddl() const { return exchange() + ".ddl"; }
  std::string control() const { return exchange() + ".control"; }
  std::string leader() const { return exchange() + ".leader"; }
  // For who publishes to the control queue or consumes it: as partition 0.
  Names for_control() const { return {instance, 1, false, false, true}; }
  // What a publisher sends to: the partitions, then DDL, then dead letters.
  std::uint32_t lanes() const noexcept {
    return partitions + (with_ddl ? 1U : 0U) + (with_letters ? 1U : 0U);
  }
  std::string lane(std::uint32_t n) const {
    if (n < partitions) return partition(n);
    return with_ddl && n == partitions ? ddl() : dead();
  }
};

struct BrokerInfo {
  std::string product, version;  // "RabbitMQ", "3.10.8"
  std::uint32_t major = 0, minor = 0;
};

// What a queue looks like from outside.
struct QueueInfo {
  std::uint64_t messages = 0;  // ready
  std::uint64_t consumers = 0;
};

// Declares, checks and deletes.  One AMQP connection; belongs to one thread.
class Admin {
 public:
  // Errors of all: retry/queue_lost, fatal/queue_denied, fatal/queue_topology; they name host, port
  // and queue.
  static Result<std::unique_ptr<Admin>> connect(Brokers& brokers);
  // For one connection only.
  static Result<std::unique_ptr<Admin>> connect(const QueueOptions& options);
  virtual ~Admin() = default;
  virtual const BrokerInfo& broker() const noexcept = 0;
  // nullopt: no such queue.
  virtual Result<std::optional<QueueInfo>> inspect(const std::string& queue) = 0;
  // Declares exchange, partition queues, dead and control queue, and the one for DDL where there is
  // one, with their bindings (routing key = queue name), by the rules of docs/design.md: passively
  // first, then in full on a spare channel; other arguments: fatal/queue_topology with the remedy.
  // With queue.type existing nothing is declared: what is missing is fatal/queue_topology, by name.
  // `expected`: partition queues that were sent to before: one that is missing is a loss,
  // fatal/queue_topology, not declared anew.
  virtual Status declare(const Names& names, const std::vector<bool>& expected) = 0;
  // Messages removed.
  virtual Result<std::uint64_t> purge(const std::string& queue) = 0;
  virtual Status remove_queue(const std::string& queue) = 0;
  virtual Status remove_exchange(const std::string& exchange) = 0;
};

}  // namespace sluice::queue
