// Rows as one value: a string, a JSON document, a message on a channel.
#include <array>
#include <optional>
#include <utility>

#include "sluice/base/base64.h"
#include "sluice/base/json_text.h"

#include "mapping/action.h"

namespace sluice::mapping {
namespace {

using Field = ChangeView::Field;

// How a column's value is written in JSON.
enum class JsonForm : std::uint8_t { string, number, document, base64 };

JsonForm form_of(const Columns::Column& column) {
  if (column.binary) return JsonForm::base64;
  if (column.declared == DeclaredType::json) return JsonForm::document;
  switch (column.type) {
    case expr::Type::integer:
    case expr::Type::decimal:
    case expr::Type::real: return JsonForm::number;
    default: return JsonForm::string;
  }
}

void append_string(std::string_view text, TextBuffer& out) {
  out.push_back('"');
  append_json_text(out, text);
  out.push_back('"');
}

// Zeros in front (YEAR 0000) are no JSON number.
std::string_view json_number(std::string_view text) {
  if (text == "0000") return "0";
  return text;
}

// The chosen columns of a row as a JSON object.
class RowDocument {
 public:
  RowDocument(const Columns& columns, std::vector<bool> chosen) : chosen_(std::move(chosen)) {
    for (const auto& c : columns.all()) forms_.push_back(form_of(c));
  }
  bool has(std::uint16_t column) const { return chosen_[column]; }

  void append_value(const Field& f, TextBuffer& out) const {
    if (f.is_null) {
      out.append("null");
      return;
    }
    switch (forms_[f.column]) {
      case JsonForm::number: out.append(json_number(f.value)); break;
      case JsonForm::document: out.append(f.value); break;
      case JsonForm::string: append_string(f.value, out); break;
      case JsonForm::base64:
        out.push_back('"');
        append_base64(out, f.value);
        out.push_back('"');
        break;
    }
  }

  void append(Image row, TextBuffer& out) const {
    char before = '{';
    for (std::size_t n = 0; n < row.size(); ++n) {
      const Field* f = row[n];
      if (f == nullptr || !chosen_[n]) continue;
      out.push_back(before);
      append_string(f->name, out);
      out.push_back(':');
      append_value(*f, out);
      before = ',';
    }
    if (before == '{') out.push_back('{');
    out.push_back('}');
  }

 private:
  std::vector<bool> chosen_;
  std::vector<JsonForm> forms_;
};

// A template, or the row as JSON.
class Content {
 public:
  static Result<Content> make(const MappingOptions& options, const Columns& columns) {
    if (!options.value().empty()) {
      SLUICE_TRY_ASSIGN(auto text, make_text(options.value, columns, TextTemplate::Use::content));
      return Content(std::move(text), std::nullopt);
    }
    SLUICE_TRY_ASSIGN(auto chosen, make_choice(options, columns));
    return Content(std::nullopt, RowDocument(columns, std::move(chosen)));
  }

  // Of the row as it is, or was; nothing when it is NULL.
  Result<std::optional<std::string_view>> of(const Change& change, const Sink& sink) const {
    TextBuffer& out = sink.memory->value;
    out.clear();
    const Image row = change.is ? change.after : change.before;
    if (text_) return text_of(*text_, change, row, out, sink.memory->work);
    document_->append(row, out);
    return std::optional(out.view());
  }

 private:
  Content(std::optional<TextTemplate> text, std::optional<RowDocument> document)
      : text_(std::move(text)), document_(std::move(document)) {}
  std::optional<TextTemplate> text_;
  std::optional<RowDocument> document_;
};

class StringAction final : public Action {
 public:
  StringAction(const MappingOptions& options, TextTemplate key, Content content)
      : key_(std::move(key)),
        content_(std::move(content)),
        null_(options.on_null()),
        ttl_(options.ttl()) {}

