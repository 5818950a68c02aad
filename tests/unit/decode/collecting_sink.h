#pragma once
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "sluice/decode/decoder.h"

namespace sluice::decode::testing {

// Keeps what comes; another thread may wait until the reader is so far.
class CollectingSink final : public DecodeSink {
 public:
  Status write(std::string_view text) override {
    out += text;
    return {};
  }
  void progress(const std::string&, std::uint64_t offset, std::uint64_t,
                const DecodeTotals&) override {
    const std::lock_guard lock(mutex_);
    offset_ = offset;
    moved_.notify_all();
  }
  void note(const std::string& text) override { notes.push_back(text); }
  void wait_for(std::uint64_t offset) {
    std::unique_lock lock(mutex_);
    moved_.wait(lock, [&] { return offset_ >= offset; });
  }

  std::string out;
  std::vector<std::string> notes;

 private:
  std::mutex mutex_;
  std::condition_variable moved_;
  std::uint64_t offset_ = 0;
};

inline std::string recorded(const std::string& name) {
  return std::string(SLUICE_RECORDED_BINLOGS) + "/" + name;
}

inline std::string read_whole(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in.good()) << path;
  return {std::istreambuf_iterator<char>(in), {}};
}

// A file that is gone with the object.
class TempFile {
 public:
  explicit TempFile(std::string_view bytes, const std::string& name = "binlog.000007")
      : folder_(std::filesystem::temp_directory_path() /
                ("sluice-decode-" + std::to_string(::getpid()) + "-" + std::to_string(++count))),
        path_(folder_ / name) {
    std::filesystem::create_directories(folder_);
    write(bytes);
  }
  TempFile(const TempFile&) = delete;
  TempFile& operator=(const TempFile&) = delete;
  ~TempFile() { std::filesystem::remove_all(folder_); }

  void write(std::string_view bytes) {
    std::ofstream(path_, std::ios::binary | std::ios::trunc) << bytes;
  }
  void append(std::string_view bytes) {
    std::ofstream(path_, std::ios::binary | std::ios::app) << bytes;
  }
  std::string path() const { return path_.string(); }

 private:
  static inline int count = 0;
  std::filesystem::path folder_, path_;
};

// Everything `options` make of the files, and how it ended.
struct Decoded {
  std::string out;
  std::vector<std::string> notes;
  Result<DecodeTotals> totals;
};
inline Decoded decoded(const std::vector<std::string>& paths, const DecodeOptions& options,
                       const SchemaOpener& schemas = {}) {
  CollectingSink sink;
  auto totals = decode(paths, options, schemas, sink);
  return {std::move(sink.out), std::move(sink.notes), std::move(totals)};
}

}  // namespace sluice::decode::testing
