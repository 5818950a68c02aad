#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "sluice/base/byte_reader.h"
#include "sluice/base/result.h"
#include "sluice/base/unique_fd.h"

namespace sluice::decode {

// A stretch of a binlog file: whole events, one after the other, uncut and unchecked but for the
// sizes in their headers.
class Chunk {
 public:
  Bytes events() const noexcept { return {memory_.get(), whole_}; }
  // Where the first of them stands in the file.
  std::uint64_t offset() const noexcept { return offset_; }

 private:
  friend class BinlogFile;
  void reserve(std::size_t bytes);
  std::unique_ptr<std::byte[]> memory_;
  std::size_t capacity_ = 0;
  std::size_t filled_ = 0;  // bytes read
  std::size_t whole_ = 0;   // of them, those of whole events
  std::uint64_t offset_ = 0;
};

// Reads a binlog file, or a pipe, chunk by chunk.  Memory: a chunk of kChunkBytes, or of the
// largest event where that is larger.  Belongs to one thread.
class BinlogFile {
 public:
  static constexpr std::size_t kChunkBytes = std::size_t{256} << 10;
  // The largest event a server can write is 1 GiB (mysql-server: max_log_event_size) and its
  // headers.
  static constexpr std::uint64_t kLargestEvent =
      (std::uint64_t{1} << 30) + (std::uint64_t{1} << 20);

  // `path`: "-" is standard input.  Errors: fatal/io; fatal/binlog_unsupported for an encrypted or
  // compressed file, fatal/binlog_malformed for what is no binlog at all; with the path.
  static Result<BinlogFile> open(const std::string& path);

  // "-" reads as "(standard input)".
  const std::string& name() const noexcept { return name_; }
  // Bytes of the file when it was opened; 0 when that is not known (a pipe).
  std::uint64_t size() const noexcept { return size_; }

  // Fills `chunk` with the next events, at least one.  False when there is nothing more to read
  // now: the end of the file, or, with part of an event there (see pending()), a place where a
  // server still writes.  Errors: fatal/io, fatal/binlog_malformed for a size no event has, with
  // name and offset.
  Result<bool> read(Chunk& chunk);
  // Bytes that stand behind the last whole event: of one that is not complete (yet).
  std::size_t pending() const noexcept { return rest_.size(); }
  // Offset of the first byte not handed out.
  std::uint64_t offset() const noexcept { return offset_; }
  // The next read() begins there.  Precondition: size() != 0.  Errors: fatal/io, fatal/usage when
  // it lies behind the end of the file.
  Status seek(std::uint64_t offset);
  // Waits until the file has grown, at most `timeout_ms`.  Errors: fatal/io.
  Status wait(int timeout_ms);

 private:
  BinlogFile(UniqueFd fd, std::string name, std::uint64_t size)
      : fd_(std::move(fd)), name_(std::move(name)), size_(size) {}
  Status read_magic();
  Result<std::size_t> fill(std::byte* to, std::size_t room);
  Error bad_size(std::uint64_t at, std::uint64_t size) const;

  UniqueFd fd_;
  UniqueFd watch_;
  std::string name_;
  std::uint64_t size_ = 0;
  std::uint64_t offset_ = 0;
  std::vector<std::byte> rest_;  // the head of an event whose end is not read yet
};

}  // namespace sluice::decode
