#include "sluice/decode/binlog_file.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sluice/binlog/event.h"

namespace sluice::decode {
namespace {

constexpr std::size_t kMagicSize = 4;

Error io_error(const std::string& name, std::string_view what) {
  return fatal(Errc::io,
               name + ": " + std::string(what) + ": " + std::generic_category().message(errno));
}

bool begins_with(Bytes head, std::initializer_list<unsigned> bytes) noexcept {
  return head.size() >= bytes.size() &&
         std::equal(bytes.begin(), bytes.end(), head.begin(), [](unsigned want, std::byte is) {
           return want == std::to_integer<unsigned>(is);
         });
}

// What a file that is no plain binlog may be.
Error not_a_binlog(const std::string& name, Bytes head) {
  if (begins_with(head, {0xFD, 'b', 'i', 'n'}))
    return fatal(Errc::binlog_unsupported,
                 name +
                     ": an encrypted binlog file (MySQL's binlog_encryption); only the server can "
                     "read it: mysqlbinlog --read-from-remote-server --raw writes a plain copy");
  if (begins_with(head, {0x28, 0xB5, 0x2F, 0xFD}))
    return fatal(Errc::binlog_unsupported,
                 name + ": compressed by zstd; zstd -dc FILE | sluice decode -");
  if (begins_with(head, {0x1F, 0x8B}))
    return fatal(Errc::binlog_unsupported,
                 name + ": compressed by gzip; zcat FILE | sluice decode -");
  return fatal(Errc::binlog_malformed,
               name + ": not a binlog file: it does not begin with the bytes FE 'bin'");
}

}  // namespace

void Chunk::reserve(std::size_t bytes) {
  // What one huge event needed is not kept for the small ones after it.
  const bool too_large =
      capacity_ > 4 * BinlogFile::kChunkBytes && bytes <= BinlogFile::kChunkBytes;
  if (capacity_ >= bytes && !too_large) return;
  auto memory = std::make_unique_for_overwrite<std::byte[]>(bytes);
  if (filled_ != 0) std::memcpy(memory.get(), memory_.get(), filled_);
  memory_ = std::move(memory);
  capacity_ = bytes;
}

Result<BinlogFile> BinlogFile::open(const std::string& path) {
  const bool standard_input = path == "-";
  const std::string name = standard_input ? "(standard input)" : path;
  UniqueFd fd(standard_input ? ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)
                             : ::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return io_error(name, "cannot open");
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return io_error(name, "cannot look at");
  if (S_ISDIR(info.st_mode)) return fatal(Errc::io, name + ": a folder, not a file");
  const std::uint64_t size = S_ISREG(info.st_mode) ? static_cast<std::uint64_t>(info.st_size) : 0;
  // Told so that the system reads ahead; a file system that does not care says so, and that is
  // fine.
  if (size != 0) ::posix_fadvise(fd.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
  BinlogFile file(std::move(fd), name, size);
  SLUICE_TRY(file.read_magic());
  return file;
}

Status BinlogFile::read_magic() {
  std::array<std::byte, kMagicSize> head{};
  std::size_t have = 0;
  while (have < head.size()) {
    SLUICE_TRY_ASSIGN(const std::size_t n, fill(head.data() + have, head.size() - have));
    if (n == 0) break;
    have += n;
  }
  if (have < head.size())
    return fatal(Errc::binlog_truncated,
                 name_ + ": " + std::to_string(have) + " bytes are no binlog file");
  if (!begins_with(head, {0xFE, 'b', 'i', 'n'})) return not_a_binlog(name_, head);
  offset_ = head.size();
  return {};
}

Result<std::size_t> BinlogFile::fill(std::byte* to, std::size_t room) {
  for (;;) {
    const ssize_t n = ::read(fd_.get(), to, room);
    if (n >= 0) return static_cast<std::size_t>(n);
    if (errno != EINTR) return io_error(name_, "cannot read");
  }
}

Error BinlogFile::bad_size(std::uint64_t at, std::uint64_t size) const {
  return fatal(
      Errc::binlog_malformed,
      name_ + ":" + std::to_string(at) + ": an event of " + std::to_string(size) +
          " bytes, which no server writes: the file is damaged here, or no event begins here");
}

Result<bool> BinlogFile::read(Chunk& chunk) {
  using binlog::EventHeader;
  chunk.filled_ = chunk.whole_ = 0;
  chunk.offset_ = offset_;
  chunk.reserve(std::max(kChunkBytes, rest_.size()));
  std::copy(rest_.begin(), rest_.end(), chunk.memory_.get());
  chunk.filled_ = rest_.size();
  rest_.clear();
  bool end = false;
  for (;;) {
    // Whole events of what is there.
    std::size_t wanted = chunk.whole_ + EventHeader::kSize;
    while (chunk.filled_ - chunk.whole_ >= EventHeader::kSize) {
      const Bytes left(chunk.memory_.get() + chunk.whole_, chunk.filled_ - chunk.whole_);
      const std::uint32_t size = EventHeader::size_of(left);
      if (size < EventHeader::kSize || size > kLargestEvent)
        return bad_size(offset_ + chunk.whole_, size);
      wanted = chunk.whole_ + size;
      if (wanted > chunk.filled_) break;
      chunk.whole_ = wanted;
      wanted += EventHeader::kSize;
    }
    if (chunk.whole_ != 0 || end) break;
    // A size that the file cannot hold allocates nothing: memory grows with what is read.
    const std::size_t room = std::max(kChunkBytes, std::min(wanted, 2 * chunk.filled_));
    chunk.reserve(room);
    SLUICE_TRY_ASSIGN(const std::size_t n,
                      fill(chunk.memory_.get() + chunk.filled_, chunk.capacity_ - chunk.filled_));
    chunk.filled_ += n;
    end = n == 0;
  }
  rest_.assign(chunk.memory_.get() + chunk.whole_, chunk.memory_.get() + chunk.filled_);
  offset_ += chunk.whole_;
  return chunk.whole_ != 0;
}

Status BinlogFile::seek(std::uint64_t offset) {
  if (offset > size_)
    return fatal(Errc::usage, name_ + ": there is no position " + std::to_string(offset) +
                                  ", the file has " + std::to_string(size_) + " bytes");
  if (::lseek(fd_.get(), static_cast<off_t>(offset), SEEK_SET) < 0)
    return io_error(name_, "cannot seek");
  rest_.clear();
  offset_ = offset;
  return {};
}

Status BinlogFile::wait(int timeout_ms) {
  if (!watch_ && size_ != 0) {
    watch_.reset(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
    const std::string self = "/proc/self/fd/" + std::to_string(fd_.get());
    if (!watch_ || ::inotify_add_watch(watch_.get(), self.c_str(), IN_MODIFY) < 0)
      return io_error(name_, "cannot watch");
    return {};  // it may have grown before it was watched: read once more
  }
  pollfd wait{watch_ ? watch_.get() : fd_.get(), POLLIN, 0};
  if (::poll(&wait, 1, timeout_ms) < 0 && errno != EINTR) return io_error(name_, "cannot wait for");
  if (!watch_) return {};
  std::array<std::byte, 4096> events{};
  while (::read(watch_.get(), events.data(), events.size()) > 0) {
  }
  return {};
}

}  // namespace sluice::decode
