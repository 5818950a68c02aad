#pragma once
// How each type of option is read from and written as YAML.
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "sluice/base/result.h"
#include "sluice/base/secret.h"
#include "sluice/config/pattern.h"
#include "sluice/config/values.h"
#include "sluice/expr/condition.h"
#include "sluice/expr/template.h"

namespace sluice {

namespace config {

class Node;    // one value of the YAML text, with its place
class Reader;  // where problems go, and what ${NAME} stands for

// The names of an enum's values, in their order from 0.  Each enum of options.h declares them
// beside itself:
//   friend config::Names option_names(Mode);
using Names = std::span<const std::string_view>;

// Notes a problem of the option that is being read, at the place of `node`.
void add_problem(const Node& node, Reader& reader, std::string message);
// The text of a scalar with ${NAME} replaced; nothing, and a problem noted, when it is none.
// `expected` is what should be there: "a duration".
std::optional<std::string> scalar_text(const Node& node, Reader& reader, std::string_view expected);
// `text` as a YAML scalar that reads back as the same text: quoted where needed, ${ escaped.
std::string quote(std::string_view text);
// "[a, b]"
std::string quote_list(std::span<const std::string> texts);
// Errors: fatal/config_invalid naming the values there are.
Result<std::size_t> parse_name(Names names, std::string_view text);
// "a, b or c"
std::string join_names(Names names);

}  // namespace config

// Codec<T>:
//   static std::string type();                      // for people: "a duration"
//   static std::string yaml(const T&);              // in one line of YAML, secrets redacted
//   static Result<T> parse(std::string_view);       // types written as a scalar;
//   fatal/config_invalid static std::optional<T> read(node, reader);     // the others; problems
//   are noted
template <class T>
struct Codec;

template <>
struct Codec<std::string> {
  static std::string type() { return "text"; }
  static std::string yaml(const std::string& value) { return config::quote(value); }
  static Result<std::string> parse(std::string_view text) { return std::string(text); }
};

template <>
struct Codec<bool> {
  static std::string type() { return "true or false"; }
  static std::string yaml(bool value) { return value ? "true" : "false"; }
  static Result<bool> parse(std::string_view text);
};

template <>
struct Codec<std::uint32_t> {
  static std::string type() { return "a whole number"; }
  static std::string yaml(std::uint32_t value) { return std::to_string(value); }
  static Result<std::uint32_t> parse(std::string_view text);
};

template <>
struct Codec<Secret> {
  static std::string type() { return "a secret"; }
  static std::string yaml(const Secret& value) { return value.empty() ? R"("")" : R"("***")"; }
  static Result<Secret> parse(std::string_view text) { return Secret{std::string(text)}; }
};

template <>
struct Codec<ByteSize> {
  static std::string type() { return "a size"; }
  static std::string yaml(ByteSize value);
  static Result<ByteSize> parse(std::string_view text);
};

template <>
struct Codec<Duration> {
  static std::string type() { return "a duration"; }
  static std::string yaml(Duration value);
  static Result<Duration> parse(std::string_view text);
};

template <>
struct Codec<TimeZoneOffset> {
  static std::string type() { return "an offset such as +00:00"; }
  static std::string yaml(TimeZoneOffset value) { return config::quote(value.to_string()); }
  static Result<TimeZoneOffset> parse(std::string_view text);
};

template <>
struct Codec<Pattern> {
  static std::string type() { return "a pattern"; }
  static std::string yaml(const Pattern& value) { return config::quote(value.text()); }
  static Result<Pattern> parse(std::string_view text) { return Pattern::compile(text); }
};

template <>
struct Codec<PatternList> {
  static std::string type() { return "a list of patterns, or one text with commas between them"; }
  static std::string yaml(const PatternList& value);
  static std::optional<PatternList> read(const config::Node& node, config::Reader& reader);
};

template <>
struct Codec<std::vector<std::string>> {
  static std::string type() { return "a list of texts"; }
  static std::string yaml(const std::vector<std::string>& value);
  static std::optional<std::vector<std::string>> read(const config::Node& node,
                                                      config::Reader& reader);
};

template <>
struct Codec<HostPort> {
  static std::string type() { return "HOST or HOST:PORT"; }
  static std::string yaml(const HostPort& value) { return config::quote(value.to_string(0)); }
  static Result<HostPort> parse(std::string_view text);
};

template <>
struct Codec<std::vector<HostPort>> {
  static std::string type() { return "a list of HOST:PORT"; }
  static std::string yaml(const std::vector<HostPort>& value);
  static std::optional<std::vector<HostPort>> read(const config::Node& node,
                                                   config::Reader& reader);
};

template <>
struct Codec<StartPosition> {
  static std::string type() {
    return "latest, earliest, {file: F, pos: N}, {gtid: SET} or {timestamp: T}";
  }
  static std::string yaml(const StartPosition& value);
  static std::optional<StartPosition> read(const config::Node& node, config::Reader& reader);
};

// The types of `tables` entries: table_codecs.cc.
template <>
struct Codec<ColumnChoice> {
  static std::string type() { return "{include: [NAME, ...], exclude: [NAME, ...]}"; }
  static std::string yaml(const ColumnChoice& value);
  static std::optional<ColumnChoice> read(const config::Node& node, config::Reader& reader);
};

template <>
struct Codec<MaskList> {
  static std::string type() { return "{COLUMN: sha256, null or fixed 'TEXT', ...}"; }
  static std::string yaml(const MaskList& value);
  static std::optional<MaskList> read(const config::Node& node, config::Reader& reader);
};

template <>
struct Codec<Operations> {
  static std::string type() { return "a list of insert, update, delete"; }
  static std::string yaml(const Operations& value);
  static std::optional<Operations> read(const config::Node& node, config::Reader& reader);
};

template <>
struct Codec<LogicalTable> {
  static std::string type() { return "{database: NAME, table: NAME}"; }
  static std::string yaml(const LogicalTable& value);
  static std::optional<LogicalTable> read(const config::Node& node, config::Reader& reader);
};

template <>
struct Codec<ScriptFile> {
  static std::string type() { return "a path"; }
  static std::string yaml(const ScriptFile& value) { return config::quote(value.path); }
  static std::optional<ScriptFile> read(const config::Node& node, config::Reader& reader);
};

template <>
struct Codec<expr::Condition> {
  static std::string type() { return "a condition"; }
  static std::string yaml(const expr::Condition& value) { return config::quote(value.text()); }
  static Result<expr::Condition> parse(std::string_view text) {
    return expr::Condition::parse(text);
  }
};

template <>
struct Codec<expr::Template> {
  static std::string type() { return "a template"; }
  static std::string yaml(const expr::Template& value) { return config::quote(value.text()); }
  static Result<expr::Template> parse(std::string_view text) { return expr::Template::parse(text); }
};

template <>
struct Codec<NullText> {
  static std::string type() { return "omit, empty or fixed 'TEXT'"; }
  static std::string yaml(const NullText& value);
  static Result<NullText> parse(std::string_view text);
};

template <class E>
requires std::is_enum_v<E>
struct Codec<E> {
  static std::string type() { return config::join_names(option_names(E{})); }
  static std::string yaml(E value) {
    return config::quote(option_names(value)[static_cast<std::size_t>(value)]);
  }
  static Result<E> parse(std::string_view text) {
    const auto index = config::parse_name(option_names(E{}), text);
    if (!index) return index.error();
    return static_cast<E>(*index);
  }
};

template <class T>
concept ScalarCodec = requires(std::string_view text) {
  { Codec<T>::parse(text) } -> std::same_as<Result<T>>;
};

namespace config {

// The value of `node`; nothing when it is none, and the problem is noted then.
template <class T>
std::optional<T> read_value(const Node& node, Reader& reader) {
  if constexpr (ScalarCodec<T>) {
    const auto text = scalar_text(node, reader, Codec<T>::type());
    if (!text) return std::nullopt;
    auto value = Codec<T>::parse(*text);
    if (value.ok()) return std::move(value).value();
    add_problem(node, reader, std::move(value).error().what);
    return std::nullopt;
  } else {
    return Codec<T>::read(node, reader);
  }
}

}  // namespace config
}  // namespace sluice
