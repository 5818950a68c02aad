// In which order ALTER TABLE does what it is told (mysql-server and MariaDB: sql/sql_table.cc
// mysql_prepare_alter_table): the columns there are, each dropped or changed where it stands; then
// those that are new or have a place, in the order of the statement.
#include "schema/ddl/alter_columns.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "schema/ddl/alter.h"
#include "schema/ddl/resolve.h"

namespace sluice::schema::ddl {
namespace {

using Kind = ColumnAction::Kind;

class ColumnAlteration {
 public:
  ColumnAlteration(const Cursor& in, const std::vector<ColumnAction>& actions,
                   const std::vector<ColumnSchema>& before, const ColumnContext& context)
      : in_(in),
        actions_(actions),
        before_(before),
        context_(context),
        done_(actions.size(), false) {}

  Result<std::vector<AlteredColumn>> run() && {
    for (std::size_t i = 0; i < before_.size(); ++i) SLUICE_TRY(keep(i));
    for (std::size_t i = 0; i < actions_.size(); ++i) SLUICE_TRY(place(i));
    keep_generated_key_first();
    SLUICE_TRY(check_names());
    return std::move(out_);
  }

 private:
  static bool has_place(const ColumnAction& action) {
    return action.first || !action.after.empty();
  }

  // A column there is; one that is to have another place takes it later.
  Status keep(std::size_t at) {
    AlteredColumn kept{before_[at], static_cast<int>(at), false};
    for (std::size_t i = 0; i < actions_.size(); ++i) {
      const ColumnAction& action = actions_[i];
      if (action.kind == Kind::add || !same_name(action.name, before_[at].name)) continue;
      done_[i] = true;
      switch (action.kind) {
        case Kind::drop: return {};
        case Kind::change: {
          SLUICE_TRY_ASSIGN(kept.column, defined(action));
          const bool sized = !action.definition.type.numbers.empty();
          if (!context_.convert.empty() && in_.context().flavor == Flavor::mysql && !sized) {
            SLUICE_TRY_ASSIGN(kept.column, fit_text(in_, before_[at], std::move(kept.column)));
          }
          kept.redefined = true;
          out_.push_back(std::move(kept));
          return {};
        }
        case Kind::rename: kept.column.name = action.definition.name; break;
        case Kind::show: kept.column.invisible = false; break;
        case Kind::hide: kept.column.invisible = true; break;
        case Kind::add:
        case Kind::leave: break;
      }
    }
    if (!context_.convert.empty()) {
      ColumnSchema converted;
      SLUICE_TRY_ASSIGN(converted, convert_column(in_, kept.column, context_.convert));
      kept.redefined = true;
      kept.column = std::move(converted);
    }
    out_.push_back(std::move(kept));
    return {};
  }

  // What an action defines.  CONVERT TO holds for it, too, unless it is bytes.
  Result<ColumnSchema> defined(const ColumnAction& action) const {
    if (context_.convert.empty()) return resolve_column(in_, action.definition, context_.charset);
    ColumnDefinition definition = action.definition;
    SLUICE_TRY_ASSIGN(const std::string own,
                      resolve_charset(in_, definition.type.charset, definition.type.collation,
                                      context_.charset, definition.type.at));
    if (own != "binary") {
      definition.type.charset = context_.convert;
      definition.type.collation.clear();
    }
    return resolve_column(in_, definition, context_.charset);
  }

  static int find(const std::vector<ColumnSchema>& columns, std::string_view name) {
    const auto found = std::find_if(columns.begin(), columns.end(), [name](const ColumnSchema& c) {
      return same_name(c.name, name);
    });
    return found == columns.end() ? -1 : static_cast<int>(found - columns.begin());
  }

  // ADD IF NOT EXISTS of a column that is there, or that an action before this one adds.
  bool is_there(std::size_t index) const {
    const std::string& name = actions_[index].definition.name;
    if (find(before_, name) >= 0) return true;
    const auto end = actions_.begin() + static_cast<std::ptrdiff_t>(index);
    return std::any_of(actions_.begin(), end, [&name](const ColumnAction& a) {
      return a.kind == Kind::add && same_name(a.definition.name, name);
    });
  }

  // A column that is new or has a place.
  Status place(std::size_t index) {
    const ColumnAction& action = actions_[index];
    if (action.kind != Kind::add && (action.kind != Kind::change || !has_place(action))) {
      if (done_[index] || action.conditional) return {};
      return no_column(action.at, action.name);
    }
    AlteredColumn placed;
    if (action.kind == Kind::change) {
      const int old = find(before_, action.name);
      const auto now = std::find_if(out_.begin(), out_.end(),
                                    [old](const AlteredColumn& c) { return c.old == old; });
      if (old < 0 || now == out_.end())
        return action.conditional ? Status() : no_column(action.at, action.name);
      placed = std::move(*now);
      out_.erase(now);
    } else {
      if (action.conditional && is_there(index)) return {};
      SLUICE_TRY_ASSIGN(placed.column, defined(action));
    }
    auto where = out_.end();
    if (action.first) where = out_.begin();
    if (!action.after.empty()) {
      where = std::find_if(out_.begin(), out_.end(), [&action](const AlteredColumn& c) {
        return same_name(c.column.name, action.after);
      });
      if (where == out_.end()) return no_column(action.at, action.after);
      ++where;
    }
    out_.insert(where, std::move(placed));
    return {};
  }

  // MySQL's generated invisible primary key stays where it is, whatever comes FIRST (mysql-server:
  // sql/sql_gipk.cc).
  void keep_generated_key_first() {
    if (in_.context().flavor != Flavor::mysql || before_.empty()) return;
    const ColumnSchema& key = before_.front();
    const bool generated = key.name == "my_row_id" && key.invisible && key.is_unsigned &&
                           key.type == DeclaredType::bigint && !key.nullable;
    const auto kept =
        std::find_if(out_.begin(), out_.end(), [](const AlteredColumn& c) { return c.old == 0; });
    if (generated && kept != out_.end()) std::rotate(out_.begin(), kept, kept + 1);
  }

  Status check_names() const {
    std::vector<std::string> names;
    names.reserve(out_.size());
    for (const AlteredColumn& c : out_) names.push_back(lowered(c.column.name));
    std::sort(names.begin(), names.end());
    const auto twice = std::adjacent_find(names.begin(), names.end());
    if (twice == names.end()) return {};
    return in_.error("column `" + *twice + "` would be there twice");
  }

  Status no_column(std::size_t at, std::string_view name) const {
    return in_.error_at(at, "there is no column `" + std::string(name) + "`");
  }

  const Cursor& in_;
  const std::vector<ColumnAction>& actions_;
  const std::vector<ColumnSchema>& before_;
  const ColumnContext& context_;
  std::vector<bool> done_;
  std::vector<AlteredColumn> out_;
};

}  // namespace

Result<std::vector<AlteredColumn>> alter_columns(const Cursor& in,
                                                 const std::vector<ColumnAction>& actions,
                                                 const std::vector<ColumnSchema>& before,
                                                 const ColumnContext& context) {
  return ColumnAlteration(in, actions, before, context).run();
}

}  // namespace sluice::schema::ddl