  Status apply(const Change& change, const Sink& sink) const override {
    SLUICE_TRY_ASSIGN(const auto keys, key_.keys(change, sink));
    if (keys.before && !keys.same()) sink.command({"UNLINK", *keys.before});
    if (!keys.after) return {};
    SLUICE_TRY_ASSIGN(auto value, content_.of(change, sink));
    if (!value && null_.kind != NullText::Kind::omit) value = null_.text;
    if (!value) {
      if (keys.same()) sink.command({"UNLINK", *keys.after});
    } else if (ttl_.count() == 0) {
      sink.command({"SET", *keys.after, *value});
    } else {
      std::array<char, 20> digits{};
      const char* end = write_int(digits.data(), ttl_.count());
      sink.command({"SET",
                    *keys.after,
                    *value,
                    "PX",
                    {digits.data(), static_cast<std::size_t>(end - digits.data())}});
    }
    return {};
  }
  // SET takes every type.
  Status touch(const Change& change, const Sink& sink,
               std::vector<TouchedKey>& keys) const override {
    return key_.touch(change, sink, "", keys);
  }

 private:
  KeyOfRow key_;
  Content content_;
  NullText null_;
  std::chrono::milliseconds ttl_;
};

// Needs the server's JSON module.
class JsonAction final : public Action {
 public:
  JsonAction(const MappingOptions& options, TextTemplate key, RowDocument document)
      : key_(std::move(key)),
        document_(std::move(document)),
        ttl_(options.ttl()),
        changed_only_(options.write() == MappingOptions::Write::changed) {}

  Status apply(const Change& change, const Sink& sink) const override {
    SLUICE_TRY_ASSIGN(const auto keys, key_.keys(change, sink));
    if (keys.before && !keys.same()) sink.command({"UNLINK", *keys.before});
    if (!keys.after) return {};
    TextBuffer& value = sink.memory->value;
    value.clear();
    if (keys.same() && changed_only_) {
      for (const Field& old : change.view.old(change.row))
        set_member(*keys.after, change.after[old.column], sink);
    } else {
      document_.append(change.after, value);
      sink.command({"JSON.SET", *keys.after, "$", value.view()});
    }
    expire(*keys.after, ttl_, sink);
    return {};
  }
  Status touch(const Change& change, const Sink& sink,
               std::vector<TouchedKey>& keys) const override {
    return key_.touch(change, sink, "ReJSON-RL", keys);
  }

 private:
  void set_member(std::string_view key, const Field* now, const Sink& sink) const {
    if (now == nullptr || !document_.has(now->column)) return;
    TextBuffer& path = sink.memory->work;
    path.clear();
    path.append("$[");
    append_string(now->name, path);
    path.push_back(']');
    TextBuffer& value = sink.memory->value;
    value.clear();
    document_.append_value(*now, value);
    sink.command({"JSON.SET", key, path.view(), value.view()});
  }

  KeyOfRow key_;
  RowDocument document_;
  std::chrono::milliseconds ttl_;
  bool changed_only_;
};

class PublishAction final : public Action {
 public:
  PublishAction(TextTemplate channel, Content content)
      : channel_(std::move(channel)), content_(std::move(content)) {}

  Status apply(const Change& change, const Sink& sink) const override {
    TextBuffer& out = sink.memory->text;
    out.clear();
    SLUICE_TRY_ASSIGN(const auto channel,
                      text_of(channel_, change, change.is ? change.after : change.before, out,
                              sink.memory->work));
    if (!channel) return {};
    SLUICE_TRY_ASSIGN(const auto value, content_.of(change, sink));
    if (value) sink.command({"PUBLISH", *channel, *value});
    return {};
  }
  Status touch(const Change&, const Sink&, std::vector<TouchedKey>&) const override { return {}; }

 private:
  TextTemplate channel_;
  Content content_;
};

}  // namespace

Result<std::unique_ptr<Action>> make_document(const MappingOptions& options,
                                              const Columns& columns) {
  SLUICE_TRY_ASSIGN(auto key, make_key(options, columns));
  if (options.type() == MappingOptions::Type::json) {
    SLUICE_TRY_ASSIGN(auto chosen, make_choice(options, columns));
    return std::unique_ptr<Action>(std::make_unique<JsonAction>(
        options, std::move(key), RowDocument(columns, std::move(chosen))));
  }
  SLUICE_TRY_ASSIGN(auto content, Content::make(options, columns));
  if (options.type() == MappingOptions::Type::publish)
    return std::unique_ptr<Action>(
        std::make_unique<PublishAction>(std::move(key), std::move(content)));
  return std::unique_ptr<Action>(
      std::make_unique<StringAction>(options, std::move(key), std::move(content)));
}

}  // namespace sluice::mapping
