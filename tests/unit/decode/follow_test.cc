// A file that grows while it is read.
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sluice/binlog/event.h"
#include "sluice/decode/decoder.h"

#include "unit/decode/collecting_sink.h"

namespace sluice::decode::testing {
namespace {

TEST(Follow, ReadsWhatIsWrittenLaterAndEndsWhenTheFileIsRotated) {
  const std::string file = read_whole(recorded("mysql-9.7.binlog"));
  DecodeOptions options;
  options.format = OutputFormat::none;
  const auto whole = decoded({recorded("mysql-9.7.binlog")}, options);
  ASSERT_TRUE(whole.totals);

  // First the head, then pieces that end inside events.
  std::size_t head = 4;
  for (int i = 0; i < 2; ++i)
    head += binlog::EventHeader::decode(as_bytes(std::string_view(file).substr(head)))->event_size;
  TempFile temp(std::string_view(file).substr(0, head));
  options.follow = true;
  CollectingSink sink;
  std::thread writer([&] {
    sink.wait_for(head);
    constexpr std::size_t kPieces = 20;
    const std::size_t piece = (file.size() - head) / kPieces;
    for (std::size_t i = 0; i <= kPieces; ++i) {
      const std::size_t from = head + i * piece;
      if (from < file.size()) temp.append(std::string_view(file).substr(from, piece));
    }
  });
  const auto totals = decode({temp.path()}, options, {}, sink);
  writer.join();
  ASSERT_TRUE(totals) << to_string(totals.error());
  EXPECT_EQ(totals->rows, whole.totals->rows);
  EXPECT_EQ(totals->events, whole.totals->events);
}

}  // namespace
}  // namespace sluice::decode::testing
