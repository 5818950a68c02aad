#pragma once
#include <cstddef>
#include <string_view>

#include "sluice/base/result.h"

namespace sluice::redis {

// Walks the commands of a pipeline as append_command() writes them.  Copies nothing: all views are
// into it.
class CommandList {
 public:
  struct Command {
    std::string_view bytes;  // all of it, in RESP
    std::string_view verb;
    std::string_view key;  // the first one
    bool has_key = false;  // else any node will do
  };
  explicit CommandList(std::string_view pipeline) : left_(pipeline) {}
  // False: there is none left.  Errors: fatal/internal for what is no pipeline.
  Result<bool> next(Command& command);

 private:
  std::string_view left_;
};

// Whether `verb`, of a command, is `name`, in capitals.
bool is_verb(std::string_view verb, std::string_view name) noexcept;

}  // namespace sluice::redis
