#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "sluice/base/result.h"
#include "sluice/base/text_buffer.h"

struct ZSTD_CCtx_s;
struct ZSTD_DCtx_s;

namespace sluice::queue {

// content_encoding of a body that is one zstd frame, which tells its content's size.
inline constexpr std::string_view kZstd = "zstd";

// Makes bodies smaller.  Keeps its memory from one to the next.  Belongs to one thread.
class BodyCompressor {
 public:
  BodyCompressor();
  ~BodyCompressor();
  BodyCompressor(const BodyCompressor&) = delete;
  BodyCompressor& operator=(const BodyCompressor&) = delete;
  // Nothing where it would not become smaller.  Valid until the next call.
  std::optional<std::string_view> compress(std::string_view body);

 private:
  ZSTD_CCtx_s* context_;
  TextBuffer out_;
};

class BodyInflater {
 public:
  BodyInflater();
  ~BodyInflater();
  BodyInflater(const BodyInflater&) = delete;
  BodyInflater& operator=(const BodyInflater&) = delete;
  // Puts the content behind what `out` has.  Errors: poison/queue_message for what is no such
  // frame, is damaged, or is larger than `most` (of which no more memory is taken).
  Status inflate(std::string_view compressed, std::uint64_t most, TextBuffer& out);

 private:
  ZSTD_DCtx_s* context_;
};

}  // namespace sluice::queue
