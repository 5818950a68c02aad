#include "sluice/schema/definitions.h"

#include <algorithm>

#include "sluice/base/charset.h"

#include "schema/ddl/applier.h"
#include "schema/ddl/cursor.h"

namespace sluice::schema {

Definitions::Name Definitions::key_of(std::string_view database, std::string_view table) const {
  if (lower_case_ == 0) return {std::string(database), std::string(table)};
  return {ddl::lowered(database), ddl::lowered(table)};
}

Definitions::Name Definitions::stored(std::string_view database, std::string_view table) const {
  if (lower_case_ == 1) return key_of(database, table);
  return {std::string(database), std::string(table)};
}

std::vector<TableEffect> Definitions::apply(std::string_view statement, const DdlContext& context) {
  ddl::Cursor in(statement, context);
  if (ddl::begins_harmless(in)) return {};
  ddl::Applier applier(*this, in);
  if (!is_utf8(statement)) return std::move(applier).refuse("the statement is not UTF-8");
  return std::move(applier).run();
}

const TableSchema* Definitions::find(std::string_view database, std::string_view table) const {
  const auto found = tables_.find(key_of(database, table));
  return found == tables_.end() ? nullptr : &found->second;
}

bool Definitions::is_lost(std::string_view database, std::string_view table) const {
  return why_lost(database, table) != nullptr;
}

const std::string* Definitions::why_lost(std::string_view database, std::string_view table) const {
  const Name name = key_of(database, table);
  if (const auto found = lost_.find(name); found != lost_.end()) return &found->second;
  if (tables_.contains(name)) return nullptr;
  if (const auto all = lost_.find({name.first, ""}); all != lost_.end()) return &all->second;
  const auto everything = lost_.find({});
  return everything == lost_.end() ? nullptr : &everything->second;
}

void Definitions::put(TableSchema table) {
  Name name = key_of(table.database, table.name);
  lost_.erase(name);
  tables_.insert_or_assign(std::move(name), std::move(table));
}

void Definitions::erase(std::string_view database, std::string_view table) {
  const Name name = key_of(database, table);
  if (!table.empty()) {
    tables_.erase(name);
    lost_.erase(name);
    return;
  }
  const auto in_database = [&name](const auto& entry) { return entry.first.first == name.first; };
  std::erase_if(tables_, in_database);
  std::erase_if(lost_, in_database);
  databases_.erase(name.first);
}

void Definitions::lose(std::string_view database, std::string_view table, std::string why) {
  const Name name = key_of(database, table);
  if (!table.empty())
    tables_.erase(name);
  else if (!database.empty())
    std::erase_if(tables_, [&name](const auto& entry) { return entry.first.first == name.first; });
  else
    tables_.clear();
  lost_.insert_or_assign(name, std::move(why));
}

bool Definitions::rename(const Name& from, const Name& to) {
  const Name old_key = key_of(from.first, from.second);
  const Name new_key = key_of(to.first, to.second);
  if (new_key != old_key) {
    lost_.erase(new_key);
    tables_.erase(new_key);
  }
  if (auto lost = lost_.extract(old_key)) {
    lost.key() = new_key;
    lost_.insert(std::move(lost));
    return true;
  }
  auto table = tables_.extract(old_key);
  if (!table) return false;
  table.mapped().database = to.first;
  table.mapped().name = to.second;
  table.key() = new_key;
  tables_.insert(std::move(table));
  return true;
}

std::string_view Definitions::charset_of(std::string_view database) const {
  const auto found = databases_.find(key_of(database, "").first);
  return found == databases_.end() ? std::string_view() : std::string_view(found->second);
}

std::string_view Definitions::charset_in(std::string_view database,
                                         const DdlContext& context) const {
  const std::string_view known = charset_of(database);
  if (!known.empty()) return known;
  const bool its = key_of(database, "") == key_of(context.database, "");
  return its && !context.charset.empty() ? std::string_view(context.charset) : charset_of("");
}

void Definitions::put_database(std::string_view database, std::string charset) {
  databases_.insert_or_assign(key_of(database, "").first, std::move(charset));
}

}  // namespace sluice::schema
