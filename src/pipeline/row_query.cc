#include "pipeline/row_query.h"

#include <algorithm>
#include <array>
#include <cstdlib>

#include "sluice/base/byte_reader.h"
#include "sluice/base/names.h"
#include "sluice/base/text_buffer.h"
#include "sluice/binlog/value_text.h"
#include "sluice/expr/value.h"
#include "sluice/mysql/connection.h"

namespace sluice::pipeline {
namespace {

bool is_named(const std::vector<std::string>& names, std::string_view name) {
  return std::any_of(names.begin(), names.end(),
                     [name](const std::string& n) { return same_ascii_name(n, name); });
}

bool is_number(DeclaredType type) noexcept {
  switch (type) {
    case DeclaredType::tinyint:
    case DeclaredType::smallint:
    case DeclaredType::mediumint:
    case DeclaredType::int_:
    case DeclaredType::bigint:
    case DeclaredType::decimal:
    case DeclaredType::bit:
    case DeclaredType::year: return true;
    default: return false;
  }
}

// Equality with a text is not what finds a value of these.
bool cannot_be_found(DeclaredType type) noexcept {
  return type == DeclaredType::float_ || type == DeclaredType::double_ ||
         type == DeclaredType::json || type == DeclaredType::geometry ||
         type == DeclaredType::vector || type == DeclaredType::unknown;
}

bool is_plain_number(std::string_view text) noexcept {
  if (text.starts_with('-')) text.remove_prefix(1);
  return !text.empty() && text.front() != '.' &&
         text.find_first_not_of("0123456789.") == std::string_view::npos &&
         std::count(text.begin(), text.end(), '.') <= 1;
}

std::string hex_literal(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out = "X'";
  for (const char c : bytes) {
    const auto b = static_cast<unsigned char>(c);
    out += kDigits[b >> 4U];
    out += kDigits[b & 15U];
  }
  return out + "'";
}

// Where the server's own text is not the one of lines, another is asked for (docs/format.md).
std::string expression(const ColumnSchema& column) {
  std::string name = mysql::quote_name(column.name);
  if (column.type == DeclaredType::float_) return name + "+0e0";
  if (column.type == DeclaredType::bit || column.mysql_type.find("zerofill") != std::string::npos)
    return name + "+0";
  return name;
}

Error cannot(const TableSchema& schema, const std::string& why) {
  return fatal(Errc::usage, schema.database + "." + schema.name + ": " + why);
}

}  // namespace

Result<RowQuery> RowQuery::make(TableSchema schema, const event::TableRules& rules,
                                const std::set<std::string, std::less<>>& virtual_columns) {
  RowQuery q;
  if (!rules.inserts || !rules.updates || !rules.removes)
    return cannot(schema,
                  "not every change of it is taken (`operations`), so what the source has now is "
                  "not what Redis is to have");
  q.salted_.update(rules.salt.reveal());
  for (std::size_t at = 0; at < schema.columns.size(); ++at) {
    const ColumnSchema& c = schema.columns[at];
    if (c.hidden || (c.is_virtual && !virtual_columns.contains(c.name))) continue;
    Column column;
    column.at = static_cast<std::uint16_t>(at);
    column.shown = (rules.shown_columns.empty() || is_named(rules.shown_columns, c.name)) &&
                   !is_named(rules.hidden_columns, c.name);
    for (const event::ColumnMask& mask : rules.masks) {
      if (!same_ascii_name(mask.column, c.name)) continue;
      column.masked = true;
      column.mask = mask.kind;
      column.fixed = mask.text;
    }
    q.columns_.push_back(column);
  }
  if (schema.row_key().empty()) return cannot(schema, "it has no key to find a row by");
  for (const std::uint16_t at : schema.row_key()) {
    const auto found = std::find_if(q.columns_.begin(), q.columns_.end(),
                                    [at](const Column& c) { return c.at == at; });
    if (found == q.columns_.end() || !found->shown || found->masked)
      return cannot(schema, "key column " + schema.columns[at].name +
                                " is masked or left out: its letters do not say which row it was");
    if (cannot_be_found(schema.columns[at].type))
      return cannot(schema, "a row cannot be found by key column " + schema.columns[at].name +
                                " of type " + schema.columns[at].mysql_type);
  }
  if (!rules.when.empty()) {
    std::vector<expr::Column> columns;
    for (const Column& c : q.columns_)
      columns.push_back({schema.columns[c.at].name, expr::type_of(schema.columns[c.at].type)});
    auto predicate = expr::Predicate::compile(rules.when, columns);
    if (!predicate) return std::move(predicate).error().at("when");
    q.when_.emplace(std::move(predicate).value());
    q.when_columns_.assign(q.when_->columns().begin(), q.when_->columns().end());
  }
  q.schema_ = std::move(schema);
  return q;
}

ChangeView::Shown RowQuery::shown() const {
  ChangeView::Shown out;
  for (const Column& column : columns_) {
    if (!column.shown) continue;
    const ColumnSchema& c = schema_.columns[column.at];
    out.columns.push_back({c.name, c.mysql_type, is_binary(c.type)});
  }
  return out;
}

Result<std::string> RowQuery::select(
    std::span<const std::string> key,
    const std::function<std::string(std::string_view)>& quote) const {
  const auto& columns = schema_.row_key();
  if (key.size() != columns.size())
    return cannot(schema_, "its key has other columns now than when the letter was written");
  std::string sql;
  for (const Column& c : columns_)
    sql += (sql.empty() ? "SELECT " : ", ") + expression(schema_.columns[c.at]);
  sql += " FROM " + mysql::quote_name(schema_.database) + "." + mysql::quote_name(schema_.name);
  for (std::size_t i = 0; i < key.size(); ++i) {
    const ColumnSchema& column = schema_.columns[columns[i]];
    sql += (i == 0 ? " WHERE " : " AND ") + mysql::quote_name(column.name) + " = ";
    if (is_binary(column.type)) {
      sql += hex_literal(key[i]);
    } else if (!is_number(column.type)) {
      sql += quote(key[i]);
    } else {
      if (!is_plain_number(key[i]))
        return cannot(schema_, "key column " + column.name + " of a letter is no number");
      sql += key[i];
    }
  }
  return sql;
}

std::optional<std::string> RowQuery::text_of(const ColumnSchema& column,
                                             const std::optional<std::string>& answer) const {
  if (!answer) return std::nullopt;
  TextBuffer out;
  bool ok = true;
  switch (column.type) {
    case DeclaredType::float_:
      ok = binlog::append_float(static_cast<float>(std::strtod(answer->c_str(), nullptr)), out);
      break;
    case DeclaredType::double_:
      ok = binlog::append_double(std::strtod(answer->c_str(), nullptr), out);
      break;
    case DeclaredType::vector: ok = binlog::append_vector(as_bytes(*answer), out); break;
    default: return answer;
  }
  return ok ? std::string(out.view()) : *answer;
}

bool RowQuery::satisfies(const std::vector<std::optional<std::string>>& texts) const {
  if (!when_) return true;
  std::vector<expr::Value> values;
  for (const std::size_t at : when_columns_) {
    expr::Value value;
    const expr::Type type = expr::type_of(schema_.columns[columns_[at].at].type);
    if (texts[at]) value = expr::read_value(type, *texts[at]).value_or(expr::Value());
    values.push_back(value);
  }
  return when_->evaluate(values) == expr::Truth::yes;
}

Result<std::optional<ShownRow>> RowQuery::read(std::span<const std::string> key,
                                               const mysql::ResultRows& rows) const {
  if (rows.size() > 1 || (!rows.empty() && rows.front().size() != columns_.size()))
    return fatal(Errc::mysql_query, schema_.database + "." + schema_.name +
                                        ": the source answers with " + std::to_string(rows.size()) +
                                        " rows for one key");
  if (rows.empty()) return std::optional<ShownRow>();
  std::vector<std::optional<std::string>> texts;
  for (std::size_t i = 0; i < columns_.size(); ++i)
    texts.push_back(text_of(schema_.columns[columns_[i].at], rows.front()[i]));
  // The collation may call another key equal; to us bytes decide.
  const auto& key_columns = schema_.row_key();
  for (std::size_t k = 0; k < key_columns.size(); ++k)
    for (std::size_t i = 0; i < columns_.size(); ++i)
      if (columns_[i].at == key_columns[k] && texts[i] != key[k]) return std::optional<ShownRow>();
  if (!satisfies(texts)) return std::optional<ShownRow>();
  ShownRow out;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const Column& column = columns_[i];
    if (!column.shown) continue;
    std::optional<std::string> text = std::move(texts[i]);
    if (column.masked && column.mask == event::ColumnMask::Kind::null) {
      text.reset();
    } else if (column.masked && column.mask == event::ColumnMask::Kind::fixed) {
      text = column.fixed;
    } else if (column.masked && text) {
      const auto hex = Sha256(salted_).update(*text).hex();
      text = std::string(hex.begin(), hex.end());
    }
    out.emplace_back(schema_.columns[column.at].name, std::move(text));
  }
  return std::optional(std::move(out));
}

}  // namespace sluice::pipeline
