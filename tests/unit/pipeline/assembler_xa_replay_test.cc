// XA transactions and processes that are killed.
#include <algorithm>
#include <cstdlib>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/pipeline/xa.h"

namespace sluice::pipeline {
namespace {

using testing::Binlog;
using testing::rows_from;
using testing::SentRow;

class XaKills : public testing::XaTest {};
INSTANTIATE_TEST_SUITE_P(Flavours, XaKills, ::testing::Values(Flavor::mysql, Flavor::mariadb),
                         [](const auto& flavour) {
                           return std::string(flavor_name(flavour.param));
                         });

// Everything a source may do with XA transactions, in random order.
Binlog random_xa(Flavor flavor, unsigned seed) {
  std::mt19937 random(seed);
  Binlog binlog(flavor);
  std::vector<std::string> prepared;
  std::int32_t next = 1;
  for (int step = 0; step < 60; ++step) {
    const std::string fresh(1, static_cast<char>('a' + step % 26));
    switch (random() % 10) {
      case 0: binlog.rotate(); break;
      case 1:
        binlog.begin_xa(fresh);
        binlog.table_map("t");
        binlog.insert({{next++}});
        binlog.crash();
        break;
      case 2: binlog.transaction({{next++}}); break;
      case 3:
        binlog.begin_xa(fresh);
        binlog.table_map("u");
        binlog.insert({{next++}}, "u");
        binlog.query("SAVEPOINT s");
        binlog.table_map("t");
        binlog.insert(rows_from(next, 30));
        binlog.query("ROLLBACK TO s");
        binlog.query("XA END " + Binlog::xid(fresh));
        binlog.xa_prepare(true, fresh);
        break;
      case 4:
      case 5:
      case 6:
        if (std::find(prepared.begin(), prepared.end(), fresh) != prepared.end()) break;
        binlog.prepared_xa(fresh, rows_from(next, 1 + static_cast<int>(random() % 40)),
                           random() % 4 == 0 ? "hidden" : "t");
        next += 40;
        prepared.push_back(fresh);
        break;
      default:
        if (prepared.empty()) break;
        std::swap(prepared[random() % prepared.size()], prepared.back());
        binlog.end_xa(prepared.back(), random() % 4 == 0 ? "ROLLBACK" : "COMMIT");
        prepared.pop_back();
    }
  }
  return binlog;
}

// A process that saves its position now and then is killed after any event; the next one goes on
// from what was saved last, or from the backup.
TEST_P(XaKills, KilledAnywhereNothingIsLostAndWhatComesAgainIsTheSame) {
  // Each is a process with files of its own that are synced: a fraction of the cuts in a short run.
  const std::size_t step = std::getenv("SLUICE_TEST_LONG") != nullptr ? 7 : 41;
  for (const unsigned seed : {1u, 2u, 3u}) {
    const Binlog binlog = random_xa(GetParam(), seed);
    const auto packets = binlog.dump();
    const auto all = played(binlog)->sink.rows;
    ASSERT_GT(all.size(), 50u);
    for (const std::size_t hold : {std::size_t{8} << 20, std::size_t{1200}, std::size_t{0}}) {
      settings_.hold_bytes = hold;
      for (std::size_t cut = seed * 13; cut <= packets.size(); cut += step) {
        SCOPED_TRACE("seed " + std::to_string(seed) + " hold " + std::to_string(hold) +
                     " killed after " + std::to_string(cut) + " events");
        std::mt19937 random(static_cast<unsigned>(cut));
        ASSERT_TRUE(HeldXa::remove_all(held_folder(), true).ok());
        // Place, and rows sent by then.
        struct Saved {
          BinlogPosition place;
          std::size_t rows = 0;
        };
        std::vector<Saved> saved{{{Binlog::file_name(1), 4}, 0}, {{Binlog::file_name(1), 4}, 0}};
        const auto point = [](const Saved& s) {
          return TransactionId{1, BinlogFileName::parse(s.place.file)->number, s.place.pos};
        };
        const auto first = assembly();
        for (std::size_t i = 0; i < cut; ++i) {
          ASSERT_TRUE(first->feed(packets[i]).ok());
          if (random() % 8 != 0 || first->sink.ends.empty()) continue;
          // What is confirmed lags behind what is read.
          const auto& ends = first->sink.ends;
          const auto& end =
              ends[ends.size() - 1 - std::min<std::size_t>(random() % 6, ends.size() - 1)];
          const Saved s{{end.file, end.pos}, end.rows};
          if (point(s) <= point(saved.back())) continue;
          ASSERT_TRUE(first->held.persist(point(s)).ok());
          if (random() % 8 == 0) continue;  // killed there, perhaps
          saved.push_back(s);
          ASSERT_TRUE(first->held.saved(point(s)).ok());
        }
        const Saved& from = saved[saved.size() - 1 - random() % 2];
        const auto second = assembly();
        ASSERT_TRUE(second->held.load(point(from)).ok());
        second->start(from.place);
        const Status s = second->play(binlog.dump(from.place));
        ASSERT_TRUE(s.ok()) << to_string(s.error());
        std::vector<SentRow> joined(
            first->sink.rows.begin(),
            first->sink.rows.begin() + static_cast<std::ptrdiff_t>(from.rows));
        joined.insert(joined.end(), second->sink.rows.begin(), second->sink.rows.end());
        ASSERT_EQ(joined, all);
      }
    }
  }
}

}  // namespace
}  // namespace sluice::pipeline
