#include "redis/command_list.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace sluice::redis {
namespace {

constexpr std::array<std::string_view, 17> kWithoutKey{
    "PING", "TIME",    "INFO", "CONFIG",  "COMMAND", "CLIENT", "CLUSTER", "MULTI", "EXEC",
    "ROLE", "DISCARD", "WAIT", "UNWATCH", "WAITAOF", "ASKING", "SCAN",    "SCRIPT"};

// Where the key is, of commands that have it elsewhere than behind the verb.  Those whose number of
// keys stands before it may have none.
constexpr std::size_t kBehindCount = 3;
constexpr std::array<std::pair<std::string_view, std::size_t>, 8> kKeyAt{{{"EVAL", kBehindCount},
                                                                          {"EVALSHA", kBehindCount},
                                                                          {"FCALL", kBehindCount},
                                                                          {"BITOP", 2},
                                                                          {"MEMORY", 2},
                                                                          {"OBJECT", 2},
                                                                          {"XGROUP", 2},
                                                                          {"XINFO", 2}}};

// 0: the command has no key.
std::size_t key_at(std::string_view verb) noexcept {
  const auto is = [verb](std::string_view name) { return is_verb(verb, name); };
  if (std::any_of(kWithoutKey.begin(), kWithoutKey.end(), is)) return 0;
  for (const auto& [name, at] : kKeyAt)
    if (is(name)) return at;
  return 1;
}

Error no_pipeline() {
  return fatal(Errc::internal, "what is sent to Redis is no pipeline of commands");
}

// "*3\r\n", "$5\r\n".
Result<std::size_t> take_head(std::string_view& in, char kind) {
  const std::size_t end = in.find("\r\n");
  std::size_t n = 0;
  if (end == std::string_view::npos || in.front() != kind) return no_pipeline();
  const auto [stop, error] = std::from_chars(in.data() + 1, in.data() + end, n);
  if (error != std::errc() || stop != in.data() + end) return no_pipeline();
  in.remove_prefix(end + 2);
  return n;
}

}  // namespace

bool is_verb(std::string_view verb, std::string_view name) noexcept {
  return std::equal(verb.begin(), verb.end(), name.begin(), name.end(), [](char a, char b) {
    return (a >= 'a' && a <= 'z' ? static_cast<char>(a - 'a' + 'A') : a) == b;
  });
}

Result<bool> CommandList::next(Command& command) {
  if (left_.empty()) return false;
  command = {};
  const std::string_view all = left_;
  SLUICE_TRY_ASSIGN(const std::size_t words, take_head(left_, '*'));
  std::size_t wanted = 0;
  std::string_view before;
  for (std::size_t n = 0; n < words; ++n) {
    SLUICE_TRY_ASSIGN(const std::size_t size, take_head(left_, '$'));
    if (left_.size() < 2 || left_.size() - 2 < size) return no_pipeline();
    const std::string_view word = left_.substr(0, size);
    left_.remove_prefix(size + 2);
    if (n == 0) {
      command.verb = word;
      wanted = key_at(word);
    } else if (n == wanted && (wanted != kBehindCount || before != "0")) {
      command.key = word;
      command.has_key = true;
    }
    before = word;
  }
  if (words == 0) return no_pipeline();
  command.bytes = all.substr(0, all.size() - left_.size());
  return true;
}

}  // namespace sluice::redis
