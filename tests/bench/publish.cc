// Publishes rows with the program's own classes (outbox, publisher with confirms) as fast as the
// broker confirms them, from lines that are made beforehand: no source, no decoding.
//
//   bench_publish PORT TYPE PARTITIONS ROWS ROWS_A_LINE MESSAGE_BYTES SIZES
//
// The queues (classic, quorum) are declared as the program does, and deleted.  SIZES: a file that
// gets a line "PARTITION BYTES" for each message that was sent, in that order, for
// bench_raw_publish.  One JSON line on stdout.
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "sluice/base/clock.h"
#include "sluice/config/options.h"
#include "sluice/event/line_encoder.h"
#include "sluice/queue/publisher.h"

#include "pipeline/outbox.h"
#include "pipeline/publish_stage.h"

namespace {

using namespace sluice;  // NOLINT(google-build-using-namespace)

constexpr std::uint64_t kRowsOfTransaction = 10'000;

double thread_cpu_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

struct Sent {
  std::uint32_t partition;
  std::size_t bytes;
};

// Notes what goes through it.
class NotedPublisher final : public queue::Publisher {
 public:
  using Time = std::chrono::steady_clock::time_point;
  // `first`: when the first one was sent.
  NotedPublisher(std::unique_ptr<queue::Publisher> to, std::vector<Sent>& sent, Time& first)
      : to_(std::move(to)), sent_(&sent), first_(&first) {}
  Status publish(std::uint32_t partition, const MessageHeaders& headers,
                 std::string_view body) override {
    if (sent_->empty()) *first_ = std::chrono::steady_clock::now();
    sent_->push_back({partition, body.size()});
    return to_->publish(partition, headers, body);
  }
  Status publish_letter(const queue::Letter& letter, std::string_view body) override {
    return to_->publish_letter(letter, body);
  }
  Status wait(std::chrono::milliseconds timeout, Wakeup& wake,
              std::vector<queue::Outcome>& out) override {
    return to_->wait(timeout, wake, out);
  }
  bool blocked() const noexcept override { return to_->blocked(); }

