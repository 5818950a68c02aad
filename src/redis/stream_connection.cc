#include "stream_connection.h"

#include <algorithm>
#include <utility>

namespace sluice::redis {
namespace {

// Builds the whole reply.
class TreeSink final : public ReplySink {
 public:
  Reply* take(const ReplyToken& token) override {
    // Items of an array come one after another, so the array's vector grows only when nothing
    // points into it.
    Reply& reply = token.parent == nullptr ? root_ : token.parent->items.emplace_back();
    reply.kind = token.kind;
    reply.text = token.text;
    if (token.kind == Reply::Kind::integer) reply.integer = token.integer;
    return &reply;
  }
  Reply& root() noexcept { return root_; }

 private:
  Reply root_;
};

// Keeps error replies, whole or inside an array, under the index of the top-level reply.
class ErrorSink final : public ReplySink {
 public:
  explicit ErrorSink(std::vector<std::pair<std::size_t, std::string>>& errors) : errors_(errors) {}
  void set_index(std::size_t index) noexcept { index_ = index; }
  Reply* take(const ReplyToken& token) override {
    if (token.kind == Reply::Kind::error) errors_.emplace_back(index_, token.text);
    return nullptr;
  }

 private:
  std::vector<std::pair<std::size_t, std::string>>& errors_;
  std::size_t index_ = 0;
};

class ExecSink final : public ReplySink {
 public:
  Reply* take(const ReplyToken& token) override {
    if (!token.top) {
      if (token.kind == Reply::Kind::error) result_.errors.emplace_back(token.index, token.text);
      return nullptr;
    }
    switch (token.kind) {
      case Reply::Kind::array: result_.count = static_cast<std::uint64_t>(token.integer); break;
      case Reply::Kind::nil: result_.aborted = true; break;
      case Reply::Kind::error: result_.refused = token.text; break;
      default: foreign_ = true;
    }
    return nullptr;
  }
  // Not a reply that EXEC gives.
  bool foreign() const noexcept { return foreign_; }
  ExecResult& result() noexcept { return result_; }

