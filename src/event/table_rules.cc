#include "event/table_rules.h"

#include <algorithm>
#include <optional>

#include "sluice/base/json_text.h"
#include "sluice/base/names.h"

namespace sluice::event {
namespace {

// Applies the rules that name columns.
class ColumnRules {
 public:
  explicit ColumnRules(TablePlan::Data& data) : d_(&data) {}

  Status apply(const TableRules& rules) {
    if (!rules.shown_columns.empty()) {
      std::vector<bool> listed(d_->columns.size());
      for (const std::string& name : rules.shown_columns)
        if (const auto at = find(name)) listed[*at] = true;
      for (std::size_t i = 0; i < listed.size(); ++i)
        if (!listed[i]) SLUICE_TRY(hide(i));
    }
    for (const std::string& name : rules.hidden_columns)
      if (const auto at = find(name)) SLUICE_TRY(hide(*at));
    Sha256 salted;
    salted.update(rules.salt.reveal());
    for (const ColumnMask& rule : rules.masks)
      if (const auto at = find(rule.column)) SLUICE_TRY(mask(*at, rule, salted));
    return {};
  }

 private:
  // Nothing, and remembered, when the table has no such column.
  std::optional<std::size_t> find(const std::string& name) {
    const auto& columns = d_->schema.columns;
    const auto found = std::find_if(columns.begin(), columns.end(), [&](const ColumnSchema& c) {
      return same_ascii_name(c.name, name);
    });
    if (found != columns.end()) return static_cast<std::size_t>(found - columns.begin());
    d_->unknown_columns.push_back(name);
    return std::nullopt;
  }

  bool in_key(std::size_t column) const {
    const auto& key = d_->schema.row_key();
    return std::find(key.begin(), key.end(), column) != key.end();
  }
  Error key_error(std::size_t column, const char* what) const {
    return fatal(Errc::config_invalid, "column " + d_->schema.columns[column].name +
                                           " is part of the key, which tells rows apart: " + what);
  }

  Status hide(std::size_t column) {
    if (in_key(column)) return key_error(column, "`columns` must not leave it out");
    d_->columns[column].hidden = true;
    d_->narrowed = true;
    return {};
  }

  Status mask(std::size_t column, const ColumnMask& rule, const Sha256& salted) {
    ColumnPlan& plan = d_->columns[column];
    ColumnSchema& schema = d_->schema.columns[column];
    if (rule.kind == ColumnMask::Kind::sha256) {
      mask_with_hash(plan, salted, is_binary(schema.type));
      show_as(schema, "char(64)", DeclaredType::char_);
      return {};
    }
    if (in_key(column)) return key_error(column, "`mask` must keep it apart, as sha256 does");
    d_->narrowed = true;
    plan.constant = "null";
    if (rule.kind == ColumnMask::Kind::null) return {};
    TextBuffer json;
    json.push_back('"');
    if (!append_json_utf8(json, rule.text))
      return fatal(Errc::config_invalid, "the mask of column " + schema.name + " is not UTF-8");
    json.push_back('"');
    plan.constant = json.view();
    const auto characters = std::count_if(rule.text.begin(), rule.text.end(), [](char c) {
      return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
    });
    show_as(schema, "varchar(" + std::to_string(characters) + ")", DeclaredType::varchar);
    return {};
  }

  // What mysqlType and sqlType say of it.
  static void show_as(ColumnSchema& schema, std::string mysql_type, DeclaredType type) {
    schema.mysql_type = std::move(mysql_type);
    schema.type = type;
    schema.is_unsigned = false;
  }

  TablePlan::Data* d_;
};

}  // namespace

Status apply_rules(TablePlan::Data& data, const TableRules& rules) {
  data.inserts = rules.inserts;
  data.updates = rules.updates;
  data.removes = rules.removes;
  if (!rules.when.empty()) {
    SLUICE_TRY_ASSIGN(data.when, RowCondition::make(rules.when, data.schema));
  }
  SLUICE_TRY(ColumnRules(data).apply(rules));
  for (std::size_t i = 0; i < data.columns.size(); ++i)
    if (!data.columns[i].hidden) data.shown.push_back(static_cast<std::uint16_t>(i));
  return {};
}

}  // namespace sluice::event
