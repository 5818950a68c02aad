#pragma once
#include <filesystem>
#include <string>
#include <string_view>

#include "sluice/base/result.h"
#include "sluice/base/unique_fd.h"

namespace sluice {

// Errors of all: fatal/io with the path and the system's reason.

Result<std::string> read_file(const std::filesystem::path& path);

// Replaces `path` so that after a power cut it holds either the old bytes or the new ones:
// writes `path`.tmp, fsync, keeps the old file as `backup` when that is not empty (hard link),
// rename, fsync of the folder.  mode 0640.
Status write_file_durably(const std::filesystem::path& path, std::string_view bytes,
                          const std::filesystem::path& backup = {});

// Holds an exclusive lock (flock) on `path` as long as the returned descriptor lives, its pid
// written into it. Errors: fatal/position_locked naming the holder's pid.
Result<UniqueFd> lock_file(const std::filesystem::path& path);

}  // namespace sluice
