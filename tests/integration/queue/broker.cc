#include "integration/queue/broker.h"

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include <amqp_tcp_socket.h>
#include <unistd.h>

#include "queue/amqp_bytes.h"

namespace sluice::queue {

using namespace std::chrono_literals;

std::string environment(const char* name) {
  const char* value =
      std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nothing here changes the environment
  return value == nullptr ? "" : value;
}

std::string broker_name(const ::testing::TestParamInfo<const char*>& info) {
  return std::string(info.param).substr(sizeof "SLUICE_TEST_" - 1);
}

Outsider::Outsider(const QueueOptions& options) : state_(amqp_new_connection()) {
  amqp_socket_t* socket = amqp_tcp_socket_new(state_);
  if (amqp_socket_open(socket, options.host().c_str(), static_cast<int>(options.port())) !=
      AMQP_STATUS_OK) {
    ADD_FAILURE() << "connect";
    return;
  }
  const auto reply = amqp_login(state_, "/", 0, 131072, 0, AMQP_SASL_METHOD_PLAIN,
                                options.user().c_str(), options.password().reveal().c_str());
  EXPECT_EQ(reply.reply_type, AMQP_RESPONSE_NORMAL);
  amqp_channel_open(state_, 1);
  check("channel");
}

Outsider::~Outsider() {
  amqp_connection_close(state_, AMQP_REPLY_SUCCESS);
  amqp_destroy_connection(state_);
}

void Outsider::check(const char* what) {
  const auto reply = amqp_get_rpc_reply(state_);
  if (reply.reply_type == AMQP_RESPONSE_NORMAL) return;
  std::string text;
  if (reply.reply_type == AMQP_RESPONSE_SERVER_EXCEPTION &&
      reply.reply.id == AMQP_CHANNEL_CLOSE_METHOD)
    text = view(static_cast<amqp_channel_close_t*>(reply.reply.decoded)->reply_text);
  ADD_FAILURE() << what << ": " << text;
}

void Outsider::declare_exchange(const std::string& name, const std::string& type) {
  amqp_exchange_declare(state_, 1, amqp_bytes(name), amqp_bytes(type), 0, 1, 0, 0,
                        amqp_empty_table);
  check("exchange.declare");
}

void Outsider::declare_queue(const std::string& name, std::vector<amqp_table_entry_t> arguments) {
  amqp_queue_declare(state_, 1, amqp_bytes(name), 0, 1, 0, 0,
                     {static_cast<int>(arguments.size()), arguments.data()});
  check("queue.declare");
}

void Outsider::bind(const std::string& queue, const std::string& exchange) {
  amqp_queue_bind(state_, 1, amqp_bytes(queue), amqp_bytes(exchange), amqp_bytes(queue),
                  amqp_empty_table);
  check("queue.bind");
}

void Outsider::unbind(const std::string& queue, const std::string& exchange) {
  amqp_queue_unbind(state_, 1, amqp_bytes(queue), amqp_bytes(exchange), amqp_bytes(queue),
                    amqp_empty_table);
  check("queue.unbind");
}

void Outsider::publish(const std::string& queue, const std::string& body) {
  EXPECT_EQ(amqp_basic_publish(state_, 1, amqp_empty_bytes, amqp_bytes(queue), 0, 0, nullptr,
                               amqp_bytes(body)),
            AMQP_STATUS_OK);
}

void Outsider::consume(const std::string& queue, bool no_ack) {
  amqp_basic_consume(state_, 1, amqp_bytes(queue), amqp_empty_bytes, 0, no_ack ? 1 : 0, 0,
                     amqp_empty_table);
  check("basic.consume");
}

std::string Outsider::receive() {
  amqp_envelope_t envelope{};
  const timeval patience{10, 0};
  const auto reply = amqp_consume_message(state_, &envelope, &patience, 0);
  EXPECT_EQ(reply.reply_type, AMQP_RESPONSE_NORMAL);
  if (reply.reply_type != AMQP_RESPONSE_NORMAL) return {};
  std::string body(view(envelope.message.body));
  amqp_destroy_envelope(&envelope);
  return body;
}

void Outsider::delete_queue(const std::string& name) {
  amqp_queue_delete(state_, 1, amqp_bytes(name), 0, 0);
  check("queue.delete");
}

void Outsider::delete_exchange(const std::string& name) {
  amqp_exchange_delete(state_, 1, amqp_bytes(name), 0);
  check("exchange.delete");
}

void BrokerTest::SetUp() {
  const std::string where = environment(GetParam());
  const auto colon = where.rfind(':');
  if (colon == std::string::npos) GTEST_SKIP() << GetParam() << " is not set";
  options.host.set(where.substr(0, colon));
  options.port.set(static_cast<std::uint32_t>(std::stoul(where.substr(colon + 1))));
  options.connect_timeout.set(10s);
  names.instance = std::string("t") + std::to_string(::getpid()) + "-" +
                   ::testing::UnitTest::GetInstance()->current_test_info()->name();
  for (char& c : names.instance)
    if (c == '/') c = '-';
  names.partitions = 4;
}

void BrokerTest::TearDown() {
  if (IsSkipped() || names.instance.empty()) return;
  auto admin = Admin::connect(options);
  ASSERT_TRUE(admin.ok()) << admin.error().what;
  for (std::uint32_t n = 0; n < names.partitions; ++n)
    EXPECT_TRUE((*admin)->remove_queue(names.partition(n)).ok());
  EXPECT_TRUE((*admin)->remove_queue(names.dead()).ok());
  EXPECT_TRUE((*admin)->remove_queue(names.control()).ok());
  EXPECT_TRUE((*admin)->remove_exchange(names.exchange()).ok());
}

std::string BrokerTest::ctl_command() const {
  return environment(is_new() ? "SLUICE_TEST_RABBITCTL43" : "SLUICE_TEST_RABBITCTL310");
}

std::string BrokerTest::ctl(const std::string& arguments) const {
  // NOLINTNEXTLINE(cert-env33-c): a test's own command
  FILE* const pipe = ::popen((ctl_command() + " " + arguments).c_str(), "r");
  if (pipe == nullptr) {
    ADD_FAILURE() << "popen";
    return {};
  }
  std::string out;
  std::array<char, 4096> buffer{};
  while (const std::size_t n = std::fread(buffer.data(), 1, buffer.size(), pipe))
    out.append(buffer.data(), n);
  EXPECT_EQ(::pclose(pipe), 0) << arguments;
  return out;
}

std::unique_ptr<Admin> BrokerTest::declared() {
  auto admin = Admin::connect(options);
  if (!admin) {
    ADD_FAILURE() << admin.error().what;
    return nullptr;
  }
  const auto status = (*admin)->declare(names, {});
  if (!status) {
    ADD_FAILURE() << status.error().what;
    return nullptr;
  }
  return std::move(admin).value();
}

std::unique_ptr<Publisher> BrokerTest::publisher() {
  auto p = Publisher::connect(options, names);
  if (p.ok()) return std::move(p).value();
  ADD_FAILURE() << p.error().what;
  return nullptr;
}

std::unique_ptr<Consumer> BrokerTest::consumer() {
  auto c = Consumer::connect(options, names);
  if (c.ok()) return std::move(c).value();
  ADD_FAILURE() << c.error().what;
  return nullptr;
}

MessageHeaders BrokerTest::headers(std::uint64_t n) const {
  MessageHeaders h;
  if (n > 1) h.prev = {1, 3, n - 1, 0, 0, 0};
  h.first = h.last = {1, 3, n, 0, 0, 0};
  h.rows = 1;
  h.file = "binlog.000003";
  h.pos = n;
  h.gtid = "0-1-" + std::to_string(n);
  h.commit_us = 1'693'995'485'000'000;
  return h;
}

Outcome BrokerTest::send(Publisher& p, std::uint32_t partition, std::uint64_t n,
                         std::string_view body) {
  const auto status = p.publish(partition, headers(n), body);
  EXPECT_TRUE(status.ok()) << status.error().what;
  std::vector<Outcome> out;
  const auto deadline = std::chrono::steady_clock::now() + 10s;
  while (out.empty() && std::chrono::steady_clock::now() < deadline) {
    const auto waited = p.wait(1s, wake, out);
    if (!waited) {
      ADD_FAILURE() << waited.error().what;
      return {};
    }
  }
  EXPECT_EQ(out.size(), 1U);
  return out.empty() ? Outcome{} : out.front();
}

Delivery BrokerTest::receive(Consumer& c) {
  auto got = c.next(10s, wake);
  if (!got) {
    ADD_FAILURE() << got.error().what;
    return {};
  }
  if (!*got) {
    ADD_FAILURE() << "no message within 10 s";
    return {};
  }
  return std::move(**got);
}

}  // namespace sluice::queue
