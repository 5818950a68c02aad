#pragma once
// Deflated bytes for tests.
#include <string>
#include <string_view>

#include <gtest/gtest.h>
#include <zlib.h>

#include "sluice/binlog/inflate.h"

namespace sluice::binlog::testing {

inline std::string deflated(std::string_view plain, InflateFormat format = InflateFormat::zlib) {
  z_stream s{};
  const int bits = format == InflateFormat::raw ? -15 : 15;
  EXPECT_EQ(deflateInit2(&s, Z_DEFAULT_COMPRESSION, Z_DEFLATED, bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string in(plain);
  std::string out(deflateBound(&s, in.size()), '\0');
  s.next_in = reinterpret_cast<Bytef*>(in.data());
  s.avail_in = static_cast<uInt>(in.size());
  s.next_out = reinterpret_cast<Bytef*>(out.data());
  s.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&s, Z_FINISH), Z_STREAM_END);
  out.resize(out.size() - s.avail_out);
  deflateEnd(&s);
  return out;
}

}  // namespace sluice::binlog::testing
