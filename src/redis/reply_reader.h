#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "sluice/redis/connection.h"

struct redisReader;

namespace sluice::redis {

// One piece of a reply as the parser comes by it: depth first, an array before its items.
struct ReplyToken {
  Reply::Kind kind = Reply::Kind::nil;
  std::string_view text;     // status, error, string; valid during the call
  std::int64_t integer = 0;  // integer; array: number of items
  bool top = true;           // not inside an array
  std::size_t index =
      0;  // inside an array: which item of the top-level array this is, or is inside of
  Reply* parent = nullptr;  // what the sink returned for the array this is an item of
};

// Takes the tokens of one reply.
class ReplySink {
 public:
  virtual ~ReplySink() = default;
  // What is returned for an array comes back as `parent` of its items; sinks that do not need it
  // return null.
  virtual Reply* take(const ReplyToken& token) = 0;
};

// hiredis' parser, without its reply objects: nothing is allocated per reply.
class ReplyReader {
 public:
  enum class Step : std::uint8_t { more, done, malformed };

  ReplyReader();
  ~ReplyReader();
  ReplyReader(const ReplyReader&) = delete;
  ReplyReader& operator=(const ReplyReader&) = delete;

  // Bytes to parse.  Feed pieces of at most kPiece: the parser moves what is left each time it has
  // used up a kilobyte.
  static constexpr std::size_t kPiece = 16384;
  void feed(std::string_view bytes);
  // Parses up to the end of one reply.  `more`: it is not whole yet; call again with the same sink.
  // `malformed`: the stream is lost.
  Step next(ReplySink& sink);
  // Tokens seen so far: whether there is progress.
  std::uint64_t tokens() const noexcept;
  // What was malformed.
  std::string problem() const;

 private:
  struct Callbacks;
  struct State {
    ReplySink* sink = nullptr;
    std::uint64_t tokens = 0;
  };
  struct Free {
    void operator()(redisReader* reader) const noexcept;
  };
  State state_;
  std::unique_ptr<redisReader, Free> reader_;
};

}  // namespace sluice::redis
