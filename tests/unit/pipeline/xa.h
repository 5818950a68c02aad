#pragma once
// Processes that share a state folder with held XA transactions.
#include <filesystem>
#include <memory>
#include <vector>

#include "unit/pipeline/assembly.h"

namespace sluice::pipeline::testing {

class XaTest : public BothFlavours {
 protected:
  std::filesystem::path held_folder() const { return folder_.path() / "xa"; }
  // Another process with the same state folder, which begins to read at the end of `binlog`.
  std::unique_ptr<Assembly> next_process(const Binlog& binlog) {
    auto a = assembly();
    EXPECT_TRUE(a->held.load({1, binlog.number(), binlog.pos()}).ok());
    a->start(binlog.here());
    return a;
  }
  // What is saved at the end of `binlog`.
  static void save(Assembly& a, const Binlog& binlog) {
    const TransactionId point{1, binlog.number(), binlog.pos()};
    ASSERT_TRUE(a.held.persist(point).ok());
    ASSERT_TRUE(a.held.saved(point).ok());
  }
  std::vector<std::filesystem::path> files() const {
    std::vector<std::filesystem::path> out;
    const auto names = position::list_held(held_folder());
    for (const position::HeldName& name : names.value())
      out.push_back(held_folder() / name.to_string());
    return out;
  }
};

}  // namespace sluice::pipeline::testing
