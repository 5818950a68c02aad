#include "pipeline/mirror.h"

#include <algorithm>
#include <cerrno>
#include <charconv>

#include <sys/stat.h>

#include "sluice/base/checksum.h"
#include "sluice/base/files.h"
#include "sluice/position/shared_keys.h"

namespace sluice::pipeline {
namespace {

constexpr std::uint64_t kVersion = 1;
// Others write once a second at the most.
constexpr int kAttempts = 20;

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t out = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, out);
  if (error != std::errc() || stop != end) return std::nullopt;
  return out;
}

std::string print_of(std::string_view history) {
  return history.empty() ? std::string()
                         : std::to_string(history.size()) + "-" + hex32(crc32(as_bytes(history)));
}

}  // namespace

Mirror::Mirror(Connect connect, const std::string& instance, std::string owner,
               std::filesystem::path history)
    : connect_(std::move(connect)),
      key_(position::mirror_key(instance)),
      owner_(std::move(owner)),
      history_(std::move(history)) {}

Error Mirror::damaged(std::string_view what) const {
  return fatal(Errc::position_damaged,
               "the copy of the position in Redis, " + key_ + ", is damaged: " + std::string(what) +
                   ". `redis-cli DEL " + key_ + "`, then start where the newest state_dir is");
}

Status Mirror::until_done(const std::function<Result<bool>(redis::Connection&)>& attempt) {
  for (int n = 0; n < kAttempts; ++n) {
    if (!redis_) {
      SLUICE_TRY_ASSIGN(redis_, connect_());
    }
    const auto done = attempt(*redis_);
    if (!done) {
      redis_.reset();  // what it still watches or has queued goes with it
      return done.error();
    }
    if (*done) return {};
  }
  return retry(Errc::redis_unavailable, key_ + " is written to by others all the time");
}

Result<std::vector<Mirror::Field>> Mirror::fields(redis::Connection& redis,
                                                  std::initializer_list<std::string_view> names) {
  // HGET: what every server and access list that lets us write hashes has, too.
  TextBuffer commands;
  for (const std::string_view name : names) redis::append_command(commands, {"HGET", key_, name});
  SLUICE_TRY(redis.send(commands.view()));
  std::vector<Field> out;
  std::optional<Error> refused;
  for (std::size_t n = 0; n < names.size(); ++n) {
    SLUICE_TRY_ASSIGN(redis::Reply reply, redis.receive());
    if (reply.kind == redis::Reply::Kind::error && !refused)
      refused = redis::error_of_reply(reply.text);
    out.push_back(reply.kind == redis::Reply::Kind::string ? Field(std::move(reply.text))
                                                           : std::nullopt);
  }
  if (refused) return std::move(*refused);
  return out;
}

Result<std::uint64_t> Mirror::term_of(const Field& version, const Field& term) const {
  if (!version && !term) return 0;
  const auto v = number(version.value_or("")), t = number(term.value_or(""));
  if (!v || !t) return damaged("version and term are no numbers");
  if (*v > kVersion)
    return fatal(Errc::position_mismatch,
                 key_ + " has version " + std::to_string(*v) + ", this program knows up to " +
                     std::to_string(kVersion) + ": run the newer sluice that wrote it");
  return *t;
}

Result<bool> Mirror::exec(redis::Connection& redis, const TextBuffer& commands, std::size_t count) {
  TextBuffer all;
  redis::append_command(all, {"MULTI"});
  all.append(commands.view());
  redis::append_command(all, {"EXEC"});
  SLUICE_TRY(redis.send(all.view()));
  std::vector<std::pair<std::size_t, std::string>> refused;
  SLUICE_TRY(redis.receive_checked(count + 1, refused));
  SLUICE_TRY_ASSIGN(const redis::ExecResult result, redis.receive_exec());
  if (!refused.empty()) return redis::error_of_reply(refused.front().second);
  if (!result.errors.empty()) return redis::error_of_reply(result.errors.front().second);
  if (!result.refused.empty()) return redis::error_of_reply(result.refused);
  return !result.aborted;
}

Result<bool> Mirror::try_claim(redis::Connection& redis, std::uint64_t least, Found& out) {
  SLUICE_TRY_ASSIGN(const redis::Reply watched, redis.command({"WATCH", key_}));
  if (watched.kind == redis::Reply::Kind::error) return redis::error_of_reply(watched.text);
  SLUICE_TRY_ASSIGN(auto is, fields(redis, {"v", "term", "owner", "state", "history", "print",
                                            "forgotten", "forgotten_by"}));
  SLUICE_TRY_ASSIGN(const std::uint64_t was, term_of(is[0], is[1]));
  out = {std::nullopt, number(is[6].value_or("")).value_or(0), is[7].value_or("")};
  if (is[3]) {
    auto state = position::decode(*is[3]);
    if (!state) return damaged(state.error().what);
    std::string history = is[4].value_or("");
    if (print_of(history) != is[5].value_or("")) return damaged("the schema history");
    out.copy = Copy{std::move(*state), std::move(history), is[2].value_or("")};
  }
  const std::uint64_t term = std::max(was, least) + 1;
  TextBuffer commands;
  redis::append_command(commands, {"HSET", key_, "v", std::to_string(kVersion), "term",
                                   std::to_string(term), "owner", owner_});
  redis::append_command(commands, {"HINCRBY", key_, "writes", "1"});
  SLUICE_TRY_ASSIGN(const bool done, exec(redis, commands, 2));
  if (done) term_ = term;
  return done;
}

