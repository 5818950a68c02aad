#pragma once
#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sluice/base/text_buffer.h"
#include "sluice/position/state_file.h"
#include "sluice/redis/connection.h"

namespace sluice::pipeline {

// The copy of position and schema history in Redis, for a publisher that takes over without the
// state folder.  One hash, so that its parts are of one moment wherever keys are spread over
// servers:
//
//   v        version of this format: 1
//   term     grows with each process that comes to write here; who has an older one may not any
//            more
//   owner    of the term, for people
//   state    as state.json holds it
//   history  as schema.log holds it, up to that state or further
//   print    of `history`, to see whether it is as it was left
//   forgotten, forgotten_by
//            term and owner of who took the state away last: only its folder can be gone on from
//   writes   how many HSETs there were: who counts the changes in Redis takes them off
//
// Belongs to one thread.  Errors of all: those of the connection, and as said.
class Mirror {
 public:
  using Connect = std::function<Result<std::unique_ptr<redis::Connection>>()>;
  struct Copy {
    position::State state;
    std::string history;  // empty: none
    std::string owner;    // who wrote it
  };
  struct Found {
    std::optional<Copy> copy;
    std::uint64_t forgotten = 0;  // term; 0: nobody has forgotten it
    std::string forgotten_by;
  };
  // `owner`: another one for each process.  `history`: the file; it need not be there.
  Mirror(Connect connect, const std::string& instance, std::string owner,
         std::filesystem::path history);

  // From here on nobody writes but this one, whose term is above `least` and all that were before.
  // What there is.  Errors: fatal/position_damaged; fatal/position_mismatch for a later version.
  Result<Found> claim(std::uint64_t least);
  // Of the last claim(); 0 before.
  std::uint64_t term() const noexcept { return term_; }
  // `state` becomes the copy, and the history as it is now.  Errors: retry/position_superseded when
  // another one has claimed it since; fatal/io.
  Status save(const position::State& state);
  // Nobody can go on from here until the next save().  Errors: those of save().
  Status forget();

  // What is there, for looking at.
  struct Seen {
    std::uint64_t term = 0;
    std::string owner;
    std::optional<position::State> state;
  };
  Result<std::optional<Seen>> look();

 private:
  // Fields of the hash by their names; nullopt: not there.
  using Field = std::optional<std::string>;
  // Until nobody came between; a connection that breaks is not used again.
  Status until_done(const std::function<Result<bool>(redis::Connection&)>& attempt);
  Result<std::vector<Field>> fields(redis::Connection& redis,
                                    std::initializer_list<std::string_view> names);
  // What is queued is done, unless the hash has changed since WATCH; false: it has.
  Result<bool> exec(redis::Connection& redis, const TextBuffer& commands, std::size_t count);
  Result<bool> try_claim(redis::Connection& redis, std::uint64_t least, Found& out);
  // Null: removes what there is.
  Result<bool> try_put(redis::Connection& redis, const position::State* state);
  Result<std::uint64_t> term_of(const Field& version, const Field& term) const;
  // The content, when Redis has another one; empty: there is no file.
  Result<std::optional<std::string>> history_to_send(const Field& print);
  Error damaged(std::string_view what) const;

  Connect connect_;
  std::string key_, owner_;
  std::filesystem::path history_;
  std::unique_ptr<redis::Connection> redis_;
  std::uint64_t term_ = 0;
  // What the file was like when its content was read last, and the print of that.
  using FileId = std::array<std::int64_t, 4>;  // inode, size, time of change
  FileId file_id_{};
  std::string print_;
};

// Which of the two is to be gone on from; true: the copy.  `file` may be missing.
bool is_newer(const Mirror::Copy& copy, const std::optional<position::State>& file);

}  // namespace sluice::pipeline
