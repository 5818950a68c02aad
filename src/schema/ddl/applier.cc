#include "schema/ddl/applier.h"

#include <tuple>
#include <utility>
#include <variant>

#include "sluice/base/charset.h"
#include "sluice/schema/create_table.h"

#include "schema/ddl/alter.h"
#include "schema/ddl/content.h"
#include "schema/ddl/resolve.h"

namespace sluice::schema::ddl {
namespace {

// MariaDB's sequences are tables with these columns (MariaDB: sql/sql_sequence.cc
// sequence_structure).
std::string sequence(const std::string& type) {
  std::string sized = type.substr(0, type.find(' '));
  if (sized.empty() || sized == "bigint") sized = "bigint(21)";
  if (sized == "int") sized = "int(12)";
  if (sized == "mediumint") sized = "mediumint(10)";
  if (sized == "smallint") sized = "smallint(7)";
  if (sized == "tinyint") sized = "tinyint(5)";
  if (type.ends_with(" unsigned")) sized += " unsigned";
  std::string out = "CREATE TABLE s (";
  for (const char* name :
       {"next_not_cached_value", "minimum_value", "maximum_value", "start_value"})
    out += std::string(name) + " " + sized + " NOT NULL, ";
  return out +
         "increment bigint(21) NOT NULL, cache_size bigint(21) unsigned NOT NULL, cycle_option "
         "tinyint(1) unsigned NOT NULL, cycle_count bigint(21) NOT NULL)";
}

// Nothing that the definition of columns, keys or the character set hang on.
bool leaves_table(const AlterTable& change) {
  const TableDefinition& added = change.added;
  return change.columns.empty() && change.keys.empty() && added.keys.empty() &&
         added.periods.empty() && added.charset.empty() && added.collation.empty() &&
         !added.system_versioned && !change.drop_versioning && !change.convert &&
         change.dropped_periods.empty();
}

}  // namespace

std::vector<TableEffect> Applier::run() && {
  Subject subject;
  const auto statement = read_statement(*in_, subject);
  if (statement.ok()) {
    if (in_->context().failed)
      std::visit([this](const auto& s) { failed(s); }, *statement);
    else
      std::visit(*this, *statement);
    return std::move(effects_);
  }
  const Name name = subject.name.second.empty() ? Name() : full(subject.name);
  // A table that nobody knows has nothing to lose.
  if (!subject.altered || name.second.empty() || is_there(name)) lose(name, statement.error());
  return std::move(effects_);
}

std::vector<TableEffect> Applier::refuse(std::string_view why) && {
  const Error error = in_->error(why);
  Subject subject;
  const auto statement = read_statement(*in_, subject);
  if (!statement.ok() || !std::holds_alternative<PassedOver>(*statement)) lose(Name(), error);
  return std::move(effects_);
}

// MariaDB's failed CREATE OR REPLACE has dropped the old table.
void Applier::failed(const CreateTable& statement) {
  const Name name = full({statement.table.database, statement.table.name});
  if (!statement.table.or_replace) return;
  tables_->erase(name.first, name.second);
  add(TableEffect::Kind::dropped, name);
}

// A failed DROP TABLE has dropped some of them.
void Applier::failed(const DropTables& statement) {
  const Error why = in_->error("the statement failed in part");
  for (const Name& given : statement.tables)
    if (const Name name = full(given); is_there(name)) lose(name, why);
}

Name Applier::full(Name name) const {
  if (name.first.empty()) name.first = in_->context().database;
  return tables_->stored(name.first, name.second);
}

TableEffect& Applier::add(TableEffect::Kind kind, const Name& name) {
  TableEffect effect;
  effect.kind = kind;
  std::tie(effect.database, effect.table) = name;
  if (kind == TableEffect::Kind::dropped) effect.content = {{"", "dropped"}};
  if (kind == TableEffect::Kind::emptied) effect.content = {{"", "rows went or came"}};
  effects_.push_back(std::move(effect));
  return effects_.back();
}

void Applier::lose(const Name& name, const Error& why) {
  const bool had_rows = name.second.empty() || is_there(name);
  tables_->lose(name.first, name.second, why.what);
  TableEffect& effect = add(TableEffect::Kind::not_known, name);
  effect.why = why.what;
  if (had_rows) effect.content = {{"", "changed in a way that cannot be followed"}};
  effect.other_key = had_rows;
}

bool Applier::is_there(const Name& name) const {
  return tables_->find(name.first, name.second) != nullptr ||
         tables_->is_lost(name.first, name.second);
}

void Applier::operator()(const PassedOver& /*statement*/) {}

// An error of the script, at the statement's begin.
void Applier::refuse_in(const Name& name, std::string_view what) {
  add(TableEffect::Kind::not_known, name).why = start_.error(what).what;
}

void Applier::create(const Name& name, Result<TableSchema> table, bool replace) {
  if (!table) return lose(name, table.error());
  std::tie(table->database, table->name) = name;
  const TableSchema* before = tables_->find(name.first, name.second);
  if (rules_ == Rules::script && !replace && before != nullptr && *before != *table)
    return refuse_in(name, "table `" + name.second + "` was created before, and differently");
  const auto key = before == nullptr ? std::nullopt : std::optional(before->row_key_names());
  const bool other_key = key && *key != table->row_key_names();
  tables_->put(std::move(table).value());
  TableEffect& effect = add(TableEffect::Kind::created, name);
  if (key) effect.content = {{"", "replaced by an empty one"}};
  effect.other_key = other_key;
}

Result<TableSchema> Applier::made(const TableDefinition& definition, const Name& name) const {
  if (definition.select_at) return only_the_server_knows(*in_, *definition.select_at);
  if (!definition.like) {
    // What the server prints into the binlog in such a mode lacks the table's character set.
    const bool untold =
        definition.printed && (in_->context().sql_mode & binlog::sql_mode::kForeign) != 0;
    return resolve(*in_, definition,
                   untold ? std::string_view() : tables_->charset_in(name.first, in_->context()));
  }
  const Name like = full(*definition.like);
  const TableSchema* found = tables_->find(like.first, like.second);
  if (found == nullptr)
    return in_->error_at(definition.like_at, "there is no such table before this statement");
  if (!found->detail) return *found;
  return finish(*in_, draft_of(*in_, *found, definition.like_at));
}

void Applier::operator()(const CreateTable& statement) {
  const TableDefinition& definition = statement.table;
  const Name name = full({definition.database, definition.name});
  if (definition.if_not_exists && is_there(name)) return;
  create(name, made(definition, name), definition.or_replace);
}

void Applier::operator()(const CreateSequence& statement) {
  const Name name = full(statement.name);
  if (statement.alter && statement.type.empty()) return;
  if (statement.if_not_exists && is_there(name)) return;
  auto table = read_create_table(sequence(statement.type), in_->context());
  if (!statement.alter) return create(name, std::move(table), statement.or_replace);
  if (!is_there(name)) return;
  create(name, std::move(table), true);
  effects_.back().kind = TableEffect::Kind::altered;
}

// CHARACTER SET DEFAULT: of the session's database in MySQL, of the table's in MariaDB.
std::string_view Applier::default_charset(const Name& name) const {
  const DdlContext& context = in_->context();
  if (context.flavor == Flavor::mariadb) return tables_->charset_in(name.first, context);
  if (context.database.empty()) return context.server_charset;
  return tables_->charset_in(context.database, context);
}

void Applier::alter(const AlterTable& change, const Name& name) {
  const TableSchema* before = tables_->find(name.first, name.second);
  if (before == nullptr) {
    if (!tables_->is_lost(name.first, name.second)) return;
    TableEffect& effect = add(TableEffect::Kind::altered, name);
    effect.content = {{"", "altered, and it is not known what it was"}};
    effect.other_key = true;
    return;
  }
  // What it was told of such a table is all that can be kept of it.
  if (!before->detail && leaves_table(change)) return;
  auto after = ddl::alter(*in_, change, *before, default_charset(name));
  if (!after) return lose(name, after.error());
  auto content = content_changes(*in_, change, *before, *after);
  if (*after == *before && content.empty()) return;
  const bool other_key = identifies_otherwise(*before, *after, content);
  tables_->put(std::move(after).value());
  TableEffect& effect = add(TableEffect::Kind::altered, name);
  effect.content = std::move(content);
  effect.other_key = other_key;
}

// Partitions that go, come or become tables.
void Applier::move_rows(const AlterTable& change, const Name& name) {
  if (change.moves_rows) add(TableEffect::Kind::emptied, name);
  if (change.exchanged) add(TableEffect::Kind::emptied, full(*change.exchanged));
  if (change.taken_in) {
    const Name other = full(*change.taken_in);
    tables_->erase(other.first, other.second);
    add(TableEffect::Kind::dropped, other);
  }
  if (change.split_off) {
    const TableSchema* whole = tables_->find(name.first, name.second);
    create(full(*change.split_off),
           whole != nullptr ? Result<TableSchema>(*whole)
                            : in_->error("the table it was a part of is not known"),
           true);
    effects_.back().content = {{"", "made of a partition"}};
  }
}

void Applier::operator()(const AlterTable& statement) {
  const Name name = full(statement.table);
  if (statement.anew != Anew::never) alter(statement, name);
  move_rows(statement, name);
  if (statement.rename) rename(name, full(*statement.rename));
}

void Applier::operator()(const DropTables& statement) {
  for (const Name& given : statement.tables) {
    const Name name = full(given);
    tables_->erase(name.first, name.second);
    add(TableEffect::Kind::dropped, name);
  }
}

void Applier::rename(const Name& from, const Name& to) {
  if (rules_ == Rules::script) {
    if (tables_->find(from.first, from.second) == nullptr) return;
    if (from != to && tables_->find(to.first, to.second) != nullptr)
      return refuse_in(to, "there is a table of the new name");
  }
  TableEffect& effect = add(TableEffect::Kind::renamed, from);
  std::tie(effect.new_database, effect.new_table) = to;
  if (const TableSchema* table = tables_->find(from.first, from.second)) {
    const std::vector<std::string> key = table->row_key_names();
    left_.try_emplace(from, key);
    const auto there = left_.find(to);
    effect.other_key = there != left_.end() && there->second != key;
  }
  if (tables_->rename(from, to)) return;
  const std::string why = from.first + "." + from.second + " was renamed to it and is not known";
  tables_->lose(to.first, to.second, why);
  TableEffect& lost = add(TableEffect::Kind::not_known, to);
  lost.why = why;
  lost.other_key = true;
}

void Applier::operator()(const RenameTables& statement) {
  for (const auto& [from, to] : statement.tables) rename(full(from), full(to));
}

void Applier::operator()(const Optimize& statement) {
  AlterTable change;
  change.anew = Anew::not_known;  // other engines do not, and it is in the binlog when it failed
  for (const Name& table : statement.tables) alter(change, full(table));
}

void Applier::operator()(const Truncate& statement) {
  add(TableEffect::Kind::emptied, full(statement.table));
}

void Applier::operator()(const DatabaseOptions& statement) {
  const std::string database = full({statement.database, ""}).first;
  const bool known = !tables_->charset_of(database).empty();
  if (statement.create && known && statement.if_not_exists) return;
  if (statement.or_replace) {
    tables_->erase(database, "");
    add(TableEffect::Kind::dropped, {database, ""});
  }
  if (statement.charset.empty() && statement.collation.empty()) {
    if (!statement.create) return;
    return tables_->put_database(database, in_->context().server_charset);
  }
  const bool to_default = statement.charset == kDefaultCharset;
  auto charset = resolve_charset(*in_, statement.charset, statement.collation,
                                 to_default ? std::string_view(in_->context().server_charset)
                                            : tables_->charset_in(database, in_->context()),
                                 in_->offset());
  tables_->put_database(database, charset.ok() ? std::move(charset).value() : std::string());
}

void Applier::operator()(const DropDatabase& statement) {
  const std::string database = full({statement.database, ""}).first;
  tables_->erase(database, "");
  add(TableEffect::Kind::dropped, {database, ""});
}

}  // namespace sluice::schema::ddl
