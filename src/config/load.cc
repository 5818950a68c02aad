#include "sluice/config/load.h"

#include <algorithm>
#include <cstdlib>
#include <tuple>

#include "sluice/base/files.h"

#include "config/checks.h"
#include "config/reader.h"
#include "config/yaml_tree.h"

namespace sluice {
namespace {

void sort_by_place(std::vector<Problem>& problems) {
  std::stable_sort(problems.begin(), problems.end(), [](const Problem& a, const Problem& b) {
    return std::tie(a.line, a.column) < std::tie(b.line, b.column);
  });
}

}  // namespace

std::string Problem::to_string() const {
  std::string place;
  if (line > 0) place = ":" + std::to_string(line) + ":" + std::to_string(column);
  return file + place + ": " + message;
}

std::optional<std::string> process_environment(const std::string& name) {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): nothing here ever calls setenv
  const char* const value = std::getenv(name.c_str());
  if (value == nullptr) return std::nullopt;
  return std::string(value);
}

LoadResult load_text(std::string_view text, const std::string& name,
                     const Environment& environment) {
  LoadResult result;
  const config::Tree tree = config::parse_yaml(text);
  config::Reader reader(name, environment);
  for (const auto& fault : tree.faults) reader.problem(fault.place, fault.message);
  if (tree.root) {
    result.options = std::make_unique<Options>();
    reader.read(*tree.root, *result.options);
    config::check_together(*result.options, reader);
  }
  result.problems = std::move(reader.problems);
  result.warnings = std::move(reader.warnings);
  sort_by_place(result.problems);
  sort_by_place(result.warnings);
  if (!result.problems.empty()) result.options = nullptr;
  return result;
}

LoadResult load_file(const std::filesystem::path& path, const Environment& environment) {
  const auto text = read_file(path);
  if (text) return load_text(*text, path.string(), environment);
  LoadResult result;
  result.problems.push_back({path.string(), 0, 0, text.error().what});
  return result;
}

}  // namespace sluice
