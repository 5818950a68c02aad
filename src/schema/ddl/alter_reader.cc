// The grammar of ALTER TABLE (mysql-server: sql/sql_yacc.yy alter_table_stmt; MariaDB: the same
// file, alter_commands).
#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "schema/ddl/alteration.h"
#include "schema/ddl/reader.h"

namespace sluice::schema::ddl {
namespace {

using binlog::SqlToken;

constexpr std::size_t kMaxActions = 16384;  // of columns or of keys in one statement

class AlterReader {
 public:
  AlterReader(Cursor& in, AlterTable& out) : in_(in), out_(out) {}

  Status read() {
    out_.anew = Anew::never;
    while (!in_.at_end()) {
      if (in_.eat(',')) continue;
      if (out_.columns.size() > kMaxActions || out_.keys.size() > kMaxActions ||
          out_.added.keys.size() > kMaxActions)
        return in_.error("more actions than a table can take");
      SLUICE_TRY(action());
    }
    return {};
  }

 private:
  void makes(Anew anew) { out_.anew = std::max(out_.anew, anew); }
  // What IF [NOT] EXISTS decides.
  void makes_if(bool conditional) { makes(conditional ? Anew::by_effect : Anew::always); }
  bool mariadb() const { return in_.context().flavor == Flavor::mariadb; }

  Status action() {
    if (in_.eat("ADD")) return add();
    if (in_.eat("DROP")) return drop();
    if (in_.eat("CHANGE")) return change(true);
    if (in_.eat("MODIFY")) return change(false);
    if (in_.eat("ALTER")) return alter();
    if (in_.eat("RENAME")) return rename();
    SLUICE_TRY_ASSIGN(const bool partition, partition_action());
    if (partition) return {};
    if (in_.is("ENABLE") || in_.is("DISABLE")) {
      leaves_keys();
      in_.step();
      return in_.want("KEYS");
    }
    if (in_.eat("SECONDARY_LOAD") || in_.eat("SECONDARY_UNLOAD")) {
      if (in_.is("PARTITION")) skip_rest();
      return {};
    }
    if (in_.is("WAIT") || in_.is("NOWAIT")) {
      skip_wait(in_);
      return {};
    }
    if ((in_.is("WITH") || in_.is("WITHOUT")) && in_.ahead().is("VALIDATION")) {
      in_.step();
      in_.step();
      return {};
    }
    if (in_.is("ALGORITHM") || in_.is("LOCK")) return algorithm();
    makes(Anew::always);
    if (in_.eat("FORCE")) return {};
    if (in_.eat("CONVERT")) return convert();
    if (in_.eat("ORDER", "BY")) return skip_order();
    return read_table_option(in_, out_.added);
  }

  // A RENAME, too: with MariaDB's alter_algorithm=COPY, which no binlog tells, they are made anew.
  void leaves_keys() { makes(mariadb() ? Anew::not_known : Anew::never); }

  Status algorithm() {
    in_.step();
    in_.eat('=');
    if (in_.is("COPY")) makes(mariadb() ? Anew::not_known : Anew::always);
    SLUICE_TRY(in_.want_name("a value"));
    return {};
  }

  // Partitions: these end the statement, and none of them changes a column.
  Result<bool> partition_action() {
    const bool partition = in_.ahead().is("PARTITION");
    if ((in_.is_any({"DISCARD", "IMPORT"}) && (in_.ahead().is("TABLESPACE") || partition)) ||
        (in_.is("TRUNCATE") && partition)) {
      out_.moves_rows = true;
    } else if (in_.is("EXCHANGE") && partition) {
      SLUICE_TRY(exchange());
    } else if (!(partition && in_.is_any({"REORGANIZE", "COALESCE", "ANALYZE", "CHECK", "OPTIMIZE",
                                          "REBUILD", "REPAIR"})) &&
               !(in_.ahead().is("PARTITIONING") && in_.is_any({"REMOVE", "UPGRADE"}))) {
      return false;
    }
    if (!in_.is_any({"DISCARD", "IMPORT", "TRUNCATE", "ANALYZE", "CHECK", "REPAIR"}) &&
        !out_.exchanged)
      makes(Anew::always);
    skip_rest();
    return true;
  }

  // EXCHANGE PARTITION p WITH TABLE t
  Status exchange() {
    in_.step();
    in_.step();
    SLUICE_TRY(in_.want_name("a partition"));
    SLUICE_TRY(in_.want("WITH"));
    SLUICE_TRY(in_.want("TABLE"));
    SLUICE_TRY_ASSIGN(out_.exchanged, read_table_name(in_));
    out_.moves_rows = true;
    return {};
  }

  void skip_rest() {
    while (!in_.at_end()) in_.step();
  }

  Status skip_order() {
    do {
      do {
        SLUICE_TRY(in_.want_name("a column"));
      } while (in_.eat('.'));
      if (!in_.eat("ASC")) in_.eat("DESC");
    } while (in_.eat(','));
    return {};
  }

