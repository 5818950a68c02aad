#include "mapping/action.h"

#include <algorithm>
#include <array>

#include "sluice/redis/connection.h"
#include "sluice/redis/resp.h"

namespace sluice::mapping {

bool Change::differs(const std::vector<std::uint16_t>& columns) const noexcept {
  const auto old = view.old(row);
  return std::any_of(old.begin(), old.end(), [&columns](const ChangeView::Field& f) {
    return std::find(columns.begin(), columns.end(), f.column) != columns.end();
  });
}

void Sink::command(std::initializer_list<std::string_view> words) const {
  redis::append_command(*out, words);
  ++counts->commands;
}

void Sink::begin(std::size_t words) const {
  out->commit_to(redis::write_head(out->room(redis::kHeadRoom), '*', words));
  ++counts->commands;
}

void Sink::word(std::string_view word) const {
  out->commit_to(redis::write_bulk(out->room(word.size() + redis::kBulkRoom), word));
}

Error row_error(const Change& change, const std::string& what) {
  return Error{ErrorClass::poison, Errc::queue_message,
               std::string(change.view.database) + "." + std::string(change.view.table) + " row " +
                   change.id().to_string() + ": " + what};
}

Result<bool> append_text(const TextTemplate& text, const Change& change, Image row,
                         std::string_view part, TextBuffer& out, TextBuffer& work) {
  using Kind = TextTemplate::Outcome::Kind;
  const TextTemplate::Outcome outcome = text.append(row, part, out, work);
  if (outcome.kind == Kind::ok) return true;
  if (outcome.kind == Kind::null) return false;
  const std::string name = "column " + change.view.shown->columns[outcome.column].name;
  if (outcome.kind == Kind::own_key)
    return row_error(change, "its key would be one of Sluice's own, by " + name);
  if (outcome.kind == Kind::null_key) return row_error(change, "key " + name + " is NULL");
  return row_error(change, name +
                               " is missing, which a mapping needs: set binlog_row_image=FULL "
                               "at the source");
}

Result<std::optional<std::string_view>> text_of(const TextTemplate& text, const Change& change,
                                                Image row, TextBuffer& out, TextBuffer& work) {
  const std::size_t begin = out.size();
  SLUICE_TRY_ASSIGN(const bool any, append_text(text, change, row, {}, out, work));
  if (!any) return std::optional<std::string_view>();
  return std::optional(out.view().substr(begin));
}

Result<KeyOfRow::Keys> KeyOfRow::keys(const Change& change, const Sink& sink) const {
  Memory& m = *sink.memory;
  Keys out;
  m.text.clear();
  m.old_text.clear();
  if (change.is) {
    SLUICE_TRY_ASSIGN(out.after, text_of(key_, change, change.after, m.text, m.work));
  }
  if (change.was && change.is && !change.differs(key_.used())) {
    out.before = out.after;
  } else if (change.was) {
    SLUICE_TRY_ASSIGN(out.before, text_of(key_, change, change.before, m.old_text, m.work));
  }
  return out;
}

Status KeyOfRow::touch(const Change& change, const Sink& sink, std::string_view type,
                       std::vector<TouchedKey>& keys) const {
  if (!change.is) return {};
  sink.memory->text.clear();
  SLUICE_TRY_ASSIGN(const auto key,
                    text_of(key_, change, change.after, sink.memory->text, sink.memory->work));
  if (!key) return {};
  TouchedKey& touched = keys.emplace_back();
  touched.key = *key;
  touched.type = type;
  return {};
}

void expire(std::string_view key, std::chrono::milliseconds ttl, const Sink& sink) {
  if (ttl.count() == 0) return;
  std::array<char, 20> digits{};
  const char* end = write_int(digits.data(), ttl.count());
  sink.command({"PEXPIRE", key, {digits.data(), static_cast<std::size_t>(end - digits.data())}});
}

Result<TextTemplate> make_text(const Option<expr::Template>& option, const Columns& columns,
                               TextTemplate::Use use) {
  auto made = TextTemplate::make(option(), columns, use);
  if (!made) return std::move(made).error().at(std::string(option.name()));
  return made;
}

Result<TextTemplate> make_key(const MappingOptions& options, const Columns& columns) {
  if (!options.key().empty()) return make_text(options.key, columns, TextTemplate::Use::key);
  static const expr::Template by_default =
      expr::Template::parse("{schema}:{table}:{key}").value();  // always good
  auto made = TextTemplate::make(by_default, columns, TextTemplate::Use::key);
  if (!made) return std::move(made).error().at("key");
  return made;
}

Result<std::vector<bool>> make_choice(const MappingOptions& options, const Columns& columns) {
  const ColumnChoice& choice = options.columns();
  std::vector<bool> out(columns.all().size(), choice.include.empty());
  const auto set = [&](const std::vector<std::string>& names, bool to) -> Status {
    for (const std::string& name : names) {
      auto column = columns.find(name);
      if (!column) return std::move(column).error().at("columns");
      out[*column] = to;
    }
    return {};
  };
  SLUICE_TRY(set(choice.include, true));
  SLUICE_TRY(set(choice.exclude, false));
  if (std::find(out.begin(), out.end(), true) == out.end())
    return fatal(Errc::config_invalid, "columns: none is left");
  return out;
}

}  // namespace sluice::mapping
