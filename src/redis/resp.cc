#include "sluice/redis/resp.h"

#include "sluice/redis/connection.h"

namespace sluice::redis {

void append_command(TextBuffer& out, std::initializer_list<std::string_view> words) {
  std::size_t size = kHeadRoom;
  for (const std::string_view word : words) size += word.size() + kBulkRoom;
  char* at = write_head(out.room(size), '*', words.size());
  for (const std::string_view word : words) at = write_bulk(at, word);
  out.commit_to(at);
}

}  // namespace sluice::redis
