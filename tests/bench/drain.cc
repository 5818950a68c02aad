// bench_drain raw|filter CONFIG FILE START END [RUNS]: reads the binlog of a server from START to
// END of FILE, as a replica does: `raw` looks at nothing but where it is, `filter` is what the
// daemon does with its source before the queue, by the configuration's source, filter and tables.
// One line of JSON a run:
// {"mode":..,"bytes":..,"events":..,"rows":..,"waits":..,"seconds":..,"cpu_seconds":..}.
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "sluice/base/clock.h"
#include "sluice/config/load.h"
#include "sluice/mysql/connection.h"
#include "sluice/mysql/hosts.h"
#include "sluice/mysql/preflight.h"
#include "sluice/mysql/replication_stream.h"
#include "sluice/ops/counters.h"
#include "sluice/schema/catalog.h"

#include "pipeline/assembler.h"
#include "pipeline/held_xa.h"
#include "pipeline/outbox.h"
#include "pipeline/start.h"

namespace {

using namespace sluice;  // NOLINT(google-build-using-namespace)

struct Span {
  BinlogPosition start;
  std::uint64_t end = 0;
};

struct Counts {
  std::uint64_t bytes = 0, events = 0, rows = 0, waits = 0;
};

// The outbox, and a broker that has confirmed every message before the next one comes.
class Confirmed final : public pipeline::TransactionSink {
 public:
  Confirmed(const pipeline::Outbox::Settings& settings, const BinlogPosition& start, Flavor flavor)
      : outbox_(settings, restart_point(settings, start), GtidSet(flavor), wakeup_) {}
  Status add(const pipeline::TransactionBatch& batch) override {
    rows += batch.rows;
    SLUICE_TRY(outbox_.add(batch));
    for (const std::uint32_t p : batch.touched)
      while (outbox_.take(p) != nullptr) outbox_.confirmed(p);
    return {};
  }
  void complete(const pipeline::TransactionEnd& end) override {
    outbox_.complete(end);
    if (++ends_ % kSaveEvery == 0) outbox_.restart_point();
  }
  bool has_read(const Gtid& gtid) const override { return outbox_.has_read(gtid); }
  std::uint64_t rows = 0;

 private:
  static constexpr std::uint64_t kSaveEvery = 65536;  // more often than once a second
  static pipeline::RestartPoint restart_point(const pipeline::Outbox::Settings& settings,
                                              const BinlogPosition& start) {
    const auto file = std::make_shared<pipeline::SourceFile>();
    file->name = start.file;
    file->number = 1;
    return {file, start.pos, "", std::vector<EventId>(settings.partitions), {}};
  }
  Wakeup wakeup_;
  pipeline::Outbox outbox_;
  std::uint64_t ends_ = 0;
};

Status drain_raw(binlog::EventSource& source, const Span& span, Counts& counts) {
  for (;;) {
    SLUICE_TRY_ASSIGN(const Bytes bytes, source.next());
    counts.bytes += bytes.size();
    ++counts.events;
    // log_pos of the header; the file is shorter than 4 GiB.
    ByteReader header(bytes);
    header.take(13);
    if (header.u32() == span.end) return {};
  }
}

Status drain_filtered(binlog::EventSource& source, const Options& options, const Span& span,
                      Flavor flavor, Counts& counts) {
  const pipeline::TableFilter filter(options);
  const mysql::Hosts hosts(options.source);
  mysql::MysqlSchemaSource schemas(hosts);
  schema::Catalog catalog(schemas, {.assume_current = true, .wanted = {}});
  Confirmed sink({options.queue.partitions(), options.queue.message_bytes().bytes(),
                  options.limits.in_flight().bytes()},
                 span.start, flavor);
  ops::Counters counters;
  pipeline::AssemblerSettings settings;
  settings.partitions = options.queue.partitions();
  settings.hold_bytes = options.limits.transaction_hold().bytes();
  settings.line_bytes = options.queue.message_bytes().bytes();
  settings.encode_threads = options.source.decode_threads();
  // The workloads prepare no XA transaction: nothing is written there.
  pipeline::HeldXa held("/nonexistent", settings.hold_bytes);
  pipeline::Assembler assembler(settings, filter, catalog, sink, held, counters, system_clock());
  assembler.start({.from = span.start, .expected_file = nullptr, .epoch = nullptr});
  binlog::EventFramer framer(source.announced_checksum(), true);
  std::uint64_t idle = 0;
  while (assembler.here().pos < span.end) {
    if (assembler.idle() && !source.ready()) ++idle;  // the source's thread asks for it, too
    SLUICE_TRY_ASSIGN(const Bytes bytes, source.next());
    binlog::EventView event;
    SLUICE_TRY(framer.frame(bytes, event));
    SLUICE_TRY(assembler.feed(event, framer.format()));
  }
  counts = {counters.bytes_read, counters.events_read, sink.rows, idle};
  return {};
}

// Of all threads.
double cpu_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

Status run(const std::string& mode, const Options& options, const Span& span) {
  SLUICE_TRY_ASSIGN(
      const auto source,
      mysql::ReplicationStream::open(options.source, mysql::endpoints_of(options.source).front(),
                                     pipeline::replica_identity(options), span.start));
  SLUICE_TRY_ASSIGN(const auto connection, mysql::Connection::open(options.source));
  const Flavor flavor = connection.server().flavor;
  Counts counts;
  const double cpu = cpu_seconds();
  const auto begin = std::chrono::steady_clock::now();
  SLUICE_TRY(mode == "raw" ? drain_raw(*source, span, counts)
                           : drain_filtered(*source, options, span, flavor, counts));
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  std::printf(
      R"({"mode":"%s","bytes":%llu,"events":%llu,"rows":%llu,"waits":%llu,"seconds":%.4f,"cpu_seconds":%.4f})"
      "\n",
      mode.c_str(), static_cast<unsigned long long>(counts.bytes),
      static_cast<unsigned long long>(counts.events), static_cast<unsigned long long>(counts.rows),
      static_cast<unsigned long long>(counts.waits), took.count(), cpu_seconds() - cpu);
  std::fflush(stdout);
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> args(argv, argv + argc);
  if (args.size() < 6 || (args[1] != "raw" && args[1] != "filter")) {
    std::fputs("usage: bench_drain raw|filter CONFIG FILE START END [RUNS]\n", stderr);
    return 2;
  }
  const LoadResult loaded = load_file(args[2]);
  for (const Problem& problem : loaded.problems)
    std::fprintf(stderr, "%s\n", problem.to_string().c_str());
  if (!loaded.ok()) return 3;
  const Span span{{args[3], std::strtoull(args[4].c_str(), nullptr, 10)},
                  std::strtoull(args[5].c_str(), nullptr, 10)};
  // With another thread alive, as in the daemon, allocating and counting owners take longer.
  const std::jthread other([](const std::stop_token& st) {
    std::mutex mutex;
    std::condition_variable_any never;
    std::unique_lock lock(mutex);
    never.wait(lock, st, [] { return false; });
  });
  const int runs = args.size() > 6 ? std::atoi(args[6].c_str()) : 1;
  for (int i = 0; i < runs; ++i) {
    if (const Status s = run(args[1], *loaded.options, span); !s.ok()) {
      std::fprintf(stderr, "%s\n", to_string(s.error()).c_str());
      return 1;
    }
  }
  return 0;
}