  Status add() {
    if (in_.is("PARTITION") && in_.ahead().kind != SqlToken::Kind::end) {
      makes(Anew::always);
      skip_rest();
      return {};
    }
    if (in_.eat("SYSTEM", "VERSIONING")) {
      makes(Anew::always);
      out_.added.system_versioned = true;
      return {};
    }
    if (!in_.is("COLUMN")) {
      const std::size_t keys = out_.added.keys.size();
      const bool maybe_check = in_.ahead().is("IF");
      SLUICE_TRY_ASSIGN(const bool item, read_table_item(in_, out_.added));
      if (item && out_.added.keys.size() > keys)
        makes(out_.added.keys.back().if_not_exists ? Anew::by_effect : Anew::by_keys);
      else if (item)
        makes(maybe_check ? Anew::not_known : Anew::always);
      if (item) return {};
    }
    in_.eat("COLUMN");
    const bool conditional = eat_if_exists(in_);
    if (!in_.eat('(')) return add_column(conditional, true);
    do {
      SLUICE_TRY_ASSIGN(const bool item, read_table_item(in_, out_.added));
      if (item)
        makes(Anew::always);
      else
        SLUICE_TRY(add_column(conditional, false));
    } while (in_.eat(','));
    return in_.want(')');
  }

  Status add_column(bool conditional, bool placed) {
    ColumnAction action;
    action.kind = ColumnAction::Kind::add;
    action.conditional = conditional;
    action.at = in_.offset();
    SLUICE_TRY_ASSIGN(std::string name, in_.want_name("a column"));
    return define(std::move(action), std::move(name), placed);
  }

  Status change(bool renames) {
    ColumnAction action;
    action.kind = ColumnAction::Kind::change;
    in_.eat("COLUMN");
    action.conditional = eat_if_exists(in_);
    action.at = in_.offset();
    SLUICE_TRY_ASSIGN(action.name, in_.want_name("a column"));
    std::string name = action.name;
    if (renames) {
      SLUICE_TRY_ASSIGN(name, in_.want_name("a column"));
    }
    return define(std::move(action), std::move(name), true);
  }

  // Type, attributes and place of a column.
  Status define(ColumnAction action, std::string name, bool placed) {
    makes_if(action.conditional);
    if (action.kind == ColumnAction::Kind::change && name != action.name) makes(Anew::always);
    ColumnDefinition column;
    column.name = std::move(name);
    column.at = action.at;
    const std::size_t keys = out_.added.keys.size();
    SLUICE_TRY(read_column(in_, std::move(column), out_.added));
    // IF [NOT] EXISTS holds for keys that are said beside the column, too.
    for (std::size_t i = keys; i < out_.added.keys.size(); ++i)
      out_.added.keys[i].if_not_exists = action.conditional;
    action.definition = std::move(out_.added.columns.back());
    out_.added.columns.pop_back();
    if (placed && in_.eat("FIRST")) {
      makes(Anew::always);
      action.first = true;
    } else if (placed && in_.eat("AFTER")) {
      makes(Anew::always);
      SLUICE_TRY_ASSIGN(action.after, in_.want_name("a column"));
    }
    out_.columns.push_back(std::move(action));
    return {};
  }

  Status drop() {
    if (in_.is("PARTITION") && in_.ahead().kind != SqlToken::Kind::end &&
        !in_.ahead().symbol(',')) {
      out_.moves_rows = true;
      makes(Anew::always);
      skip_rest();
      return {};
    }
    if (in_.eat("SYSTEM", "VERSIONING")) {
      makes(Anew::always);
      out_.drop_versioning = true;
      return {};
    }
    if (in_.is("PERIOD") && (in_.ahead().is("FOR") || in_.ahead().is("IF"))) {
      in_.step();
      makes(Anew::always);
      eat_if_exists(in_);
      SLUICE_TRY(in_.want("FOR"));
      eat_if_exists(in_);
      SLUICE_TRY_ASSIGN(std::string period, in_.want_name("a period"));
      out_.dropped_periods.push_back(std::move(period));
      return {};
    }
    if (in_.eat("PRIMARY", "KEY")) return drop_key(KeyAction::Kind::drop_primary);
    if (in_.eat("INDEX") || in_.eat("KEY")) return drop_key(KeyAction::Kind::drop);
    if (in_.eat("CONSTRAINT")) return drop_key(KeyAction::Kind::drop_constraint);
    if (in_.eat("CHECK") || in_.eat("FOREIGN", "KEY")) {
      makes(eat_if_exists(in_) ? Anew::not_known : Anew::always);
      SLUICE_TRY(in_.want_name("a constraint"));
      return {};
    }
    ColumnAction action;
    action.kind = ColumnAction::Kind::drop;
    in_.eat("COLUMN");
    action.conditional = eat_if_exists(in_);
    action.at = in_.offset();
    SLUICE_TRY_ASSIGN(action.name, in_.want_name("a column"));
    makes_if(action.conditional);
    if (!in_.eat("RESTRICT")) in_.eat("CASCADE");
    out_.columns.push_back(std::move(action));
    return {};
  }

