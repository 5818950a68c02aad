// Publishes persistent messages as fast as the broker confirms them, and does nothing else: what
// the program's publishing is compared with.
//
//   bench_raw_publish PORT TYPE QUEUES COUNT SIZE WINDOW
//   bench_raw_publish PORT TYPE QUEUES SIZES WINDOW
//
// QUEUES queues of TYPE (classic, quorum) are declared, filled and deleted: in turn with COUNT
// messages of SIZE bytes, or with those that the file SIZES has, a line "QUEUE BYTES" each.  One
// JSON line on stdout.
#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include <amqp.h>
#include <amqp_tcp_socket.h>
#include <sys/resource.h>

namespace {

constexpr amqp_channel_t kChannel = 1;
constexpr int kFrameMax = 131072;

double seconds_now() {
  timespec t{};
  ::clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
}

double cpu_seconds() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto of = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return of(used.ru_utime) + of(used.ru_stime);
}

bool number(const char* text, std::uint64_t& out) {
  const std::string_view all(text);
  const auto [end, error] = std::from_chars(all.data(), all.data() + all.size(), out);
  return error == std::errc{} && end == all.data() + all.size() && out > 0;
}

amqp_bytes_t bytes(std::string& text) {
  return {text.size(), text.data()};
}

struct Message {
  std::size_t queue = 0;
  std::size_t bytes = 0;
};

// Empty: the file cannot be read, or names other queues.
std::vector<Message> read_sizes(const char* path, std::size_t queues) {
  std::vector<Message> out;
  std::ifstream file(path);
  for (Message m; file >> m.queue >> m.bytes;) {
    if (m.queue >= queues) return {};
    out.push_back(m);
  }
  return out;
}

class Run {
 public:
  Run() : connection_(amqp_new_connection()) {}
  ~Run() { amqp_destroy_connection(connection_); }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  bool open(std::uint16_t port) {
    amqp_socket_t* socket = amqp_tcp_socket_new(connection_);
    if (socket == nullptr || amqp_socket_open(socket, "127.0.0.1", port) != AMQP_STATUS_OK)
      return false;
    if (!fine(amqp_login(connection_, "/", 0, kFrameMax, 0, AMQP_SASL_METHOD_PLAIN, "guest",
                         "guest")))
      return false;
    amqp_channel_open(connection_, kChannel);
    if (!answered()) return false;
    amqp_confirm_select(connection_, kChannel);
    return answered();
  }

  bool declare(const std::vector<std::string>& queues, std::string type) {
    std::string name = "x-queue-type";
    amqp_table_entry_t entry{};
    entry.key = bytes(name);
    entry.value.kind = AMQP_FIELD_KIND_UTF8;
    entry.value.value.bytes = bytes(type);
    for (std::string queue : queues) {
      amqp_queue_declare(connection_, kChannel, bytes(queue), 0, 1, 0, 0, {1, &entry});
      if (!answered()) return false;
    }
    return true;
  }

  bool remove(const std::vector<std::string>& queues) {
    for (std::string queue : queues) {
      amqp_queue_delete(connection_, kChannel, bytes(queue), 0, 0);
      if (!answered()) return false;
    }
    return true;
  }

  // Until all are confirmed.
  bool publish(const std::vector<std::string>& queues, const std::vector<Message>& messages,
               std::string body, std::uint64_t window) {
    const std::uint64_t count = messages.size();
    std::string type = "application/x-ndjson";
    amqp_basic_properties_t properties{};
    properties._flags = AMQP_BASIC_DELIVERY_MODE_FLAG | AMQP_BASIC_CONTENT_TYPE_FLAG;
    properties.delivery_mode = 2;
    properties.content_type = bytes(type);
    std::uint64_t sent = 0;
    std::uint64_t confirmed = 0;
    while (confirmed < count) {
      while (sent < count && sent - confirmed < window) {
        std::string queue = queues[messages[sent].queue];
        if (amqp_basic_publish(connection_, kChannel, amqp_empty_bytes, bytes(queue), 1, 0,
                               &properties, {messages[sent].bytes, body.data()}) != AMQP_STATUS_OK)
          return false;
        ++sent;
      }
      if (!settle(confirmed)) return false;
    }
    return true;
  }

 private:
  static bool fine(const amqp_rpc_reply_t& reply) {
    return reply.reply_type == AMQP_RESPONSE_NORMAL;
  }
  bool answered() { return fine(amqp_get_rpc_reply(connection_)); }

