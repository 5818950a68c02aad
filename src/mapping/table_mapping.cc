#include "mapping/table_mapping.h"

#include <utility>

#include "sluice/expr/value.h"

namespace sluice::mapping {
namespace {

using Type = MappingOptions::Type;

Result<std::unique_ptr<Action>> make_action(const MappingOptions& options, const Columns& columns) {
  switch (options.type()) {
    case Type::hash:
      return options.field().empty() ? make_hash(options, columns) : make_members(options, columns);
    case Type::string:
    case Type::json:
    case Type::publish: return make_document(options, columns);
    case Type::set:
    case Type::zset:
    case Type::geo: return make_members(options, columns);
    case Type::list:
    case Type::stream: return make_log(options, columns);
    case Type::counter: return make_counter(options, columns);
    case Type::invalidate: return make_invalidate(options, columns);
    case Type::none: break;
  }
  return fatal(Errc::internal, "a mapping of type none");
}

bool is_repeatable(const MappingOptions& options) {
  switch (options.type()) {
    case Type::list:
    case Type::stream:
    case Type::counter:
    case Type::publish: return false;
    case Type::set: return !options.refcount();
    default: return true;
  }
}

}  // namespace

Result<Mapping> Mapping::make(const MappingOptions& options, const Columns& columns) {
  Mapping out;
  out.keeps_ = options.on_delete() == MappingOptions::OnDelete::keep;
  out.repeatable_ = is_repeatable(options);
  if (!options.when().empty()) {
    std::vector<expr::Column> names;
    for (const auto& c : columns.all()) names.push_back({c.name, c.type});
    auto predicate = expr::Predicate::compile(options.when(), names);
    if (!predicate) return std::move(predicate).error().at("when");
    out.when_ = std::move(predicate).value();
    for (const std::uint16_t n : out.when_->columns()) out.inputs_.push_back({n, columns[n].type});
  }
  SLUICE_TRY_ASSIGN(out.action_, make_action(options, columns));
  return out;
}

Result<bool> Mapping::holds(const Change& change, Image row) const {
  thread_local std::vector<expr::Value> values;
  values.assign(inputs_.size(), {});
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    const ChangeView::Field* field = row[inputs_[i].column];
    if (field == nullptr)
      return row_error(change,
                       "the row lacks a column of its mapping's condition (set "
                       "binlog_row_image=FULL at the source)");
    if (field->is_null) continue;
    if (inputs_[i].type == expr::Type::opaque) {
      values[i] = expr::Value::opaque();
      continue;
    }
    const auto value = expr::read_value(inputs_[i].type, field->value);
    if (!value)
      return row_error(change, "the value of " + std::string(field->name) + " is none of its type");
    values[i] = *value;
  }
  return when_->evaluate(values) == expr::Truth::yes;
}

Result<bool> Mapping::narrow(Change& change) const {
  if (when_) {
    if (change.was) {
      SLUICE_TRY_ASSIGN(change.was, holds(change, change.before));
    }
    if (change.is) {
      SLUICE_TRY_ASSIGN(change.is, holds(change, change.after));
    }
  }
  if (keeps_ && !change.is) change.was = false;
  return change.was || change.is;
}

Status Mapping::apply(Change change, const Sink& sink) const {
  SLUICE_TRY_ASSIGN(const bool any, narrow(change));
  return any ? action_->apply(change, sink) : Status();
}

Status Mapping::touch(Change change, const Sink& sink, std::vector<TouchedKey>& keys) const {
  SLUICE_TRY_ASSIGN(const bool any, narrow(change));
  return any ? action_->touch(change, sink, keys) : Status();
}

Result<TableMapping> TableMapping::make(const TableOptions& rules, const std::string& path,
                                        const Columns& columns) {
  if (rules.mappings.size() == 0 && rules.script().empty()) return make_default(columns);
  TableMapping out;
  for (std::size_t i = 0; i < rules.mappings.size(); ++i) {
    const MappingOptions& options = rules.mappings()[i];
    if (options.type() == Type::none) continue;
    auto mapping = Mapping::make(options, columns);
    if (!mapping)
      return std::move(mapping).error().at(path + ".mappings[" + std::to_string(i) + "] for " +
                                           columns.database() + "." + columns.table());
    out.mappings_.push_back(std::move(mapping).value());
  }
  return out;
}

Result<TableMapping> TableMapping::make_default(const Columns& columns) {
  TableMapping out;
  if (columns.key().empty()) return out;
  const MappingOptions options(nullptr, "", "");
  SLUICE_TRY_ASSIGN(auto mapping, Mapping::make(options, columns));
  out.mappings_.push_back(std::move(mapping));
  return out;
}

}  // namespace sluice::mapping
