#include "sluice/base/files.h"

#include <array>
#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

namespace sluice {

namespace {

// " (0 KiB of 512 free)": of the disk that `path` is on, or would be.  Empty when nobody can tell.
std::string free_space(const std::filesystem::path& path) {
  struct statvfs disk {};
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
  if (::statvfs(path.c_str(), &disk) != 0 && ::statvfs(folder.c_str(), &disk) != 0) return "";
  if (disk.f_files != 0 && disk.f_favail == 0)
    return " (0 of " + std::to_string(disk.f_files) + " inodes free)";
  constexpr std::uint64_t kKib = 1024;
  const std::uint64_t block = disk.f_frsize;
  return " (" + std::to_string(disk.f_bavail * block / kKib) + " KiB of " +
         std::to_string(disk.f_blocks * block / kKib) + " free)";
}

Status write_and_sync(const std::filesystem::path& path, std::string_view bytes) {
  const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640));
  if (!fd) return io_error("create", path, errno);
  SLUICE_TRY(write_all(fd.get(), bytes, path));
  if (::fsync(fd.get()) != 0) return io_error("fsync", path, errno);
  return {};
}

}  // namespace

Error io_error(std::string_view doing, const std::filesystem::path& path, int err) {
  const std::string what =
      std::string(doing) + " " + path.string() + ": " + std::generic_category().message(err);
  if (err == ENOSPC || err == EDQUOT) return fatal(Errc::no_space, what + free_space(path));
  return fatal(Errc::io, what);
}

Status write_all(int fd, std::string_view bytes, const std::filesystem::path& path) {
  while (!bytes.empty()) {
    const auto n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0) {
      if (errno == EINTR) continue;
      return io_error("write", path, errno);
    }
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

Status sync_folder(const std::filesystem::path& folder) {
  const UniqueFd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return io_error("open folder", folder, errno);
  if (::fsync(fd.get()) != 0) return io_error("fsync folder", folder, errno);
  return {};
}

Status sync_file(const std::filesystem::path& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return io_error("open", path, errno);
  if (::fsync(fd.get()) != 0) return io_error("fsync", path, errno);
  return {};
}

Result<std::string> read_file(const std::filesystem::path& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return io_error("open", path, errno);
  std::string out;
  std::array<char, 65536> buf{};
  for (;;) {
    const auto n = ::read(fd.get(), buf.data(), buf.size());
    if (n < 0) {
      if (errno == EINTR) continue;
      return io_error("read", path, errno);
    }
    if (n == 0) return out;
    out.append(buf.data(), static_cast<std::size_t>(n));
  }
}

Status write_file_durably(const std::filesystem::path& path, std::string_view bytes,
                          const std::filesystem::path& backup) {
  const std::filesystem::path temp = path.string() + ".tmp";
  if (Status s = write_and_sync(temp, bytes); !s.ok()) {
    // On a full disk it would take the room that others need.
    static_cast<void>(::unlink(temp.c_str()) == 0);
    return s;
  }
  if (!backup.empty()) {
    // link + rename, never copy: the backup is whole or it is the older one.
    const std::filesystem::path old = backup.string() + ".tmp";
    if (::unlink(old.c_str()) != 0 && errno != ENOENT) return io_error("unlink", old, errno);
    if (::link(path.c_str(), old.c_str()) == 0) {
      if (::rename(old.c_str(), backup.c_str()) != 0) return io_error("rename", old, errno);
    } else if (errno != ENOENT) {
      return io_error("link", old, errno);
    }
  }
  if (::rename(temp.c_str(), path.c_str()) != 0) return io_error("rename", temp, errno);
  return sync_folder(path.has_parent_path() ? path.parent_path() : ".");
}

Result<AppendFile> AppendFile::open(const std::filesystem::path& path) {
  UniqueFd fd(::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  if (!fd) return io_error("open", path, errno);
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return io_error("stat", path, errno);
  return AppendFile(path, std::move(fd), static_cast<std::uint64_t>(info.st_size));
}

Status AppendFile::append(std::string_view bytes) {
  Status s = write_all(fd_.get(), bytes, path_);
  if (s.ok() && ::fdatasync(fd_.get()) != 0) s = io_error("fsync", path_, errno);
  if (!s.ok()) {
    // What stays in spite of this ends in the middle of a line.
    static_cast<void>(::ftruncate(fd_.get(), static_cast<off_t>(size_)) == 0);
    return s;
  }
  size_ += bytes.size();
  return {};
}

Status AppendFile::truncate(std::uint64_t size) {
  if (::ftruncate(fd_.get(), static_cast<off_t>(size)) != 0)
    return io_error("truncate", path_, errno);
  if (::fsync(fd_.get()) != 0) return io_error("fsync", path_, errno);
  size_ = size;
  return {};
}

Result<UniqueFd> lock_file(const std::filesystem::path& path) {
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640));
  if (!fd) return io_error("open", path, errno);
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return io_error("lock", path, errno);
    std::array<char, 32> pid{};
    const auto n = ::pread(fd.get(), pid.data(), pid.size(), 0);
    std::string holder(pid.data(), n > 0 ? static_cast<std::size_t>(n) : 0);
    while (!holder.empty() && holder.back() == '\n') holder.pop_back();
    return fatal(
        Errc::position_locked,
        path.string() + " is held by process " + (holder.empty() ? "?" : holder) +
            ": another sluice runs on this state folder; stop it, or give this one its own");
  }
  if (::ftruncate(fd.get(), 0) != 0) return io_error("truncate", path, errno);
  SLUICE_TRY(write_all(fd.get(), std::to_string(::getpid()) + "\n", path));
  return fd;
}

}  // namespace sluice