  // Waits for one frame and counts what it confirms.
  bool settle(std::uint64_t& confirmed) {
    amqp_maybe_release_buffers(connection_);
    amqp_frame_t frame{};
    if (amqp_simple_wait_frame(connection_, &frame) != AMQP_STATUS_OK) return false;
    if (frame.frame_type != AMQP_FRAME_METHOD) return frame.frame_type == AMQP_FRAME_HEARTBEAT;
    if (frame.payload.method.id != AMQP_BASIC_ACK_METHOD) return false;  // refused, or returned
    const auto& ack = *static_cast<const amqp_basic_ack_t*>(frame.payload.method.decoded);
    // Singles may come out of order: the count is right when all have come.
    if (ack.multiple == 0) {
      alone_.add(ack.delivery_tag);
      ++confirmed;
    } else {
      for (; lowest_ < ack.delivery_tag; ++lowest_)
        if (!alone_.contains(lowest_ + 1)) ++confirmed;
    }
    return true;
  }

  // Tags confirmed one by one.
  class Tags {
   public:
    void add(std::uint64_t tag) {
      if (tags_.size() <= tag) tags_.resize(tag + 1 + tags_.size());
      tags_[tag] = true;
    }
    bool contains(std::uint64_t tag) const { return tag < tags_.size() && tags_[tag]; }

   private:
    std::vector<bool> tags_;
  };

  amqp_connection_state_t connection_;
  Tags alone_;
  std::uint64_t lowest_ = 0;  // every tag up to here was covered by a `multiple`
};

}  // namespace

int main(int argc, char** argv) {
  std::uint64_t port = 0;
  std::uint64_t queue_count = 0;
  std::uint64_t count = 0;
  std::uint64_t size = 0;
  std::uint64_t window = 0;
  const bool of_file = argc == 6;
  if ((argc != 7 && !of_file) || !number(argv[1], port) || port > 65535 ||
      !number(argv[3], queue_count) || !number(argv[argc - 1], window) ||
      (!of_file && (!number(argv[4], count) || !number(argv[5], size)))) {
    std::fputs(
        "usage: bench_raw_publish PORT classic|quorum QUEUES COUNT SIZE WINDOW\n"
        "       bench_raw_publish PORT classic|quorum QUEUES SIZES WINDOW\n",
        stderr);
    return 2;
  }
  std::vector<std::string> queues;
  for (std::uint64_t i = 0; i < queue_count; ++i)
    queues.push_back("bench.raw." + std::to_string(i));
  std::vector<Message> messages;
  if (of_file)
    messages = read_sizes(argv[4], queues.size());
  else
    for (std::uint64_t i = 0; i < count; ++i) messages.push_back({i % queues.size(), size});
  if (messages.empty()) {
    std::fputs("no messages to send\n", stderr);
    return 2;
  }
  std::uint64_t largest = 0;
  std::uint64_t total = 0;
  for (const Message& m : messages) {
    largest = std::max<std::uint64_t>(largest, m.bytes);
    total += m.bytes;
  }
  std::string body(largest, ' ');
  for (std::size_t i = 0; i < body.size(); ++i)
    body[i] = static_cast<char>('0' + (i * 7919 + i / 13) % 75);
  Run run;
  if (!run.open(static_cast<std::uint16_t>(port)) || !run.declare(queues, argv[2])) {
    std::fputs("no connection, or no queue\n", stderr);
    return 1;
  }
  const double began = seconds_now();
  const double cpu = cpu_seconds();
  if (!run.publish(queues, messages, body, window)) {
    std::fputs("the broker refused, returned or closed\n", stderr);
    return 1;
  }
  const double took = seconds_now() - began;
  std::printf(
      "{\"type\": \"%s\", \"queues\": %zu, \"messages\": %llu, \"message_bytes\": %llu, "
      "\"window\": %llu, \"seconds\": %.3f, \"messages_s\": %.0f, \"mb_s\": %.1f, "
      "\"client_cpu_s\": %.2f}\n",
      argv[2], queues.size(), static_cast<unsigned long long>(messages.size()),
      static_cast<unsigned long long>(total / messages.size()),
      static_cast<unsigned long long>(window), took, static_cast<double>(messages.size()) / took,
      static_cast<double>(total) / took / 1e6, cpu_seconds() - cpu);
  return run.remove(queues) ? 0 : 1;
}