 private:
  ExecResult result_;
  bool foreign_ = false;
};

constexpr Duration kServeEvery{1000};
// While nothing comes, whether the server has been replaced.
constexpr Duration kLookEvery{200};
// Kept memory above this is given back once it is used up.
constexpr std::size_t kKeepCapacity = 1U << 20U;

}  // namespace

StreamConnection::StreamConnection(std::unique_ptr<Transport> transport, std::string peer,
                                   Duration timeout, const Clock& clock)
    : transport_(std::move(transport)),
      peer_(std::move(peer)),
      timeout_(timeout),
      clock_(clock),
      piece_(ReplyReader::kPiece) {}

Error StreamConnection::broken(Error error) {
  broken_ = std::move(error).at(peer_);
  return *broken_;
}

Error StreamConnection::lost(std::string_view what) {
  return broken(retry(Errc::redis_lost, std::string(what)));
}

Status StreamConnection::usable() {
  if (broken_) return *broken_;
  if (replaced_ && replaced_->load(std::memory_order_relaxed)) return lost(why_replaced_);
  return {};
}

void StreamConnection::set_wait(Duration limit, std::function<Status()> serve) {
  timeout_ = std::min(timeout_, limit);
  serve_ = std::move(serve);
  served_at_ = clock_.steady();
}

Status StreamConnection::wait(bool to_write, Deadline deadline) {
  for (;;) {
    const Deadline now = clock_.steady();
    const auto left = std::chrono::ceil<Duration>(deadline - now);
    // Asked before waiting: a server that always has something to say but gets nowhere must not put
    // the end off.
    if (left <= Duration{0})
      return lost("no answer within " + std::to_string(timeout_.count()) + " ms");
    auto piece = left;
    if (serve_) {
      if (now - served_at_ >= kServeEvery) {
        served_at_ = now;
        if (Status s = serve_(); !s.ok()) {
          broken_ = s.error();
          return s;
        }
      }
      piece = std::min(left, std::chrono::ceil<Duration>(served_at_ + kServeEvery - now));
    }
    if (replaced_) {
      SLUICE_TRY(usable());
      piece = std::min(piece, kLookEvery);
    }
    auto wake = transport_->wait(to_write, piece);
    if (!wake) return broken(std::move(wake).error());
    if (*wake == Transport::Wake::ready) return {};
    if (*wake == Transport::Wake::interrupted) return broken(stopped());
    if (piece == left) return lost("no answer within " + std::to_string(timeout_.count()) + " ms");
  }
}

Status StreamConnection::keep_replies() {
  for (;;) {
    auto got = transport_->read({kept_.room(ReplyReader::kPiece), ReplyReader::kPiece});
    if (!got) return broken(std::move(got).error());
    if (got->closed) return lost("connection closed by the server");
    if (got->bytes == 0) return {};
    kept_.commit(got->bytes);
  }
}

Status StreamConnection::send(std::string_view bytes) {
  SLUICE_TRY(usable());
  Deadline deadline = clock_.steady() + timeout_;
  while (!bytes.empty()) {
    auto sent = transport_->write(bytes);
    if (!sent) return broken(std::move(sent).error());
    if (sent->closed) return lost("connection closed by the server");
    if (sent->bytes > 0) {
      bytes.remove_prefix(sent->bytes);
      deadline = clock_.steady() + timeout_;
      continue;
    }
    // The server stops reading while its replies are not taken: take them, or both sides wait for
    // ever.
    SLUICE_TRY(wait(true, deadline));
    SLUICE_TRY(keep_replies());
  }
  return {};
}

Status StreamConnection::feed_more(Deadline deadline) {
  if (kept_used_ < kept_.size()) {
    const auto piece = kept_.view().substr(kept_used_, ReplyReader::kPiece);
    reader_.feed(piece);
    kept_used_ += piece.size();
    if (kept_used_ == kept_.size()) {
      kept_used_ = 0;
      kept_.clear();
      if (kept_.capacity() > kKeepCapacity) kept_.release();
    }
    return {};
  }
  for (;;) {
    auto got = transport_->read(piece_);
    if (!got) return broken(std::move(got).error());
    if (got->closed) return lost("connection closed by the server");
    if (got->bytes > 0) {
      reader_.feed({piece_.data(), got->bytes});
      return {};
    }
    SLUICE_TRY(wait(false, deadline));
  }
}

Status StreamConnection::read_reply(ReplySink& sink) {
  SLUICE_TRY(usable());
  std::optional<Deadline> deadline;  // no look at the clock while replies are at hand
  std::uint64_t tokens = 0;
  for (;;) {
    switch (reader_.next(sink)) {
      case ReplyReader::Step::done: return {};
      case ReplyReader::Step::malformed:
        return lost("not a Redis server, or out of step: " + reader_.problem());
      case ReplyReader::Step::more: break;
    }
    // Each item of EXEC's reply is progress: a long transaction may take longer than the timeout in
    // all.
    if (!deadline || reader_.tokens() != tokens) deadline = clock_.steady() + timeout_;
    tokens = reader_.tokens();
    SLUICE_TRY(feed_more(*deadline));
  }
}

Result<Reply> StreamConnection::receive() {
  TreeSink sink;
  SLUICE_TRY(read_reply(sink));
  return std::move(sink.root());
}

Status StreamConnection::receive_checked(std::size_t count,
                                         std::vector<std::pair<std::size_t, std::string>>& errors) {
  ErrorSink sink(errors);
  for (std::size_t i = 0; i < count; ++i) {
    sink.set_index(i);
    SLUICE_TRY(read_reply(sink));
  }
  return {};
}

Result<ExecResult> StreamConnection::receive_exec() {
  ExecSink sink;
  SLUICE_TRY(read_reply(sink));
  if (sink.foreign()) return lost("out of step: EXEC expected, another command's reply read");
  return std::move(sink.result());
}

}  // namespace sluice::redis
