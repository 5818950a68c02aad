#include "queue/body_codec.h"

#include <string>

#include <zstd.h>

namespace sluice::queue {
namespace {

// The fastest: rows are repetitive, and the source must not wait.
constexpr int kLevel = 1;
// Below it the frame's own bytes and the time are not worth it (a tick alone is as small).
constexpr std::size_t kSmallest = 256;

Error unreadable(const std::string& why) {
  return Error{ErrorClass::poison, Errc::queue_message, "zstd body: " + why};
}

}  // namespace

BodyCompressor::BodyCompressor() : context_(ZSTD_createCCtx()) {
  // Both exist; the result can only say that they do not.
  [[maybe_unused]] const auto level =
      ZSTD_CCtx_setParameter(context_, ZSTD_c_compressionLevel, kLevel);
  [[maybe_unused]] const auto sum = ZSTD_CCtx_setParameter(context_, ZSTD_c_checksumFlag, 1);
}

BodyCompressor::~BodyCompressor() {
  ZSTD_freeCCtx(context_);
}

std::optional<std::string_view> BodyCompressor::compress(std::string_view body) {
  if (body.size() < kSmallest) return std::nullopt;
  out_.clear();
  const std::size_t room = ZSTD_compressBound(body.size());
  const std::size_t size =
      ZSTD_compress2(context_, out_.room(room), room, body.data(), body.size());
  if (ZSTD_isError(size) != 0 || size >= body.size()) return std::nullopt;
  out_.commit(size);
  return out_.view();
}

BodyInflater::BodyInflater() : context_(ZSTD_createDCtx()) {}

BodyInflater::~BodyInflater() {
  ZSTD_freeDCtx(context_);
}

Status BodyInflater::inflate(std::string_view compressed, std::uint64_t most, TextBuffer& out) {
  const unsigned long long size = ZSTD_getFrameContentSize(compressed.data(), compressed.size());
  if (size == ZSTD_CONTENTSIZE_ERROR) return unreadable("no zstd frame");
  if (size == ZSTD_CONTENTSIZE_UNKNOWN) return unreadable("the frame does not tell its size");
  if (size > most) {
    return unreadable("of " + std::to_string(size) + " bytes, more than " + std::to_string(most));
  }
  const auto room = static_cast<std::size_t>(size);
  const std::size_t n =
      ZSTD_decompressDCtx(context_, out.room(room), room, compressed.data(), compressed.size());
  if (ZSTD_isError(n) != 0) return unreadable(ZSTD_getErrorName(n));
  out.commit(n);
  return {};
}

}  // namespace sluice::queue
