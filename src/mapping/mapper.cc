#include "sluice/mapping/mapper.h"

#include <algorithm>
#include <optional>
#include <unordered_map>

#include "mapping/rule_finder.h"
#include "mapping/scripts.h"
#include "mapping/table_mapping.h"

namespace sluice::mapping {
namespace {

// Tables (and shapes of them) that are remembered before all are forgotten.
constexpr std::size_t kMostTables = 8192;

bool is_row(ChangeKind kind) noexcept {
  return kind == ChangeKind::insert || kind == ChangeKind::update || kind == ChangeKind::remove;
}

}  // namespace

struct Mapper::Impl {
  Impl(const Options& o, const Clock& c)
      : options(&o),
        clock(&c),
        finder(o),
        scripts(o),
        invalidations(invalidations_key(o.instance())) {}

  struct Table {
    TableMapping mapping;
    Scripts::Table script;
    std::size_t columns = 0;
    std::string names;  // of the key, each with a NUL behind it
  };

  static std::string key_names(const ChangeView& view) {
    std::string out;
    for (const std::string_view name : view.pk_names) out.append(name).push_back('\0');
    return out;
  }
  static bool same_key(const Table& table, const ChangeView& view) {
    std::string_view left = table.names;
    for (const std::string_view name : view.pk_names) {
      if (!left.starts_with(name) || left.size() == name.size() || left[name.size()] != '\0')
        return false;
      left.remove_prefix(name.size() + 1);
    }
    return left.empty();
  }

  Result<const Table*> table_of(const ChangeView& view) {
    if (last != nullptr && last_id == view.shown->id && same_key(*last, view)) return last;
    if (tables.size() > kMostTables) {
      tables.clear();
      scripts.clear();
    }
    const auto found = tables.find(view.shown->id);
    if (found != tables.end() && same_key(found->second, view)) {
      last = &found->second;
    } else {
      const Columns columns(view.database, view.table, *view.shown, view.pk_names);
      const auto rule = finder.find(view.database, view.table);
      SLUICE_TRY_ASSIGN(TableMapping mapping,
                        rule ? TableMapping::make(options->tables()[*rule],
                                                  "tables[" + std::to_string(*rule) + "]", columns)
                             : TableMapping::make_default(columns));
      Scripts::Table script;
      if (rule) {
        SLUICE_TRY_ASSIGN(script, scripts.table(*rule, columns));
      }
      last = &tables
                  .insert_or_assign(view.shown->id, Table{std::move(mapping), script,
                                                          columns.all().size(), key_names(view)})
                  .first->second;
    }
    last_id = view.shown->id;
    return last;
  }

  // The images of a row; valid until the next one.
  Change change_of(const ChangeView& view, const ChangeView::Row& row, std::size_t columns) {
    const auto data = view.data(row);
    after.assign(columns, nullptr);
    for (const ChangeView::Field& f : data) after[f.column] = &f;
    switch (view.kind) {
      case ChangeKind::remove: return {view, row, true, false, after, {}};
      case ChangeKind::update: break;
      default: return {view, row, false, true, {}, after};
    }
    before = after;
    for (const ChangeView::Field& f : view.old(row)) before[f.column] = &f;
    return {view, row, true, true, before, after};
  }

  Sink sink(TextBuffer* out, CommandCounts* counts) {
    return {out, counts, &memory, invalidations, clock};
  }

  const Options* options;
  const Clock* clock;
  // What the table's script makes of the row.
  static Status run(const Scripts::Table& table, const Change& change,
                    const script::Output& output) {
    return table.script->run(table.number, {change.view, change.row, change.before, change.after},
                             output);
  }

  RuleFinder finder;
  Scripts scripts;
  const std::string invalidations;
  std::unordered_map<std::uint64_t, Table> tables;  // by Shown::id
  const Table* last = nullptr;
  std::uint64_t last_id = 0;
  Memory memory;
  std::vector<const ChangeView::Field*> after, before;
};

Mapper::Mapper(const Options& options, const Clock& clock)
    : impl_(std::make_unique<Impl>(options, clock)) {}
Mapper::Mapper(Mapper&&) noexcept = default;
Mapper& Mapper::operator=(Mapper&&) noexcept = default;
Mapper::~Mapper() = default;

Status Mapper::append(const ChangeView& view, const ChangeView::Row& row, TextBuffer& out,
                      CommandCounts& counts) {
  return append(view, row, out, counts, Which::all);
}

Status Mapper::append_again(const ChangeView& view, const ChangeView::Row& row, TextBuffer& out,
                            CommandCounts& counts) {
  return append(view, row, out, counts, Which::repeatable);
}

Status Mapper::append(const ChangeView& view, const ChangeView::Row& row, TextBuffer& out,
                      CommandCounts& counts, Which which) {
  if (!is_row(view.kind)) return {};
  SLUICE_TRY_ASSIGN(const auto* table, impl_->table_of(view));
  const Change change = impl_->change_of(view, row, table->columns);
  const Sink sink = impl_->sink(&out, &counts);
  const std::size_t size = out.size();
  const CommandCounts before = counts;
  Status s;
  for (const Mapping& mapping : table->mapping.mappings()) {
    if (which == Which::repeatable && !mapping.repeatable()) continue;
    s = mapping.apply(change, sink);
    if (!s.ok()) break;
  }
  if (s.ok() && table->script.script != nullptr) {
    script::Output output;
    output.commands = &out;
    output.count = &counts.commands;
    output.repeatable_only = which == Which::repeatable;
    output.refuses_once = table->script.refuses_once;
    s = Impl::run(table->script, change, output);
  }
  if (s.ok()) return s;
  out.truncate(size);  // a row is written as a whole, or not at all
  counts = before;
  return s;
}

Status Mapper::append_keys(const ChangeView& view, const ChangeView::Row& row,
                           std::vector<TouchedKey>& keys) {
  if (!is_row(view.kind)) return {};
  SLUICE_TRY_ASSIGN(const auto* table, impl_->table_of(view));
  const Change change = impl_->change_of(view, row, table->columns);
  const Sink sink = impl_->sink(nullptr, nullptr);
  for (const Mapping& mapping : table->mapping.mappings())
    SLUICE_TRY(mapping.touch(change, sink, keys));
  if (table->script.script == nullptr) return {};
  std::vector<script::WrittenKey> written;
  script::Output output;
  output.keys = &written;
  SLUICE_TRY(Impl::run(table->script, change, output));
  for (script::WrittenKey& k : written) {
    TouchedKey& touched = keys.emplace_back();
    touched.key = std::move(k.key);
    touched.type = k.type;
  }
  return {};
}

std::string invalidations_key(std::string_view instance) {
  return "sluice:" + std::string(instance) + ":invalidations";
}

std::optional<Duration> shortest_again_after(const Options& options) {
  std::optional<Duration> out;
  for (const TableOptions& table : options.tables())
    for (const MappingOptions& mapping : table.mappings())
      if (const Duration after = mapping.again_after(); after.count() != 0)
        out = out ? std::min(*out, after) : after;
  return out;
}

std::optional<std::size_t> rules_of(const Options& options, std::string_view database,
                                    std::string_view table) {
  return RuleFinder(options).find(database, table);
}

}  // namespace sluice::mapping
