#pragma once
#include <memory>
#include <string>
#include <vector>

#include <amqp.h>
#include <gtest/gtest.h>

#include "sluice/config/options.h"
#include "sluice/queue/connection.h"
#include "sluice/queue/consumer.h"
#include "sluice/queue/publisher.h"

namespace sluice::queue {

// What a test does to the broker behind our back, by rabbitmq-c alone: the other opinion.  Every
// call expects success.
class Outsider {
 public:
  explicit Outsider(const QueueOptions& options);
  ~Outsider();
  Outsider(const Outsider&) = delete;
  Outsider& operator=(const Outsider&) = delete;

  void declare_exchange(const std::string& name, const std::string& type = "direct");
  void declare_queue(const std::string& name, std::vector<amqp_table_entry_t> arguments);
  void bind(const std::string& queue, const std::string& exchange);
  void unbind(const std::string& queue, const std::string& exchange);
  void publish(const std::string& queue,
               const std::string& body);  // no headers, by the default exchange
  // Stands in line for what comes, for as long as this lives, without acks (`no_ack`: none is
  // needed); receive() is the next message.
  void consume(const std::string& queue, bool no_ack);
  std::string receive();
  void delete_queue(const std::string& name);
  void delete_exchange(const std::string& name);

 private:
  void check(const char* what);
  amqp_connection_state_t state_;
};

// One instance of its own for each test, on each broker of the environment; what it declared is
// removed at the end.
class BrokerTest : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override;
  void TearDown() override;

  // Declares everything; null with a failure on record when that fails.
  std::unique_ptr<Admin> declared();
  std::unique_ptr<Publisher> publisher();
  std::unique_ptr<Consumer> consumer();
  MessageHeaders headers(std::uint64_t n) const;  // of the n-th message, n from 1; one row each
  // Publishes and waits for the outcome.
  Outcome send(Publisher& p, std::uint32_t partition, std::uint64_t n, std::string_view body);
  // The next message; fails the test when none comes within 10 s.
  Delivery receive(Consumer& c);
  // The output of the broker's rabbitmqctl, as SLUICE_TEST_RABBITCTL310, 43 give it; expects
  // success.
  std::string ctl(const std::string& arguments) const;
  bool has_ctl() const { return !ctl_command().empty(); }
  bool is_new() const { return std::string_view(GetParam()) == "SLUICE_TEST_RABBIT43"; }

  QueueOptions options{nullptr, "queue", ""};
  Names names;
  Wakeup wake;

 private:
  std::string ctl_command() const;
};

std::string broker_name(const ::testing::TestParamInfo<const char*>& info);

// The process's environment; empty when not set.
std::string environment(const char* name);

#define SLUICE_ON_BOTH_BROKERS(Suite)                                                          \
  INSTANTIATE_TEST_SUITE_P(Broker, Suite,                                                      \
                           ::testing::Values("SLUICE_TEST_RABBIT310", "SLUICE_TEST_RABBIT43"), \
                           broker_name)

}  // namespace sluice::queue
