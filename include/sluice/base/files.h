#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include "sluice/base/result.h"
#include "sluice/base/unique_fd.h"

namespace sluice {

// Errors of all: fatal/io with the path and the system's reason; fatal/no_space, with how much of
// the disk is free, when there is no room for what is to be written.

Result<std::string> read_file(const std::filesystem::path& path);

// Replaces `path` so that after a power cut it holds either the old bytes or the new ones:
// writes `path`.tmp, fsync, keeps the old file as `backup` when that is not empty (hard link),
// rename, fsync of the folder.  mode 0640.  What an error leaves of the new file is removed.
Status write_file_durably(const std::filesystem::path& path, std::string_view bytes,
                          const std::filesystem::path& backup = {});

// A file that grows at its end.  Belongs to one thread.
class AppendFile {
 public:
  // The file must be there.
  static Result<AppendFile> open(const std::filesystem::path& path);
  // Durable when it returns; after an error as much of `bytes` as the system lets us is taken out
  // again.
  Status append(std::string_view bytes);
  // Cuts the end off, durably.
  Status truncate(std::uint64_t size);
  std::uint64_t size() const noexcept { return size_; }

 private:
  AppendFile(std::filesystem::path path, UniqueFd fd, std::uint64_t size)
      : path_(std::move(path)), fd_(std::move(fd)), size_(size) {}
  std::filesystem::path path_;
  UniqueFd fd_;
  std::uint64_t size_;
};
// For those who write files of their own kind.
// "fsync /var/lib/x: Input/output error"; "write /var/lib/x: No space left on device (0 KiB of 512
// free)"
Error io_error(std::string_view doing, const std::filesystem::path& path, int err);
// All of `bytes`, however many calls it takes; `path` is for the error.
Status write_all(int fd, std::string_view bytes, const std::filesystem::path& path);
// What was written survives a power cut when it returns; a folder: the names in it.
Status sync_file(const std::filesystem::path& path);
Status sync_folder(const std::filesystem::path& folder);

// Holds an exclusive lock (flock) on `path` as long as the returned descriptor lives, its pid
// written into it. Errors: fatal/position_locked naming the holder's pid.
Result<UniqueFd> lock_file(const std::filesystem::path& path);

}  // namespace sluice
