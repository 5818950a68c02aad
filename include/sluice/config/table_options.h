#pragma once
// Which tables are taken, and the rules of single ones.
#include <string>
#include <string_view>
#include <vector>

#include "sluice/config/mapping_options.h"
#include "sluice/config/option.h"

namespace sluice {

struct FilterOptions : Section {
  using Section::Section;
  Option<PatternList> include{
      this, "include", PatternList{".*"},
      "RE2 patterns on database.table, matched whole; a table is taken when one fits. System "
      "databases never are. canal's filter.regex, one text with commas in it, will do as well."};
  Option<PatternList> exclude{this, "exclude", PatternList{},
                              "RE2 patterns on database.table; a table is left out when one fits. "
                              "canal's filter.black.regex will do as well."};
};

// One entry of `tables`.
struct TableOptions : Section {
  using Section::Section;
  Option<Pattern> match{
      this, "match", Pattern{".*"},
      "RE2 pattern on database.table; the first entry that fits a table rules it."};
  Option<std::vector<std::string>> partition_by{
      this,
      "partition_by",
      {},
      "Columns whose values choose the partition; empty: the primary key, else the first unique "
      "key without NULLs."};
  Option<bool> single_partition{this, "single_partition", false,
                                "All rows of the table go through one partition, in order."};
  Option<LogicalTable> logical{this, "logical", LogicalTable{},
                               "The name that rows go by in messages and Redis, so that the tables "
                               "of a shard are one; \\1 is "
                               "what the first parentheses of match fit."};
  Option<Operations> operations{this, "operations", Operations{},
                                "Which changes are taken; the others are passed over."};
  Option<expr::Condition> when{
      this, "when", expr::Condition{},
      "Only rows that satisfy it are taken, such as status = 'active' and total > 10; an update "
      "by which a row comes to satisfy it arrives as an insert, one by which it ceases to as a "
      "delete (docs/filters.md)."};
  Option<ColumnChoice> columns{
      this, "columns", ColumnChoice{},
      "Which columns are shown: those of include (none named: all) without those of exclude; key "
      "columns must be among them."};
  Option<MaskList> mask{this, "mask", MaskList{},
                        "Columns whose values are not shown: their SHA-256, null or a fixed text "
                        "stands for them."};
  Option<Secret> mask_salt{this, "mask_salt", Secret{},
                           "Stands in front of each value that sha256 hashes, so that nobody can "
                           "try out values."};
  Option<ScriptFile> script{
      this, "script", ScriptFile{},
      "Lua file whose on_row(change, out) says what a row becomes in Redis, behind what mappings "
      "make of it (docs/scripts.md). A relative path starts at the configuration's folder."};
  Option<std::vector<std::string>> script_key_columns{
      this,
      "script_key_columns",
      {},
      "Columns whose values are in every key (or member of it) that the script writes to, so that "
      "rows may go through several partitions; without them a table with a script needs "
      "single_partition."};
  Option<bool> script_inexact{
      this, "script_inexact", false,
      "On a Redis Cluster (redis.cluster) or with applier.on_refused: stop the script may count, "
      "publish and append to lists and streams, though what is written once more after a failure "
      "counts twice there."};
  SectionList<MappingOptions> mappings{
      this, "mappings",
      "What a row becomes in Redis, each entry for itself. None: one hash, {schema}:{table}:{key}, "
      "of a table that has a key and no script."};
};

}  // namespace sluice
