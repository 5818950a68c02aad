// However much a payload inflates to, the unpacker holds one event and zstd's window.
// SLUICE_TEST_LONG=1: 1 GiB, and the memory of the whole process is looked at; else 48 MiB.
#include <cstdlib>
#include <fstream>

#include "unit/binlog/packing.h"

namespace sluice::binlog {
namespace {

constexpr std::size_t kMiB = 1U << 20;
// Sanitizers keep what is freed, so the process grows for other reasons.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#elif defined(__has_feature)
constexpr bool kSanitized = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
constexpr bool kSanitized = false;
#endif

// The most memory the process has had, bytes (proc(5): VmHWM).
std::size_t peak_memory() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmHWM:")) return std::stoul(line.substr(6)) * 1024;
  ADD_FAILURE() << "no VmHWM";
  return 0;
}

// A zstd stream of ROWS events, made without holding what it stands for.
std::string stream_of_events(std::size_t count, std::size_t rows) {
  ZSTD_CCtx* const context = ZSTD_createCCtx();
  std::string out;
  std::string buffer(ZSTD_CStreamOutSize(), '\0');
  const auto compress = [&](std::string_view plain, ZSTD_EndDirective end) {
    ZSTD_inBuffer in{plain.data(), plain.size(), 0};
    for (std::size_t left = 1; left != 0 || in.pos < in.size;) {
      ZSTD_outBuffer to{buffer.data(), buffer.size(), 0};
      left = ZSTD_compressStream2(context, &to, &in, end);
      ASSERT_EQ(ZSTD_isError(left), 0U);
      out.append(buffer.data(), to.pos);
      if (end == ZSTD_e_continue && in.pos == in.size) break;
    }
  };
  std::string event = testing::inner_event(EventType::write_rows, std::string(rows, 'r'));
  for (std::size_t i = 0; i < count; ++i) {
    event[EventHeader::kSize] = static_cast<char>(i);
    compress(event, ZSTD_e_continue);
  }
  compress("", ZSTD_e_end);
  ZSTD_freeCCtx(context);
  return out;
}

TEST(UnpackMemory, APayloadIsNeverHeldWhole) {
  const bool long_run = std::getenv("SLUICE_TEST_LONG") != nullptr;
  const std::size_t rows = 3 * kMiB + 12345;
  const std::size_t count = (long_run ? 1024 * kMiB : 48 * kMiB) / rows + 1;
  const std::string packed = stream_of_events(count, rows);
  ASSERT_LT(packed.size(), 2 * kMiB);
  const std::string body =
      testing::payload_body(packed, {.uncompressed = count * (EventHeader::kSize + rows)});
  const FormatDescription format = testing::mysql_format();
  const std::size_t before = peak_memory();

  EventUnpacker unpacker;
  ASSERT_TRUE(unpacker.open(testing::view_of(EventType::transaction_payload, body), format).ok());
  EventView view;
  std::size_t events = 0;
  for (;; ++events) {
    const auto more = unpacker.next(view);
    ASSERT_TRUE(more.ok()) << more.error().what;
    if (!*more) break;
    ASSERT_EQ(view.body.size(), rows);
    ASSERT_EQ(view.body[0], static_cast<std::byte>(events));
    ASSERT_LT(unpacker.buffered(), 32 * kMiB);
  }
  EXPECT_EQ(events, count);
  if (!kSanitized) {
    EXPECT_LT(peak_memory() - before, 40 * kMiB);
  }
}

TEST(UnpackMemory, OfALargeEventIsGivenBack) {
  const std::string body = testing::payload_body(stream_of_events(1, 40 * kMiB));
  const std::string small = testing::payload_body(stream_of_events(1, 100));
  const FormatDescription format = testing::mysql_format();
  EventUnpacker unpacker;
  ASSERT_TRUE(testing::unpack(unpacker, EventType::transaction_payload, body, format).ok());
  EXPECT_GT(unpacker.buffered(), 40 * kMiB);
  ASSERT_TRUE(testing::unpack(unpacker, EventType::transaction_payload, small, format).ok());
  EXPECT_LT(unpacker.buffered(), 8 * kMiB);
}

}  // namespace
}  // namespace sluice::binlog
