#pragma once
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/config/options.h"

namespace sluice {

// Something wrong in a configuration file, and where.
struct Problem {
  std::string file;
  int line = 0;    // from 1; 0: the file as a whole
  int column = 0;  // from 1, in bytes
  std::string message;

  // "FILE:LINE:COLUMN: message", for the file as a whole "FILE: message".
  std::string to_string() const;
  friend bool operator==(const Problem&, const Problem&) = default;
};

struct LoadResult {
  std::unique_ptr<Options> options;  // null when there is any problem
  std::vector<Problem> problems;     // all there are, in the order of the file
  std::vector<Problem> warnings;     // worth telling, not in the way; in the order of the file

  bool ok() const noexcept { return options != nullptr; }
};

// What ${NAME} stands for; nothing when there is no such variable.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;
// The process' own.  Not to be called while another thread changes it.
std::optional<std::string> process_environment(const std::string& name);

// Reads a configuration: YAML, every key known and there only once, ${NAME} replaced, secrets
// fetched from their NAME_file. Files it names are looked for beside it.
LoadResult load_file(const std::filesystem::path& path,
                     const Environment& environment = process_environment);
// The same for text that is already here; `name` stands for the file's path.
LoadResult load_text(std::string_view text, const std::string& name,
                     const Environment& environment = process_environment);

}  // namespace sluice
