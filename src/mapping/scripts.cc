#include "mapping/scripts.h"

#include <utility>

#include "sluice/mapping/mapper.h"

namespace sluice::mapping {
namespace {

script::ValueKind kind_of(const Columns::Column& column) {
  switch (column.type) {
    case expr::Type::integer: return script::ValueKind::integer;
    case expr::Type::real: return script::ValueKind::real;
    default: return script::ValueKind::text;  // DECIMAL, too: as exact as it is
  }
}

}  // namespace

Scripts::Scripts(const Options& options) : options_(&options), scripts_(options.tables.size()) {}

Result<Scripts::Table> Scripts::table(std::size_t entry, const Columns& columns) {
  if (options_->tables()[entry].script().empty()) return Table{};
  auto& script = scripts_[entry];
  if (!script) {
    SLUICE_TRY_ASSIGN(auto loaded, load_script(*options_, entry));
    script = std::make_unique<script::Script>(std::move(loaded));
  }
  std::vector<script::Column> all;
  for (const auto& c : columns.all()) all.push_back({c.name, kind_of(c)});
  SLUICE_TRY_ASSIGN(const std::size_t number, script->add_table(all));
  const bool twice = !options_->redis.cluster().empty() ||
                     options_->applier.on_refused() == ApplierOptions::OnRefused::stop;
  const bool inexact = options_->tables()[entry].script_inexact();
  return Table{script.get(), number, twice && !inexact};
}

Result<script::Script> load_script(const Options& options, std::size_t entry) {
  const ScriptFile& file = options.tables()[entry].script();
  const script::Limits limits{options.limits.script_memory().bytes(),
                              options.limits.script_instructions(), options.limits.script_time()};
  auto script = script::Script::load(file.path, file.text, limits);
  if (script) return script;
  return std::move(script).error().at("tables[" + std::to_string(entry) + "].script");
}

Status check_scripts(const Options& options) {
  for (std::size_t entry = 0; entry < options.tables.size(); ++entry)
    if (!options.tables()[entry].script().empty()) SLUICE_TRY(load_script(options, entry));
  return {};
}

}  // namespace sluice::mapping