 private:
  std::unique_ptr<queue::Publisher> to_;
  std::vector<Sent>* sent_;
  Time* first_;
};

// bench.rows (id BIGINT PRIMARY KEY, text VARCHAR(100)).
Result<std::shared_ptr<const event::TablePlan>> make_plan() {
  binlog::TableMap map;
  TableSchema schema;
  map.database = schema.database = "bench";
  map.table = schema.name = "rows";
  const auto add = [&](std::string name, std::string type, DeclaredType declared,
                       binlog::ColumnType kind, std::uint32_t length) {
    binlog::MapColumn m;
    m.type = kind;
    m.length = length;
    map.columns.push_back(m);
    ColumnSchema s;
    s.name = std::move(name);
    s.mysql_type = std::move(type);
    s.type = declared;
    s.charset = length == 0 ? "" : "utf8mb4";
    schema.columns.push_back(std::move(s));
  };
  add("id", "bigint", DeclaredType::bigint, binlog::ColumnType::longlong, 0);
  add("text", "varchar(100)", DeclaredType::varchar, binlog::ColumnType::varchar, 400);
  schema.primary_key = {0};
  return event::TablePlan::make(std::move(map), std::move(schema), {}, {});
}

// A transaction, all partitions alike.
Result<pipeline::TransactionBatch> make_transaction(std::uint32_t partitions, std::uint64_t rows,
                                                    std::uint64_t rows_a_line) {
  pipeline::TransactionBatch batch;
  SLUICE_TRY_ASSIGN(const auto plan, make_plan());
  batch.plans = {plan};
  batch.partitions.resize(partitions);
  batch.file = std::make_shared<pipeline::SourceFile>(pipeline::SourceFile{"binlog.000001", 1});
  event::LineEncoder encoder;
  const std::string text(100, 't');
  std::uint64_t number = 0;
  for (std::uint64_t event = 0; batch.rows < rows; ++event) {
    const auto partition = static_cast<std::uint32_t>(event % partitions);
    pipeline::PartitionLines& lines = batch.partitions[partition];
    if (lines.lines.empty()) batch.touched.push_back(partition);
    event::LineContext context;
    context.seq = {1, 1, 4, event, 0};
    context.gtid = "0-1-1000000";
    context.es_ms = context.ts_ms = 1'700'000'000'000;
    encoder.begin(*plan, ChangeKind::insert, 0, context);
    for (std::uint64_t row = 0; row < rows_a_line; ++row) {
      std::string id(8, '\0');
      ++number;
      for (std::size_t i = 0; i < 8; ++i) id[i] = static_cast<char>(number >> (8 * i) & 0xFFU);
      const std::vector<binlog::Cell> cells{{as_bytes(id), binlog::CellState::value},
                                            {as_bytes(text), binlog::CellState::value}};
      SLUICE_TRY(encoder.add(row, cells, {}));
    }
    lines.lines.push_back(encoder.finish(lines.text));
    batch.rows += rows_a_line;
  }
  return batch;
}

struct Arguments {
  std::uint32_t port = 0, partitions = 0;
  std::uint64_t rows = 0, rows_a_line = 0, message_bytes = 0;
};

Status run(const Options& options, const Arguments& args, const std::string& sizes) {
  const queue::Names names{"bench", args.partitions};
  SLUICE_TRY_ASSIGN(const auto admin, queue::Admin::connect(options.queue));
  SLUICE_TRY(admin->declare(names, {}));
  SLUICE_TRY_ASSIGN(auto batch,
                    make_transaction(args.partitions, kRowsOfTransaction, args.rows_a_line));
  Wakeup wakeup;
  pipeline::Outbox::Settings settings;
  settings.partitions = args.partitions;
  settings.message_bytes = options.queue.message_bytes().bytes();
  settings.limit_bytes = options.limits.in_flight().bytes();
  pipeline::Outbox outbox(settings, {batch.file, 4, "", std::vector<EventId>(args.partitions), {}},
                          GtidSet(Flavor::mariadb), wakeup);
  ops::Counters counters;
  pipeline::Health health;
  std::vector<Sent> sent;
  NotedPublisher::Time begin;
  pipeline::PublishStage stage(
      {[&]() -> Result<std::unique_ptr<queue::Publisher>> {
         SLUICE_TRY_ASSIGN(auto publisher, queue::Publisher::connect(options.queue, names));
         return std::unique_ptr<queue::Publisher>(
             std::make_unique<NotedPublisher>(std::move(publisher), sent, begin));
       },
       [](const std::vector<bool>&) { return Status(); }, [] { return true; }},
      outbox, wakeup, counters, health, system_clock(), options.queue.reconnect_max());
  std::stop_source stop, drain;
  outbox.set_stop(stop.get_token());
  Status added;
  std::uint64_t rows = 0;
  std::jthread feeder([&] {
    for (std::uint64_t pos = 4; rows < args.rows && added.ok(); pos += 100) {
      batch.id = {1, 1, pos};
      batch.pos = pos + 100;
      for (const std::uint32_t p : batch.touched)
        for (event::EncodedLine& line : batch.partitions[p].lines)
          line.first.pos = line.last.pos = pos;
      added = outbox.add(batch);
      rows += batch.rows;
      outbox.complete({batch.file, batch.pos, MariadbGtid{0, 1, pos}, 1});
      outbox.restart_point();
    }
    drain.request_stop();
    wakeup.notify();
  });
  const double cpu = thread_cpu_seconds();
  Status published = stage.run(stop.get_token(), drain.get_token());
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  const double used = thread_cpu_seconds() - cpu;
  if (!published.ok()) stop.request_stop();
  feeder.join();
  SLUICE_TRY(std::move(published));
  SLUICE_TRY(std::move(added));
  std::ofstream file(sizes);
  std::size_t bytes = 0;
  for (const Sent& s : sent) {
    file << s.partition << ' ' << s.bytes << '\n';
    bytes += s.bytes;
  }
  for (std::uint32_t n = 0; n < args.partitions; ++n)
    SLUICE_TRY(admin->remove_queue(names.partition(n)));
  for (const std::string& queue : {names.dead(), names.control()})
    SLUICE_TRY(admin->remove_queue(queue));
  std::printf(
      R"({"rows": %llu, "messages": %zu, "bytes": %zu, "seconds": %.3f, "rows_s": %.0f, "mb_s": %.1f, "publisher_cpu_s": %.3f})"
      "\n",
      static_cast<unsigned long long>(rows), sent.size(), bytes, took.count(),
      static_cast<double>(rows) / took.count(), static_cast<double>(bytes) / took.count() / 1e6,
      used);
  return file.flush() ? Status() : Status(fatal(Errc::internal, "cannot write " + sizes));
}

template <class T>
bool number(const std::string& text, T& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc{} && end == text.data() + text.size() && out > 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> args(argv, argv + argc);
  Arguments a;
  if (args.size() != 8 || !number(args[1], a.port) ||
      (args[2] != "classic" && args[2] != "quorum") || !number(args[3], a.partitions) ||
      !number(args[4], a.rows) || !number(args[5], a.rows_a_line) ||
      !number(args[6], a.message_bytes)) {
    std::fputs(
        "usage: bench_publish PORT classic|quorum PARTITIONS ROWS ROWS_A_LINE MESSAGE_BYTES "
        "SIZES\n",
        stderr);
    return 2;
  }
  Options options;
  options.queue.port.set(a.port);
  options.queue.message_bytes.set(ByteSize{a.message_bytes});
  options.queue.type.set(args[2] == "classic" ? QueueOptions::Type::classic
                                              : QueueOptions::Type::quorum);
  if (const Status s = run(options, a, args[7]); !s.ok()) {
    std::fprintf(stderr, "%s\n", to_string(s.error()).c_str());
    return 1;
  }
  return 0;
}
