#pragma once
// What rows of a table become in Redis: the entries of `tables[].mappings`.  docs/mapping.md
// explains them; they are made for a table by the mapping room.
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "sluice/config/option.h"

namespace sluice {

struct MappingOptions : Section {
  using Section::Section;
  enum class Type : std::uint8_t {
    hash,
    string,
    json,
    set,
    zset,
    list,
    stream,
    geo,
    counter,
    publish,
    invalidate,
    none
  };
  friend config::Names option_names(Type) {
    static constexpr std::array<std::string_view, 12> kNames{
        "hash",   "string", "json",    "set",     "zset",       "list",
        "stream", "geo",    "counter", "publish", "invalidate", "none"};
    return kNames;
  }
  enum class Write : std::uint8_t { all, changed };
  friend config::Names option_names(Write) {
    static constexpr std::array<std::string_view, 2> kNames{"all", "changed"};
    return kNames;
  }
  enum class OnDelete : std::uint8_t { remove, keep };
  friend config::Names option_names(OnDelete) {
    static constexpr std::array<std::string_view, 2> kNames{"remove", "keep"};
    return kNames;
  }
  Option<Type> type{this, "type", Type::hash,
                    "What a row becomes: a hash, a string, a json document, a member of a set, a "
                    "zset or a geo index, an "
                    "element of a list, an entry of a stream, a part of a counter, a message on a "
                    "channel (publish); invalidate deletes keys of caches, none is nothing."};
  Option<expr::Template> key{
      this, "key", expr::Template{},
      "Template of the Redis key (publish: of the channel), such as user:{id}; empty: "
      "{schema}:{table}:{key}, which only hash, string, json and invalidate have."};
  Option<expr::Condition> when{
      this, "when", expr::Condition{},
      "Only rows that satisfy it are there, such as status = 'active'; an update by which a row "
      "ceases to takes it away (docs/filters.md has the language)."};
  Option<ColumnChoice> columns{
      this, "columns", ColumnChoice{},
      "Columns that hash, string, json and stream hold: those of include (none named: all) without "
      "those of exclude."};
  Option<expr::Template> member{
      this, "member", expr::Template{},
      "Template of the member (set, zset, geo) or of the element (list), such as {id}."};
  Option<expr::Template> field{
      this, "field", expr::Template{},
      "Of a hash: one field of this name for each row, with value, instead of a hash for each row. "
      "Of a counter: the hash's field that is counted in."};
  Option<expr::Template> value{
      this, "value", expr::Template{},
      "Template of what a string, a hash's field or a message of publish holds; empty: the row as "
      "JSON."};
  Option<std::string> score{this, "score", "", "Column of a zset's score."};
  Option<std::string> longitude{this, "longitude", "", "Column of a geo member's longitude."};
  Option<std::string> latitude{this, "latitude", "", "Column of a geo member's latitude."};
  Option<std::string> amount{
      this, "amount", "",
      "Column that a counter sums, a whole number or a DECIMAL (counted in its smallest unit: 1.50 "
      "is 150); empty: rows are counted."};
  Option<Duration> ttl{this, "ttl", Duration{0ms}, Range<Duration>{0ms, 87600h},
                       "Time after each write of the key when it expires. 0: never."};
  Option<Duration> again_after{
      this, "again_after", Duration{0ms}, Range<Duration>{0ms, 1h},
      "Of invalidate: the key is deleted once more after so long, for readers who had the row's "
      "old "
      "values from the source before the change and put them into the cache behind it. 0: once."};
  Option<Write> write{
      this, "write", Write::all,
      "An update writes all columns, or those that changed (hash, json); changed "
      "does not go with ttl nor redis.is_cache, which would bring back half a row."};
  Option<NullText> on_null{this, "on_null", NullText{},
                           "A column that is NULL: no field (omit), an empty one (empty), or a "
                           "fixed text (fixed 'TEXT')."};
  Option<OnDelete> on_delete{this, "on_delete", OnDelete::remove,
                             "A deleted row: what it wrote is removed, or kept."};
  Option<bool> freshness{this, "freshness", false,
                         "Hashes get the fields _pos (EventId of the row's last change) and _ts "
                         "(its commit time in ms)."};
  Option<bool> refcount{
      this, "refcount", false,
      "Several rows may share a member of a set: it stays until the last one goes (counts are in "
      "the hash KEY:refs)."};
  Option<std::uint32_t> max_length{
      this, "max_length", 0, Range<std::uint32_t>{0, 1000000000},
      "Elements of a list, entries of a stream (about) that are kept. 0: all."};
  Option<bool> allow_inexact{
      this, "allow_inexact", false,
      "On a Redis Cluster (redis.cluster) or with applier.on_refused: stop, of counter, list, "
      "stream, publish and refcount: taken, though changes that are written once more after a "
      "failure count twice there."};
};

}  // namespace sluice
