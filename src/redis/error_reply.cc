#include <algorithm>
#include <array>
#include <string>

#include "sluice/redis/connection.h"

namespace sluice::redis {
namespace {

// The first word of an error reply is its code: src/server.c createSharedObjects() and
// src/cluster.c of Redis.
constexpr std::array<std::string_view, 12> kLater{
    "LOADING",      // reading its data set
    "READONLY",     // a replica since a failover
    "OOM",          // maxmemory reached
    "MASTERDOWN",   // a replica without its master
    "BUSY",         // a script runs
    "CLUSTERDOWN",  // no majority
    "MISCONF",      // cannot save to disk
    "TRYAGAIN",     // slots on the move
    "NOREPLICAS",   // min-replicas-to-write
    "UNKILLABLE",   // a script that wrote runs
    "UNBLOCKED",    // a replica since a failover, and we waited
    "EXECABORT",    // what refused the transaction is told by the replies before
};
constexpr std::array<std::string_view, 4> kDenied{"NOAUTH", "NOPERM", "WRONGPASS", "DENIED"};
constexpr std::array<std::string_view, 3> kCluster{"MOVED", "ASK", "REDIRECT"};

// "ERR" replies that say more only in their text.
constexpr std::array<std::string_view, 3> kLaterTexts{"ERR max number of clients",
                                                      "ERR WAIT cannot be used with replica",
                                                      "ERR WAITAOF cannot be used with replica"};
constexpr std::array<std::string_view, 4> kDeniedTexts{
    "ERR AUTH <password> called without any password",  // 6 and later
    "ERR Client sent AUTH, but no password",            // before 6
    "ERR invalid password", "ERR operation not permitted"};

// EXEC refused for a reason of its own, which follows (src/multi.c execCommandAbort()).
constexpr std::string_view kAbortedFor = "EXECABORT Transaction discarded because of: ";

constexpr std::size_t kMaxText = 300;

constexpr std::string_view kNoAccount = "; remedy: redis.user and redis.password";
constexpr std::string_view kNoPermission =
    "; remedy: give redis.user the commands and keys of the ACL SETUSER line in docs/operate.md, "
    "\"Redis servers\"";

template <std::size_t N>
bool contains(const std::array<std::string_view, N>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

template <std::size_t N>
bool starts_with_any(const std::array<std::string_view, N>& starts, std::string_view text) {
  return std::any_of(starts.begin(), starts.end(), [text](auto s) { return text.starts_with(s); });
}

// "ERR unknown command 'HSET', with args beginning with: 'key' 'value'": row data and passwords
// stay out of logs.
std::string without_arguments(std::string_view text) {
  text = text.substr(0, text.find(", with args"));
  std::string out(text.substr(0, kMaxText));
  std::replace_if(
      out.begin(), out.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
  return out;
}

}  // namespace

Error error_of_reply(std::string_view text) {
  if (text.starts_with(kAbortedFor))
    return error_of_reply(text.substr(kAbortedFor.size())).at("EXECABORT");
  const std::string_view code = text.substr(0, text.find(' '));
  const std::string what = without_arguments(text);
  if (contains(kLater, code) || starts_with_any(kLaterTexts, text))
    return retry(Errc::redis_unavailable, what);
  if (contains(kDenied, code) || starts_with_any(kDeniedTexts, text))
    return fatal(Errc::redis_denied,
                 what + std::string(code == "NOPERM" ? kNoPermission : kNoAccount));
  if (contains(kCluster, code))
    return fatal(
        Errc::redis_preflight,
        what +
            ": this server is a node of a cluster: name it in redis.cluster instead of redis.host");
  return Error{ErrorClass::poison, Errc::redis_refused, what};
}

}  // namespace sluice::redis
