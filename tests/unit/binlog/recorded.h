#pragma once
// The recorded binlogs (tests/data/binlog/README.md).
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "sluice/base/byte_reader.h"
#include "sluice/base/files.h"

namespace sluice::binlog::testing {

inline std::string load(std::string_view name) {
  auto bytes = read_file(std::filesystem::path(SLUICE_TEST_DATA) / "binlog" / name);
  EXPECT_TRUE(bytes.ok()) << name;
  return bytes.ok() ? std::move(bytes).value() : std::string();
}

// Each event's bytes: of a binlog file, or of a recorded dump.
inline std::vector<Bytes> split(std::string_view name, const std::string& bytes) {
  std::vector<Bytes> out;
  const bool file = name.ends_with(".binlog");
  Bytes left = as_bytes(bytes).subspan(file ? 4 : 0);
  while (!left.empty()) {
    ByteReader r(left);
    if (file) r.take(9);
    const std::size_t size = r.u32();
    const std::size_t skip = file ? 0 : 4;
    if (!r.ok() || size > left.size() - skip) {
      ADD_FAILURE() << name << " is damaged";
      break;
    }
    out.push_back(left.subspan(skip, size));
    left = left.subspan(skip + size);
  }
  return out;
}

}  // namespace sluice::binlog::testing
