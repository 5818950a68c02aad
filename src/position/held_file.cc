#include "sluice/position/held_file.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>

#include "sluice/base/byte_writer.h"
#include "sluice/base/checksum.h"
#include "sluice/base/files.h"
#include "sluice/base/hash.h"

#include "json_members.h"

namespace sluice::position {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kHead = "sluice-xa 1\n";
constexpr std::string_view kTail = "xa-end 1";
constexpr std::size_t kTailSize = 8 + kTail.size();
constexpr std::size_t kRecordHead = 9;
constexpr std::uint8_t kSummary = 0;
constexpr std::string_view kSuffix = ".held";
constexpr std::size_t kReadSize = 256u << 10;
constexpr std::uint64_t kSyncEvery = 32u << 20;

Error damaged_file(const fs::path& path, std::string_view why) {
  return fatal(Errc::position_damaged, path.string() + " is damaged: " + std::string(why));
}

std::string encode(const HeldSummary& summary) {
  Json left_out = Json::array();
  for (const std::string& name : summary.left_out) left_out.push_back(text_of_bytes(name));
  return Json{{"version", 1},
              {"xid", text_of_bytes(summary.xid)},
              {"prepared", summary.prepared.to_string()},
              {"file", text_of_bytes(summary.begins.file)},
              {"pos", summary.begins.pos},
              {"gtid", text_of_bytes(summary.gtid)},
              {"rows_events", summary.rows_events},
              {"left_out", std::move(left_out)}}
      .dump(-1, ' ', true);
}

// A problem in words, or "".
std::string decode(std::string_view text, HeldSummary& out) {
  const Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) return "its summary is not JSON";
  Members m(json);
  const std::uint64_t version = m.u64("version");
  out.xid = m.text("xid");
  auto prepared = TransactionId::parse(m.text("prepared"));
  out.begins = {m.text("file"), m.u64("pos")};
  out.gtid = m.text("gtid");
  out.rows_events = m.u64("rows_events");
  for (const Json& name : m.array("left_out")) {
    const Json one{{"name", name}};
    Members member(one);
    out.left_out.push_back(member.text("name"));
    m.note("left_out", member.problem());
  }
  if (!m.problem().empty()) return "its summary: " + m.problem();
  if (!prepared) return "its summary: " + prepared.error().what;
  if (version != 1) return "its summary is of version " + std::to_string(version);
  out.prepared = *prepared;
  return "";
}

// What a record's head says, and whether its body is that.
struct RecordHead {
  std::uint32_t size = 0;
  std::uint8_t kind = 0;
  std::uint32_t crc = 0;
  static RecordHead read(Bytes bytes) {
    ByteReader r(bytes);
    RecordHead head;
    head.size = r.u32();
    head.kind = r.u8();
    head.crc = r.u32();
    return head;
  }
};
bool is_whole(Bytes head, Bytes body, std::uint32_t crc) {
  return crc32(body, crc32(head.first(kRecordHead - 4))) == crc;
}

Status read_exactly(int fd, std::uint64_t at, std::size_t size, std::string& out,
                    const fs::path& path) {
  out.resize(size);
  for (std::size_t have = 0; have < size;) {
    const auto n = ::pread(fd, out.data() + have, size - have, static_cast<off_t>(at + have));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return io_error("read", path, errno);
    if (n == 0) return damaged_file(path, "it ends too early");
    have += static_cast<std::size_t>(n);
  }
  return {};
}

Result<UniqueFd> open_for_reading(const fs::path& path) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return io_error("open", path, errno);
  return fd;
}

// 16 hex digits.
std::string hash_text(std::uint64_t hash) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out(16, '0');
  for (std::size_t i = out.size(); i-- > 0; hash >>= 4U) out[i] = kDigits[hash & 0xFU];
  return out;
}

}  // namespace

std::uint64_t xid_hash(std::string_view xid) noexcept {
  return xxh64(xid);
}

std::string HeldName::to_string() const {
  std::string out = hash_text(xid_hash) + "-" + prepared.to_string();
  if (ended) out += "-" + ended->to_string();
  return out.append(kSuffix);
}

