#include "sluice/event/lone_row.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include <simdjson.h>

namespace sluice::event {
namespace {

namespace dom = simdjson::dom;

Error unreadable(std::size_t line) {
  return Error{ErrorClass::poison, Errc::queue_message,
               "line " + std::to_string(line) + ": not a line of rows"};
}

struct Types {
  std::string mysql, sql;  // objects; they outlive the parser's document
};
using KnownTypes = std::map<std::pair<std::string, std::string>, Types, std::less<>>;

// What is at `index` of member `name`, which is an array or null.
std::string element(const dom::element& line, std::string_view name, std::size_t index) {
  dom::element found;
  if (line[name].at(index).get(found) != simdjson::SUCCESS) return "null";
  return "[" + std::string(simdjson::minify(found)) + "]";
}

// The members of a line in their order (docs/format.md).
std::string compose(const dom::element& line, std::size_t index, std::uint64_t row,
                    const Types& types) {
  constexpr std::array<std::string_view, 17> kMembers{
      "data",    "database", "es",  "gtid", "id",      "isDdl", "mysqlType", "nulled", "old",
      "pkNames", "rows",     "seq", "sql",  "sqlType", "table", "ts",        "type"};
  std::string out = "{";
  for (const std::string_view name : kMembers) {
    std::string value;
    if (name == "data" || name == "old") {
      value = element(line, name, index);
    } else if (name == "rows") {
      value = "[" + std::to_string(row) + "]";
    } else if (name == "mysqlType") {
      value = types.mysql;
    } else if (name == "sqlType") {
      value = types.sql;
    } else {
      dom::element found;
      if (line[name].get(found) != simdjson::SUCCESS) continue;
      value = simdjson::minify(found);
    }
    if (value.empty()) continue;
    out += out.size() == 1 ? "\"" : ",\"";
    out += name;
    out += "\":";
    out += value;
  }
  return out + "}\n";
}

}  // namespace

Result<std::vector<std::string>> lone_rows(std::string_view body, const std::vector<EventId>& ids) {
  std::vector<std::string> out;
  dom::parser parser;
  KnownTypes known;
  for (std::size_t number = 1; !body.empty() && out.size() < ids.size(); ++number) {
    const std::string_view text = body.substr(0, body.find('\n'));
    body.remove_prefix(std::min(text.size() + 1, body.size()));
    dom::element line;
    std::string_view database, table, seq_text;
    if (parser.parse(text.data(), text.size()).get(line) != simdjson::SUCCESS ||
        line["seq"].get(seq_text) != simdjson::SUCCESS)
      return unreadable(number);
    dom::array rows;
    if (line["rows"].get(rows) != simdjson::SUCCESS) continue;  // a tick, DDL
    const auto seq = Seq::parse(seq_text);
    if (!seq || line["database"].get(database) != simdjson::SUCCESS ||
        line["table"].get(table) != simdjson::SUCCESS)
      return unreadable(number);
    Types& types = known[{std::string(database), std::string(table)}];
    dom::object found;
    if (line["mysqlType"].get(found) == simdjson::SUCCESS) types.mysql = simdjson::minify(found);
    if (line["sqlType"].get(found) == simdjson::SUCCESS) types.sql = simdjson::minify(found);
    std::size_t index = 0;
    for (const dom::element row : rows) {
      std::uint64_t value = 0;
      if (row.get(value) != simdjson::SUCCESS) return unreadable(number);
      if (std::binary_search(ids.begin(), ids.end(), seq->with_row(value)))
        out.push_back(compose(line, index, value, types));
      ++index;
    }
  }
  return out;
}

}  // namespace sluice::event
