#pragma once
#include <memory>
#include <string>
#include <vector>

#include "sluice/config/options.h"
#include "sluice/script/script.h"

#include "mapping/columns.h"

namespace sluice::mapping {

// The scripts of `tables`, each made when it is first needed.
class Scripts {
 public:
  // A script's table; valid until clear().  Null: the entry has no script.
  struct Table {
    script::Script* script = nullptr;
    std::size_t number = 0;
    bool refuses_once = false;  // as script::Output has it
  };
  explicit Scripts(const Options& options);
  // Errors: fatal/config_invalid.
  Result<Table> table(std::size_t entry, const Columns& columns);
  void clear() noexcept {
    for (auto& s : scripts_) s.reset();
  }

 private:
  const Options* options_;
  std::vector<std::unique_ptr<script::Script>> scripts_;  // by entry
};

// That of `tables[entry]`, which has one.  Errors: fatal/config_invalid with the entry.
Result<script::Script> load_script(const Options& options, std::size_t entry);

}  // namespace sluice::mapping
