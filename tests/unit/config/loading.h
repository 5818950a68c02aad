#pragma once
#include <map>
#include <string>
#include <vector>

#include "sluice/config/load.h"

namespace sluice {

// Loads `text` as "c.yaml" with these environment variables and no others.
inline LoadResult load(std::string_view text,
                       const std::map<std::string, std::string>& environment = {}) {
  return load_text(text, "c.yaml",
                   [&environment](const std::string& name) -> std::optional<std::string> {
                     const auto found = environment.find(name);
                     if (found == environment.end()) return std::nullopt;
                     return found->second;
                   });
}

// All problems, as they are printed.
inline std::vector<std::string> problems(
    std::string_view text, const std::map<std::string, std::string>& environment = {}) {
  std::vector<std::string> out;
  for (const Problem& problem : load(text, environment).problems)
    out.push_back(problem.to_string());
  return out;
}

}  // namespace sluice
