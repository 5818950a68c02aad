#include "binlog/unpack_payload.h"

#include <algorithm>
#include <cstring>

#include <zstd.h>
#include <zstd_errors.h>

#include "binlog/errors.h"

namespace sluice::binlog {
namespace {

constexpr std::string_view kName = "TRANSACTION_PAYLOAD";
// The window of zstd's highest level: a server may be told to use it
// (binlog_transaction_compression_level_zstd = 22).
constexpr int kMaxWindowLog = 27;
// Inflated at once, where the event that is read does not need more.
constexpr std::size_t kChunk = 128U << 10;
// A buffer that a large event left behind is kept up to this size.
constexpr std::size_t kKeep = 16U << 20;

enum class Field : std::uint8_t { end = 0, size = 1, compression = 2, uncompressed_size = 3 };
constexpr std::uint64_t kZstd = 0;
constexpr std::uint64_t kNone = 255;

// What stands outside of payloads: heads of files and transactions, and other payloads.
bool may_be_inside(EventType type) noexcept {
  if (EventUnpacker::is_packed(type)) return false;
  switch (type) {
    case EventType::unknown:
    case EventType::start_v3:
    case EventType::stop:
    case EventType::rotate:
    case EventType::format_description:
    case EventType::incident:
    case EventType::heartbeat:
    case EventType::heartbeat_v2:
    case EventType::gtid:
    case EventType::anonymous_gtid:
    case EventType::gtid_tagged:
    case EventType::mariadb_gtid:
    case EventType::previous_gtids:
    case EventType::gtid_list:
    case EventType::start_encryption: return false;
    default: return true;
  }
}

}  // namespace

struct ZstdStream::State {
  struct Free {
    void operator()(ZSTD_DCtx* c) const noexcept { ZSTD_freeDCtx(c); }
  };
  std::unique_ptr<ZSTD_DCtx, Free> context{ZSTD_createDCtx()};
};

ZstdStream::ZstdStream() : state_(std::make_unique<State>()) {}
ZstdStream::~ZstdStream() = default;

void ZstdStream::open(Bytes deflated) noexcept {
  in_ = deflated;
  in_frame_ = false;
  if (!state_->context) return;  // read() tells
  ZSTD_DCtx_reset(state_->context.get(), ZSTD_reset_session_and_parameters);
  ZSTD_DCtx_setParameter(state_->context.get(), ZSTD_d_windowLogMax, kMaxWindowLog);
}

std::size_t ZstdStream::memory() const noexcept {
  return ZSTD_sizeof_DCtx(state_->context.get());
}

Result<std::size_t> ZstdStream::read(char* to, std::size_t room) {
  if (!state_->context) return fatal(Errc::internal, "no memory for zstd");
  ZSTD_inBuffer in{in_.data(), in_.size(), 0};
  ZSTD_outBuffer out{to, room, 0};
  // An input that is used up is the end between two frames; inside one, more may be held back.
  while (out.pos < out.size && (in.pos < in.size || in_frame_)) {
    const std::size_t left = ZSTD_decompressStream(state_->context.get(), &out, &in);
    if (ZSTD_isError(left) != 0) {
      const std::string_view why = ZSTD_getErrorName(left);
      return ZSTD_getErrorCode(left) == ZSTD_error_frameParameter_windowTooLarge
                 ? unsupported(kName, why)
                 : malformed(kName, why);
    }
    in_frame_ = left != 0;
    if (in_frame_ && in.pos == in.size && out.pos < out.size)
      return truncated("zstd stream of TRANSACTION_PAYLOAD, its rest", in_);
  }
  in_ = in_.subspan(in.pos);
  return out.pos;
}

Status PayloadReader::read_fields(Bytes body) {
  ByteReader r(body);
  std::optional<std::uint64_t> size;
  std::uint64_t compression = kNone;
  declared_.reset();
  // In any order; one that is not known is passed over.
  for (;;) {
    const std::uint64_t field = r.lenenc();
    if (!r.ok()) return truncated(kName, body);
    if (field == static_cast<std::uint64_t>(Field::end)) break;
    const Bytes value = r.take(r.lenenc());
    if (!r.ok()) return truncated(kName, body);
    if (field > static_cast<std::uint64_t>(Field::uncompressed_size)) continue;
    ByteReader in(value);
    const std::uint64_t number = in.lenenc();
    if (!in.ok() || in.remaining() != 0)
      return malformed(kName, "field " + std::to_string(field) + " of " +
                                  std::to_string(value.size()) + " bytes");
    switch (static_cast<Field>(field)) {
      case Field::size: size = number; break;
      case Field::compression: compression = number; break;
      case Field::uncompressed_size: declared_ = number; break;
      case Field::end: break;
    }
  }
  if (!size) return malformed(kName, "its payload's size is not told");
  if (*size > r.remaining()) return truncated(kName, body);
  if (*size < r.remaining())
    return malformed(kName, "a payload of " + std::to_string(*size) + " bytes, and " +
                                std::to_string(r.remaining() - *size) + " behind it");
  if (compression != kZstd && compression != kNone)
    return unsupported(kName, "compression type " + std::to_string(compression));
  compressed_ = compression == kZstd;
  payload_ = r.rest();
  return {};
}

Status PayloadReader::open(Bytes body, std::size_t header_len, const UnpackLimits& limits) {
  close();
  SLUICE_TRY(read_fields(body));
  limits_ = limits;
  header_len_ = header_len;
  if (compressed_) {
    ended_ = false;
    zstd_.open(payload_);
    // Refused before the work is done.
    total_ = declared_.value_or(0);
  } else {
    total_ = payload_.size();
  }
  SLUICE_TRY(check_size());
  if (compressed_) total_ = 0;
  return {};
}

void PayloadReader::close() noexcept {
  payload_ = {};
  ended_ = true;
  compressed_ = false;
  begin_ = 0;
  if (buffer_.capacity() > kKeep)
    buffer_.release();
  else
    buffer_.clear();
}

Bytes PayloadReader::ready() const noexcept {
  return (compressed_ ? as_bytes(buffer_.view()) : payload_).subspan(begin_);
}

// Of what has come so far, or, when all has, of all.
Status PayloadReader::check_size() const {
  if (limits_.transaction_bytes != 0 && total_ > limits_.transaction_bytes)
    return unsupported(kName, "inflates to more than the " +
                                  std::to_string(limits_.transaction_bytes) +
                                  " bytes allowed (limits.inflated_transaction)");
  if (declared_ && (total_ > *declared_ || (ended_ && total_ != *declared_)))
    return malformed(kName, "inflates to " + std::to_string(total_) + " bytes" +
                                (ended_ ? "" : " or more") + ", " + std::to_string(*declared_) +
                                " are told");
  return {};
}

Status PayloadReader::fetch(std::size_t n) {
  while (!ended_ && buffer_.size() - begin_ < n) {
    if (begin_ != 0) {
      const std::size_t left = buffer_.size() - begin_;
      std::memmove(buffer_.data(), buffer_.data() + begin_, left);
      buffer_.truncate(left);
      begin_ = 0;
    }
    // Never more than has come already: an event's size is not believed before its bytes are there.
    const std::size_t step = std::max(kChunk, std::min(n - buffer_.size(), buffer_.size()));
    SLUICE_TRY_ASSIGN(const std::size_t got, zstd_.read(buffer_.room(step), step));
    buffer_.commit(got);
    total_ += got;
    ended_ = got < step;
    SLUICE_TRY(check_size());
  }
  return {};
}

Result<bool> PayloadReader::next(EventView& out) {
  SLUICE_TRY(fetch(header_len_));
  if (ready().empty()) return false;
  if (ready().size() < header_len_) return truncated("event in TRANSACTION_PAYLOAD", ready());
  SLUICE_TRY_ASSIGN(out.header, EventHeader::decode(ready()));
  const auto named = [&out] {
    return std::string(event_type_name(out.header.type)) + " in TRANSACTION_PAYLOAD, " +
           std::to_string(out.header.event_size) + " bytes";
  };
  const std::size_t size = out.header.event_size;
  if (size < header_len_) return malformed(named(), "less than its header");
  if (!may_be_inside(out.header.type)) return malformed(named(), "it cannot be there");
  if (size > limits_.event_bytes)
    return unsupported(named(), "larger than the " + std::to_string(limits_.event_bytes) +
                                    " bytes an event may have");
  SLUICE_TRY(fetch(size));
  if (ready().size() < size) return truncated(named(), ready());
  out.whole = ready().first(size);
  out.body = out.whole.subspan(header_len_);
  out.nested = true;
  begin_ += size;
  return true;
}

}  // namespace sluice::binlog
