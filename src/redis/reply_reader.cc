#include "reply_reader.h"

#include <new>

#include <hiredis/read.h>

namespace sluice::redis {

// Called by hiredis; what they return must not be null, which would mean out of memory.
struct ReplyReader::Callbacks {
  static void* give(const redisReadTask* task, ReplyToken token) {
    auto& state = *static_cast<State*>(task->privdata);
    ++state.tokens;
    token.top = task->parent == nullptr;
    if (!token.top) {
      const redisReadTask* item = task;
      while (item->parent->parent != nullptr) item = item->parent;
      token.index = static_cast<std::size_t>(item->idx);
      if (task->parent->obj != &state) token.parent = static_cast<Reply*>(task->parent->obj);
    }
    Reply* const made = state.sink->take(token);
    if (made != nullptr) return made;
    return &state;
  }
  static Reply::Kind kind_of(int type) noexcept {
    switch (type) {
      case REDIS_REPLY_STATUS: return Reply::Kind::status;
      case REDIS_REPLY_ERROR: return Reply::Kind::error;
      default: return Reply::Kind::string;
    }
  }
  static void* on_string(const redisReadTask* task, char* text, std::size_t size) {
    return give(task, {kind_of(task->type), {text, size}, 0, true, 0, nullptr});
  }
  static void* on_array(const redisReadTask* task, int items) {
    return give(task, {Reply::Kind::array, {}, items, true, 0, nullptr});
  }
  static void* on_integer(const redisReadTask* task, long long value) {
    return give(task, {Reply::Kind::integer, {}, value, true, 0, nullptr});
  }
  static void* on_nil(const redisReadTask* task) { return give(task, {}); }
  static void on_free(void* /*object*/) {}  // the sinks own what they make

  // The parser keeps a pointer to it, not const.
  static inline redisReplyObjectFunctions table{&on_string, &on_array, &on_integer, &on_nil,
                                                &on_free};
};

void ReplyReader::Free::operator()(redisReader* reader) const noexcept {
  redisReaderFree(reader);
}

ReplyReader::ReplyReader() : reader_(redisReaderCreateWithFunctions(&Callbacks::table)) {
  if (!reader_) throw std::bad_alloc();
  reader_->privdata = &state_;
  reader_->maxbuf = 1U << 20U;  // by default it frees and allocates its buffer for each piece
}

ReplyReader::~ReplyReader() = default;

void ReplyReader::feed(std::string_view bytes) {
  // Fails only after a protocol error, which next() reports.
  static_cast<void>(redisReaderFeed(reader_.get(), bytes.data(), bytes.size()));
}

ReplyReader::Step ReplyReader::next(ReplySink& sink) {
  state_.sink = &sink;
  void* reply = nullptr;
  const int rc = redisReaderGetReply(reader_.get(), &reply);
  state_.sink = nullptr;
  if (rc != REDIS_OK) return Step::malformed;
  return reply == nullptr ? Step::more : Step::done;
}

std::uint64_t ReplyReader::tokens() const noexcept {
  return state_.tokens;
}

std::string ReplyReader::problem() const {
  return reader_->errstr;
}

}  // namespace sluice::redis
