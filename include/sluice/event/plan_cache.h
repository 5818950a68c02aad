#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

#include "sluice/base/result.h"
#include "sluice/binlog/event.h"
#include "sluice/binlog/rows.h"
#include "sluice/binlog/table_map.h"
#include "sluice/event/table_plan.h"

namespace sluice::event {

// What table ids mean just now: the plans of the TABLE_MAPs seen.  The same TABLE_MAP again, which
// is what almost every statement brings, costs one comparison of bytes.  Belongs to one thread.
class PlanCache {
 public:
  // Neither plan nor layout: rows of this table are not wanted.
  struct Entry {
    std::shared_ptr<const TablePlan> plan;
    // What the plan was made of; null where nobody wants to make it again.
    std::shared_ptr<const TableSchema> schema;
    std::shared_ptr<const binlog::RowLayout> layout;  // for those who only cut rows
    std::string name;                                 // database.table
  };
  // An entry for those who only cut rows.
  static Entry layout_only(binlog::TableMap map);
  using Maker = std::function<Result<Entry>(binlog::TableMap)>;

  // Takes a TABLE_MAP event's body.  Errors: those of TableMap::decode and of `make`; the id then
  // has no meaning.
  Status add(Bytes body, const binlog::FormatDescription& format, const Maker& make);
  // Null for an id that no TABLE_MAP named.  Valid until the next add() or clear().
  const Entry* find(std::uint64_t table_id) const noexcept;
  // The body of the TABLE_MAP that named it; empty for an id that none did.  Valid as find()'s.
  Bytes body(std::uint64_t table_id) const noexcept;
  // At a new file, when nothing of the old ids holds.
  void clear() noexcept;
  // At the end of a statement: drops everything when a server that reopens its tables all the time
  // has brought very many ids.
  void trim() noexcept;

 private:
  struct Known {
    std::string body;
    Entry entry;
  };
  Known* look_up(std::uint64_t table_id) const noexcept;
  mutable std::unordered_map<std::uint64_t, Known> tables_;
  // The entry asked for last: a TABLE_MAP and its rows come together.
  mutable std::uint64_t last_id_ = 0;
  mutable Known* last_ = nullptr;
};

}  // namespace sluice::event
