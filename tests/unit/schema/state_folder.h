#pragma once
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

#include <gtest/gtest.h>

#include "sluice/base/clock.h"

namespace sluice::schema {

// Stands at the second it is told.
class SetClock final : public Clock {
 public:
  std::chrono::steady_clock::time_point steady() const override { return {}; }
  std::int64_t wall_us() const override { return seconds * 1'000'000; }
  std::int64_t seconds = 1'700'000'000;
};

// A folder of its own, removed at the end; in memory where there is such a place, since each record
// waits for the disk.
class InStateFolder : public ::testing::Test {
 protected:
  void SetUp() override {
    std::error_code ec;
    const std::filesystem::path memory = "/dev/shm";
    const auto base =
        std::filesystem::is_directory(memory, ec) ? memory : std::filesystem::temp_directory_path();
    std::string name = (base / "sluice-schema-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::filesystem::path file() const { return folder_ / "schema.log"; }

  std::filesystem::path folder_;
  SetClock clock_;
};

}  // namespace sluice::schema