std::optional<HeldName> HeldName::parse(std::string_view name) {
  if (!name.ends_with(kSuffix)) return std::nullopt;
  name.remove_suffix(kSuffix.size());
  HeldName out;
  const auto dash = name.find('-');
  if (dash != 16) return std::nullopt;
  const auto [end, err] = std::from_chars(name.data(), name.data() + dash, out.xid_hash, 16);
  if (err != std::errc{} || end != name.data() + dash) return std::nullopt;
  name.remove_prefix(dash + 1);
  const auto second = name.find('-');
  const auto prepared = TransactionId::parse(name.substr(0, second));
  if (!prepared) return std::nullopt;
  out.prepared = *prepared;
  if (second == std::string_view::npos) return out;
  const auto ended = TransactionId::parse(name.substr(second + 1));
  if (!ended) return std::nullopt;
  out.ended = *ended;
  return out;
}

Result<std::vector<HeldName>> list_held(const fs::path& folder) {
  std::vector<HeldName> out;
  std::error_code ec;
  if (!fs::exists(folder, ec) && !ec) return out;
  for (auto it = fs::directory_iterator(folder, ec); !ec && it != fs::directory_iterator();
       it.increment(ec))
    if (const auto name = HeldName::parse(it->path().filename().string())) out.push_back(*name);
  if (ec) return fatal(Errc::io, "list " + folder.string() + ": " + ec.message());
  return out;
}

void append_record(std::string& out, std::uint8_t kind,
                   std::initializer_list<std::string_view> parts) {
  std::size_t size = 0;
  for (const std::string_view part : parts) size += part.size();
  const std::string head = std::move(ByteWriter().le<4>(size).le<1>(kind)).str();
  std::uint32_t crc = crc32(as_bytes(head));
  for (const std::string_view part : parts) crc = crc32(as_bytes(part), crc);
  out.reserve(out.size() + kRecordHead + size);
  out += head;
  out += std::move(ByteWriter().le<4>(crc)).str();
  for (const std::string_view part : parts) out += part;
}

// ---- Reading ----

RecordReader::RecordReader(std::shared_ptr<const std::string> records)
    : memory_(std::move(records)), end_(memory_->size()) {}

RecordReader::RecordReader(UniqueFd file, fs::path path, std::uint64_t end)
    : file_(std::move(file)),
      path_(std::move(path)),
      at_(kHead.size()),
      end_(end),
      buffer_at_(kHead.size()) {}

Result<RecordReader> RecordReader::open(const fs::path& path, std::uint64_t end) {
  SLUICE_TRY_ASSIGN(UniqueFd fd, open_for_reading(path));
  std::string head;
  SLUICE_TRY(read_exactly(fd.get(), 0, kHead.size(), head, path));
  if (head != kHead) return damaged_file(path, "it does not begin as it should");
  return RecordReader(std::move(fd), path, end);
}

Error RecordReader::damaged(std::string_view why) const {
  return damaged_file(memory_ ? fs::path("memory") : path_, why);
}

Result<Bytes> RecordReader::peek(std::size_t size) {
  if (size > end_ - at_) return damaged("a record reaches behind its end");
  if (memory_) return as_bytes(std::string_view(*memory_).substr(at_, size));
  if (at_ + size > buffer_at_ + buffer_.size()) {
    const std::uint64_t left = end_ - at_;
    const std::size_t wanted = std::max<std::size_t>(size, kReadSize);
    SLUICE_TRY(read_exactly(file_.get(), at_,
                            static_cast<std::size_t>(std::min<std::uint64_t>(wanted, left)),
                            buffer_, path_));
    buffer_at_ = at_;
  }
  return as_bytes(std::string_view(buffer_).substr(at_ - buffer_at_, size));
}

Result<bool> RecordReader::next(Record& out) {
  if (at_ == end_) return false;
  SLUICE_TRY_ASSIGN(const Bytes start, peek(kRecordHead));
  const RecordHead head = RecordHead::read(start);
  SLUICE_TRY_ASSIGN(const Bytes record, peek(kRecordHead + head.size));
  const Bytes body = record.subspan(kRecordHead);
  if (!is_whole(record, body, head.crc) || head.kind == kSummary)
    return damaged("the record at " + std::to_string(at_) + " is not what was written");
  out = {head.kind, body};
  at_ += record.size();
  return true;
}

