// bench_values FILE: decodes a binlog file without making text of it: checksums verified, every
// value read into a typed value and folded into a checksum.  Prints
// {"rows":..,"values":..,"seconds":..,"fold":..}.
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

#include "sluice/base/result.h"
#include "sluice/binlog/event.h"
#include "sluice/binlog/rows.h"
#include "sluice/binlog/table_map.h"
#include "sluice/binlog/value.h"
#include "sluice/decode/binlog_file.h"
#include "sluice/event/plan_cache.h"

namespace {

using namespace sluice;  // NOLINT(google-build-using-namespace)

struct Counts {
  std::uint64_t rows = 0, values = 0, fold = 0;
};

// Reads what a value says, whatever its kind; bytes as far as a consumer that hands them on would.
std::uint64_t fold_of(const binlog::Value& v) noexcept {
  if (v.kind != binlog::ValueKind::bytes && v.kind != binlog::ValueKind::decimal) return v.bits;
  if (v.bytes.empty()) return 1;
  return v.bytes.size() * 31 + std::to_integer<std::uint64_t>(v.bytes.front()) +
         (std::to_integer<std::uint64_t>(v.bytes.back()) << 8);
}

void fold(const binlog::TableMap& map, const std::vector<binlog::Cell>& cells, Counts& counts) {
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (cells[i].state != binlog::CellState::value) continue;
    counts.fold =
        counts.fold * 1099511628211U + fold_of(decode_value(map.columns[i], cells[i].bytes));
    ++counts.values;
  }
}

class Reader {
 public:
  Status event(Bytes bytes) {
    binlog::EventView event;
    SLUICE_TRY(framer_.frame(bytes, event));
    if (framer_.format() == nullptr) return {};
    const binlog::FormatDescription& format = *framer_.format();
    if (event.header.type == binlog::EventType::table_map)
      return tables_.add(event.body, format, maker_);
    if (!binlog::is_rows_event(event.header.type)) return {};
    binlog::RowsEvent rows;
    SLUICE_TRY(binlog::RowsEvent::decode(event.header.type, event.body, format, rows));
    const auto* table = tables_.find(rows.table_id);
    if (table == nullptr) return fatal(Errc::binlog_malformed, "rows of an unknown table");
    SLUICE_TRY(cursor_.restart(*table->layout, rows));
    for (;; ++counts.rows) {
      SLUICE_TRY_ASSIGN(const bool more, cursor_.next(images_));
      if (!more) return {};
      if (rows.kind != binlog::RowsKind::insert) fold(table->layout->map(), images_.before, counts);
      if (rows.kind != binlog::RowsKind::remove) fold(table->layout->map(), images_.after, counts);
    }
  }
  Counts counts;

 private:
  binlog::EventFramer framer_{binlog::ChecksumAlg::off, true};
  event::PlanCache tables_;
  event::PlanCache::Maker maker_ = [](binlog::TableMap map) -> Result<event::PlanCache::Entry> {
    return event::PlanCache::layout_only(std::move(map));
  };
  binlog::RowCursor cursor_;
  binlog::RowImages images_;
};

Status run(const std::string& path, Counts& counts) {
  SLUICE_TRY_ASSIGN(auto file, decode::BinlogFile::open(path));
  decode::Chunk chunk;
  Reader reader;
  for (;;) {
    SLUICE_TRY_ASSIGN(const bool more, file.read(chunk));
    if (!more) break;
    for (Bytes left = chunk.events(); !left.empty();) {
      const std::uint32_t size = binlog::EventHeader::size_of(left);
      SLUICE_TRY(reader.event(left.first(size)));
      left = left.subspan(size);
    }
  }
  counts = reader.counts;
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: bench_values FILE\n", stderr);
    return 2;
  }
  const auto started = std::chrono::steady_clock::now();
  Counts counts;
  if (const Status s = run(argv[1], counts); !s.ok()) {
    std::fprintf(stderr, "bench_values: %s\n", to_string(s.error()).c_str());
    return 1;
  }
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - started;
  std::printf("{\"rows\":%llu,\"values\":%llu,\"seconds\":%.3f,\"fold\":\"%016llx\"}\n",
              static_cast<unsigned long long>(counts.rows),
              static_cast<unsigned long long>(counts.values), taken.count(),
              static_cast<unsigned long long>(counts.fold));
  return 0;
}