Result<Mirror::Found> Mirror::claim(std::uint64_t least) {
  Found out;
  SLUICE_TRY(until_done(
      [&](redis::Connection& redis) { return try_claim(redis, std::max(least, term_), out); }));
  return out;
}

// It is read only when it has changed: it may be some MiB, and a position is saved each second.
Result<std::optional<std::string>> Mirror::history_to_send(const Field& print) {
  struct stat is {};
  FileId id{};
  if (::stat(history_.c_str(), &is) == 0)
    id = {static_cast<std::int64_t>(is.st_ino), is.st_size, is.st_mtim.tv_sec, is.st_mtim.tv_nsec};
  else if (errno != ENOENT)
    return io_error("look at", history_, errno);
  if (id == file_id_ && print && *print == print_) return std::optional<std::string>();
  std::string content;
  if (id != FileId{}) {
    SLUICE_TRY_ASSIGN(content, read_file(history_));
  }
  print_ = print_of(content);
  // What was appended after the look is in it, too: it is read once more then.
  file_id_ = id;
  return std::optional(std::move(content));
}

Result<bool> Mirror::try_put(redis::Connection& redis, const position::State* state) {
  SLUICE_TRY_ASSIGN(const redis::Reply watched, redis.command({"WATCH", key_}));
  if (watched.kind == redis::Reply::Kind::error) return redis::error_of_reply(watched.text);
  SLUICE_TRY_ASSIGN(const auto is, fields(redis, {"v", "term", "owner", "print"}));
  SLUICE_TRY_ASSIGN(const std::uint64_t term, term_of(is[0], is[1]));
  // A Redis that has lost it gets it anew.
  if (term != 0 && (term != term_ || is[2] != owner_))
    return retry(Errc::position_superseded,
                 is[2].value_or("another process") + " goes on with this instance (term " +
                     std::to_string(term) + ", here " + std::to_string(term_) +
                     "). If it is not to: two daemons of one instance name must use one broker");
  TextBuffer commands;
  const std::string version = std::to_string(kVersion), ours = std::to_string(term_);
  if (state == nullptr) {
    redis::append_command(commands, {"HDEL", key_, "state", "history", "print"});
    redis::append_command(commands, {"HSET", key_, "v", version, "term", ours, "owner", owner_,
                                     "forgotten", ours, "forgotten_by", owner_});
    redis::append_command(commands, {"HINCRBY", key_, "writes", "1"});
    return exec(redis, commands, 3);
  }
  const std::string text = position::encode(*state);
  SLUICE_TRY_ASSIGN(const auto history, history_to_send(is[3]));
  if (history)
    redis::append_command(commands, {"HSET", key_, "v", version, "term", ours, "owner", owner_,
                                     "state", text, "history", *history, "print", print_});
  else
    redis::append_command(
        commands, {"HSET", key_, "v", version, "term", ours, "owner", owner_, "state", text});
  redis::append_command(commands, {"HINCRBY", key_, "writes", "1"});
  return exec(redis, commands, 2);
}

Status Mirror::save(const position::State& state) {
  return until_done([&](redis::Connection& redis) { return try_put(redis, &state); });
}

Status Mirror::forget() {
  return until_done([&](redis::Connection& redis) { return try_put(redis, nullptr); });
}

Result<std::optional<Mirror::Seen>> Mirror::look() {
  std::optional<Seen> out;
  SLUICE_TRY(until_done([&](redis::Connection& redis) -> Result<bool> {
    SLUICE_TRY_ASSIGN(const auto is, fields(redis, {"v", "term", "owner", "state"}));
    SLUICE_TRY_ASSIGN(const std::uint64_t term, term_of(is[0], is[1]));
    if (term == 0) return true;
    out = Seen{term, is[2].value_or(""), std::nullopt};
    if (is[3]) {
      auto state = position::decode(*is[3]);
      if (!state) return damaged(state.error().what);
      out->state = std::move(*state);
    }
    return true;
  }));
  return out;
}

bool is_newer(const Mirror::Copy& copy, const std::optional<position::State>& file) {
  if (!file || file->lineage != copy.state.lineage) return true;
  if (file->term != copy.state.term) return copy.state.term > file->term;
  if (file->epoch != copy.state.epoch) return copy.state.epoch > file->epoch;
  const auto place = [](const position::State& s) {
    const auto name = BinlogFileName::parse(s.position.file);
    return std::pair(name ? name->number : 0, s.position.pos);
  };
  return place(copy.state) > place(*file);
}

}  // namespace sluice::pipeline
