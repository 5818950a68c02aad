#include "sluice/event/plan_cache.h"

#include <utility>

namespace sluice::event {
namespace {

constexpr std::size_t kMostTables = 4096;

// A layout with the map it points to.
struct MapAndLayout {
  explicit MapAndLayout(binlog::TableMap m) : map(std::move(m)), layout(map) {}
  MapAndLayout(const MapAndLayout&) = delete;
  MapAndLayout& operator=(const MapAndLayout&) = delete;
  ~MapAndLayout() = default;
  binlog::TableMap map;
  binlog::RowLayout layout;
};

}  // namespace

PlanCache::Entry PlanCache::layout_only(binlog::TableMap map) {
  Entry entry;
  entry.name = map.database + "." + map.table;
  const auto both = std::make_shared<const MapAndLayout>(std::move(map));
  entry.layout = {both, &both->layout};
  return entry;
}

Status PlanCache::add(Bytes body, const binlog::FormatDescription& format, const Maker& make) {
  SLUICE_TRY_ASSIGN(const std::uint64_t id,
                    binlog::table_id_of(binlog::EventType::table_map, body, format));
  const std::string_view bytes = as_chars(body);
  if (const Known* known = look_up(id); known != nullptr && known->body == bytes) return {};
  const auto it = tables_.try_emplace(id).first;
  Known& known = it->second;
  const auto fill = [&]() -> Status {
    SLUICE_TRY_ASSIGN(binlog::TableMap map, binlog::TableMap::decode(body, format));
    SLUICE_TRY_ASSIGN(known.entry, make(std::move(map)));
    known.body = bytes;
    return {};
  };
  Status s = fill();
  if (!s.ok()) {
    last_ = nullptr;
    tables_.erase(it);
  }
  return s;
}

PlanCache::Known* PlanCache::look_up(std::uint64_t table_id) const noexcept {
  if (last_ != nullptr && last_id_ == table_id) return last_;
  const auto it = tables_.find(table_id);
  if (it == tables_.end()) return nullptr;
  last_id_ = table_id;
  last_ = &it->second;
  return last_;
}

const PlanCache::Entry* PlanCache::find(std::uint64_t table_id) const noexcept {
  const Known* known = look_up(table_id);
  return known == nullptr ? nullptr : &known->entry;
}

Bytes PlanCache::body(std::uint64_t table_id) const noexcept {
  const Known* known = look_up(table_id);
  return known == nullptr ? Bytes() : as_bytes(known->body);
}

void PlanCache::clear() noexcept {
  last_ = nullptr;
  tables_.clear();
}

void PlanCache::trim() noexcept {
  if (tables_.size() > kMostTables) clear();
}

}  // namespace sluice::event
