#pragma once
// Packed events for tests.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <zstd.h>

#include "sluice/binlog/unpacker.h"

#include "unit/binlog/builder.h"
#include "unit/binlog/deflate.h"

namespace sluice::binlog::testing {

inline std::string zstd(std::string_view plain, int level = 3, int window_log = 0) {
  ZSTD_CCtx* const context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level);
  if (window_log != 0) {
    ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, window_log);
    ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0);
  }
  std::string out(ZSTD_compressBound(plain.size()), '\0');
  ZSTD_outBuffer to{out.data(), out.size(), 0};
  // As a stream, so that the window and no content size stand in the frame.
  ZSTD_inBuffer first{plain.data(), plain.size() / 2, 0};
  EXPECT_EQ(ZSTD_isError(ZSTD_compressStream2(context, &to, &first, ZSTD_e_continue)), 0U);
  ZSTD_inBuffer rest{plain.data(), plain.size(), first.pos};
  EXPECT_EQ(ZSTD_compressStream2(context, &to, &rest, ZSTD_e_end), 0U);
  ZSTD_freeCCtx(context);
  out.resize(to.pos);
  return out;
}

struct PayloadParts {
  std::uint64_t compression = 0;  // 255: none
  std::optional<std::uint64_t> uncompressed = {};
  std::string before_end = {};  // more fields
};

// The body of a TRANSACTION_PAYLOAD; fields in the order of MySQL 9.7.
inline std::string payload_body(std::string_view payload, const PayloadParts& p = {}) {
  const auto number = [](std::uint64_t v) { return std::move(ByteWriter().lenenc(v)).str(); };
  ByteWriter body;
  const auto field = [&](std::uint64_t type, std::uint64_t v) {
    const std::string value = number(v);
    body.lenenc(type).lenenc(value.size()).bytes(value);
  };
  field(2, p.compression);
  if (p.uncompressed) field(3, *p.uncompressed);
  field(1, payload.size());
  body.bytes(p.before_end).lenenc(0).bytes(payload);
  return body.str();
}

// An inner event: no checksum, no log_pos.
inline std::string inner_event(EventType type, std::string body) {
  return make_event({.type = type, .body = std::move(body), .log_pos = 0});
}

// 0x80 + size of the length, the length in big-endian, the stream.
inline std::string mariadb_packed(std::string_view plain) {
  ByteWriter w;
  const std::size_t n = plain.size();
  if (n < 0x100)
    w.le<1>(0x81).be<1>(n);
  else if (n < 0x10000)
    w.le<1>(0x82).be<2>(n);
  else
    w.le<1>(0x83).be<3>(n);
  return std::move(w.bytes(deflated(plain))).str();
}

// The pieces of an event as PARTIAL_ROW_DATA bodies.
inline std::vector<std::string> fragments(std::string_view event, std::size_t bytes,
                                          bool number_first = false) {
  std::vector<std::string> out;
  const std::size_t count = (event.size() + bytes - 1) / bytes;
  for (std::size_t i = 0; i < count; ++i) {
    ByteWriter w;
    w.le<4>(number_first ? i + 1 : count).le<4>(number_first ? count : i + 1);
    w.le<1>(i == 0 ? 1 : 0);
    if (i == 0) w.le<8>(event.size());
    out.push_back(std::move(w.bytes(event.substr(i * bytes, bytes))).str());
  }
  return out;
}

inline EventView view_of(EventType type, const std::string& body) {
  EventView view;
  view.header = header_of(type);
  view.header.event_size = static_cast<std::uint32_t>(EventHeader::kSize + body.size());
  view.body = view.whole = as_bytes(body);
  return view;
}

struct Unpacked {
  EventType type = EventType::unknown;
  std::string body;
  bool nested = false;
  friend bool operator==(const Unpacked&, const Unpacked&) = default;
};

// All that is in it.
inline Result<std::vector<Unpacked>> unpack(EventUnpacker& unpacker, EventType type,
                                            const std::string& body,
                                            const FormatDescription& format) {
  const EventView packed = view_of(type, body);
  SLUICE_TRY(unpacker.open(packed, format));
  std::vector<Unpacked> out;
  EventView view;
  for (;;) {
    SLUICE_TRY_ASSIGN(const bool more, unpacker.next(view));
    if (!more) return out;
    out.push_back({view.header.type, std::string(as_chars(view.body)), view.nested});
  }
}

}  // namespace sluice::binlog::testing