  Status drop_key(KeyAction::Kind kind) {
    KeyAction action;
    action.kind = kind;
    action.at = in_.offset();
    if (kind != KeyAction::Kind::drop_primary) {
      action.conditional = eat_if_exists(in_);
      SLUICE_TRY_ASSIGN(action.name, in_.want_name("a key"));
    }
    const bool found = action.conditional && kind != KeyAction::Kind::drop_constraint;
    makes(found ? Anew::by_effect : Anew::by_keys);
    out_.keys.push_back(std::move(action));
    return {};
  }

  // ALTER [COLUMN] a SET DEFAULT ..., ALTER INDEX i INVISIBLE, ALTER CHECK c NOT ENFORCED
  Status alter() {
    const bool other = in_.is_any({"INDEX", "KEY", "CHECK", "CONSTRAINT"});
    if (other) {
      makes(Anew::always);
      in_.step();
      eat_if_exists(in_);
      SLUICE_TRY(in_.want_name("a key"));
      in_.eat("NOT");
      if (!in_.is_any({"VISIBLE", "INVISIBLE", "IGNORED", "ENFORCED"}))
        return in_.error("VISIBLE expected");
      in_.step();
      return {};
    }
    ColumnAction action;
    in_.eat("COLUMN");
    action.conditional = eat_if_exists(in_);
    action.at = in_.offset();
    SLUICE_TRY_ASSIGN(action.name, in_.want_name("a column"));
    makes_if(action.conditional);
    if (in_.eat("DROP")) {
      SLUICE_TRY(in_.want("DEFAULT"));
    } else {
      SLUICE_TRY(in_.want("SET"));
      if (in_.eat("VISIBLE")) {
        action.kind = ColumnAction::Kind::show;
      } else if (in_.eat("INVISIBLE")) {
        action.kind = ColumnAction::Kind::hide;
      } else {
        SLUICE_TRY(in_.want("DEFAULT"));
        SLUICE_TRY(skip_default(in_));
      }
    }
    out_.columns.push_back(std::move(action));
    return {};
  }

  Status rename() {
    if (in_.eat("COLUMN")) {
      makes(Anew::always);
      ColumnAction action;
      action.kind = ColumnAction::Kind::rename;
      action.conditional = eat_if_exists(in_);
      action.at = in_.offset();
      SLUICE_TRY_ASSIGN(action.name, in_.want_name("a column"));
      SLUICE_TRY(in_.want("TO"));
      SLUICE_TRY_ASSIGN(action.definition.name, in_.want_name("a column"));
      out_.columns.push_back(std::move(action));
      return {};
    }
    if (in_.eat("INDEX") || in_.eat("KEY")) {
      makes(Anew::always);
      KeyAction action;
      action.kind = KeyAction::Kind::rename;
      action.conditional = eat_if_exists(in_);
      action.at = in_.offset();
      SLUICE_TRY_ASSIGN(action.name, in_.want_name("a key"));
      SLUICE_TRY(in_.want("TO"));
      SLUICE_TRY_ASSIGN(action.new_name, in_.want_name("a key"));
      out_.keys.push_back(std::move(action));
      return {};
    }
    leaves_keys();
    if (!in_.eat("TO") && !in_.eat("AS")) in_.eat('=');
    SLUICE_TRY_ASSIGN(out_.rename, read_table_name(in_));
    return {};
  }

  Status convert() {
    if (in_.eat("PARTITION")) {
      SLUICE_TRY(in_.want_name("a partition"));
      SLUICE_TRY(in_.want("TO"));
      SLUICE_TRY(in_.want("TABLE"));
      SLUICE_TRY_ASSIGN(out_.split_off, read_table_name(in_));
      out_.moves_rows = true;
      skip_rest();
      return {};
    }
    if (in_.eat("TABLE")) {
      SLUICE_TRY_ASSIGN(out_.taken_in, read_table_name(in_));
      out_.moves_rows = true;
      skip_rest();
      return {};
    }
    SLUICE_TRY(in_.want("TO"));
    SLUICE_TRY_ASSIGN(const bool charset,
                      read_charset(in_, out_.convert_charset, out_.convert_collation));
    if (!charset) return in_.error("CHARACTER SET expected");
    out_.convert = true;
    if (!in_.is("COLLATE")) return {};
    SLUICE_TRY(read_charset(in_, out_.convert_charset, out_.convert_collation));
    return {};
  }

  Cursor& in_;
  AlterTable& out_;
};

}  // namespace

Status read_alterations(Cursor& in, AlterTable& out) {
  return AlterReader(in, out).read();
}

}  // namespace sluice::schema::ddl