Result<HeldFile> HeldFile::open(const fs::path& path) {
  SLUICE_TRY_ASSIGN(const UniqueFd fd, open_for_reading(path));
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return io_error("stat", path, errno);
  const auto size = static_cast<std::uint64_t>(info.st_size);
  if (size < kHead.size() + kRecordHead + kTailSize) return damaged_file(path, "it ends too early");
  std::string text;
  SLUICE_TRY(read_exactly(fd.get(), 0, kHead.size(), text, path));
  if (text != kHead) return damaged_file(path, "it does not begin as it should");
  const std::uint64_t end = size - kTailSize;
  SLUICE_TRY(read_exactly(fd.get(), end, kTailSize, text, path));
  ByteReader tail(as_bytes(text));
  HeldFile file;
  file.records_end = tail.u64();
  if (as_chars(tail.rest()) != kTail || file.records_end < kHead.size() ||
      file.records_end > end - kRecordHead)
    return damaged_file(path, "it does not end as it should");
  SLUICE_TRY(read_exactly(fd.get(), file.records_end,
                          static_cast<std::size_t>(end - file.records_end), text, path));
  const Bytes record = as_bytes(text);
  const RecordHead head = RecordHead::read(record);
  const Bytes body = record.subspan(kRecordHead);
  if (head.kind != kSummary || head.size != body.size() || !is_whole(record, body, head.crc))
    return damaged_file(path, "its summary is not what was written");
  if (const std::string problem = decode(as_chars(body), file.summary); !problem.empty())
    return damaged_file(path, problem);
  return file;
}

// ---- Writing ----

HeldWriter::HeldWriter(UniqueFd file, fs::path path)
    : file_(std::move(file)), path_(std::move(path)) {}

HeldWriter::HeldWriter(HeldWriter&& other) noexcept
    : file_(std::move(other.file_)),
      path_(std::exchange(other.path_, {})),
      size_(other.size_),
      unsynced_(other.unsynced_) {}

HeldWriter::~HeldWriter() {
  if (!path_.empty()) ::unlink(path_.c_str());
}

Result<HeldWriter> HeldWriter::create(const fs::path& folder, std::string_view name) {
  std::error_code ec;
  if (fs::create_directories(folder, ec)) SLUICE_TRY(sync_folder(folder.parent_path()));
  if (ec) return io_error("create folder", folder, ec.value());
  const fs::path path = folder / name;
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0640));
  if (!fd) return io_error("create", path, errno);
  HeldWriter writer(std::move(fd), path);
  SLUICE_TRY(write_all(writer.file_.get(), kHead, path));
  return writer;
}

Status HeldWriter::append(std::string_view records) {
  SLUICE_TRY(write_all(file_.get(), records, path_));
  size_ += records.size();
  unsynced_ += records.size();
  if (unsynced_ < kSyncEvery) return {};
  unsynced_ = 0;
  return ::fdatasync(file_.get()) == 0 ? Status() : Status(io_error("fsync", path_, errno));
}

Status HeldWriter::truncate(std::uint64_t size) {
  size_ = std::min(size, size_);
  const auto end = static_cast<off_t>(records_end());
  if (::ftruncate(file_.get(), end) != 0) return io_error("truncate", path_, errno);
  if (::lseek(file_.get(), end, SEEK_SET) != end) return io_error("seek", path_, errno);
  return {};
}

std::uint64_t HeldWriter::records_end() const noexcept {
  return kHead.size() + size_;
}

Result<RecordReader> HeldWriter::read() const {
  return RecordReader::open(path_, records_end());
}

Status HeldWriter::finish(const HeldSummary& summary, const fs::path& path, bool durable) {
  std::string end;
  append_record(end, kSummary, {encode(summary)});
  end += std::move(ByteWriter().le<8>(records_end()).bytes(kTail)).str();
  SLUICE_TRY(write_all(file_.get(), end, path_));
  if (durable && ::fsync(file_.get()) != 0) return io_error("fsync", path_, errno);
  if (::rename(path_.c_str(), path.c_str()) != 0) return io_error("rename", path_, errno);
  path_.clear();
  return {};
}

}  // namespace sluice::position
