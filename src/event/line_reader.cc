#include "sluice/event/line_reader.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <unordered_map>

#include <simdjson.h>

#include "sluice/base/base64.h"
#include "sluice/base/text_buffer.h"

namespace sluice::event {
namespace {

namespace ondemand = simdjson::ondemand;

// The members of a line; the order is that of kMemberNames.
enum Member : std::size_t {
  data,
  database,
  es,
  file,
  gtid,
  id,
  is_ddl,
  mysql_type,
  old,
  pk_names,
  pos,
  rows,
  seq,
  sql,
  sql_type,
  table,
  ts,
  type,
  member_count
};
constexpr std::array<std::string_view, member_count> kMemberNames = {
    "data",    "database", "es",   "file", "gtid", "id",      "isDdl", "mysqlType", "old",
    "pkNames", "pos",      "rows", "seq",  "sql",  "sqlType", "table", "ts",        "type"};

constexpr std::uint32_t bit(Member m) noexcept {
  return 1U << m;
}
constexpr std::uint32_t kRowMembers = bit(data) | bit(database) | bit(es) | bit(gtid) | bit(id) |
                                      bit(is_ddl) | bit(old) | bit(pk_names) | bit(rows) |
                                      bit(seq) | bit(sql) | bit(table) | bit(ts) | bit(type);
constexpr std::uint32_t kTickMembers =
    bit(es) | bit(file) | bit(gtid) | bit(pos) | bit(seq) | bit(type);
constexpr std::uint32_t kDdlMembers = bit(database) | bit(table) | bit(es) | bit(type);

struct TypeName {
  std::string_view name;
  ChangeKind kind;
};
constexpr std::array<TypeName, 12> kTypes = {{{"INSERT", ChangeKind::insert},
                                              {"UPDATE", ChangeKind::update},
                                              {"DELETE", ChangeKind::remove},
                                              {"TICK", ChangeKind::tick},
                                              {"CREATE", ChangeKind::ddl},
                                              {"ALTER", ChangeKind::ddl},
                                              {"ERASE", ChangeKind::ddl},
                                              {"TRUNCATE", ChangeKind::ddl},
                                              {"RENAME", ChangeKind::ddl},
                                              {"CINDEX", ChangeKind::ddl},
                                              {"DINDEX", ChangeKind::ddl},
                                              {"QUERY", ChangeKind::ddl}}};

// A table as its first line in a message shows it: kept from message to message, since the next
// one says the same mostly.
struct ShownTable {
  std::string mysql_types, sql_types;  // as they stood in the line
  std::uint64_t message = 0;           // the last one that said so
  ChangeView::Shown shown;
};
constexpr std::size_t kMostTables = 4096;  // before they are forgotten

constexpr std::int64_t kBinarySqlType = 2004;

// UTF-8 of characters up to U+00FF -> their bytes; false for a character above.
bool to_bytes(std::string_view text, TextBuffer& out) {
  char* to = out.room(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c < 0x80) {
      *to++ = text[i];
      continue;
    }
    // The text is valid UTF-8, so C2 and C3 have their second byte.
    if (c > 0xC3 || i + 1 >= text.size()) return false;
    *to++ = static_cast<char>((c & 3U) << 6 | (static_cast<unsigned char>(text[++i]) & 0x3FU));
  }
  out.commit_to(to);
  return true;
}

bool is_ascii(std::string_view s) noexcept {
  return std::none_of(s.begin(), s.end(), [](char c) { return (c & 0x80) != 0; });
}

}  // namespace

struct LineReader::Impl {
  explicit Impl(bool base64) : binary_base64(base64) {}

  const bool binary_base64;
  ondemand::parser parser;
  TextBuffer body;    // with the padding simdjson wants
  TextBuffer binary;  // bytes of the binary columns of this line
  std::size_t size = 0, at = 0, line = 0;
  ondemand::parser types_parser;
  std::unordered_map<std::string, ShownTable> tables;  // by database NUL table
  std::string table_name;                              // of this line's, as in `tables`
  std::uint64_t next_shown = 1, message = 0;
  std::string_view mysql_types, sql_types;  // of this line; empty: none
  ChangeView view;
  std::string what;  // of the first fault

  // Every reader below returns false and says why in `what`.
  bool fault(std::string_view why) {
    if (what.empty()) what = why;
    return false;
  }
  bool fault(std::string_view member, std::string_view why) {
    return fault("\"" + std::string(member) + "\" " + std::string(why));
  }

  bool text(ondemand::value& v, Member m, std::string_view& out) {
    return v.get_string().get(out) == simdjson::SUCCESS ||
           fault(kMemberNames[m], "is not a string");
  }
  bool number(ondemand::value& v, Member m, std::int64_t& out) {
    return v.get_int64().get(out) == simdjson::SUCCESS || fault(kMemberNames[m], "is not a number");
  }
  // True and `out` open, or true and `none` for null.
  bool array(ondemand::value& v, Member m, ondemand::array& out, bool& none) {
    bool is_null = false;
    if (v.is_null().get(is_null) == simdjson::SUCCESS && is_null) {
      none = true;
      return true;
    }
    none = false;
    return v.get_array().get(out) == simdjson::SUCCESS || fault(kMemberNames[m], "is not an array");
  }

  // One row object -> fields.
  bool row_object(ondemand::value& v, Member m) {
    ondemand::object object;
    if (v.get_object().get(object) != simdjson::SUCCESS)
      return fault(kMemberNames[m], "holds something that is not an object");
    for (auto member : object) {
      ondemand::field field;
      ChangeView::Field f;
      if (std::move(member).get(field) != simdjson::SUCCESS ||
          field.unescaped_key().get(f.name) != simdjson::SUCCESS)
        return fault(kMemberNames[m], "holds a broken object");
      ondemand::value value = field.value();
      bool is_null = false;
      if (value.is_null().get(is_null) == simdjson::SUCCESS && is_null) {
        f.is_null = true;
      } else if (value.get_string().get(f.value) != simdjson::SUCCESS) {
        return fault(kMemberNames[m], "holds a value that is neither a string nor null");
      }
      view.fields.push_back(f);
    }
    return true;
  }

  bool read_data(ondemand::value& v) {
    ondemand::array list;
    bool none = false;
    if (!array(v, data, list, none)) return false;
    if (none) return true;
    for (auto element : list) {
      if (element.error() != simdjson::SUCCESS) return fault("data", "is broken");
      ondemand::value row = element.value_unsafe();
      ChangeView::Row r;
      r.data_begin = static_cast<std::uint32_t>(view.fields.size());
      if (!row_object(row, data)) return false;
      r.data_end = static_cast<std::uint32_t>(view.fields.size());
      view.rows.push_back(r);
    }
    return true;
  }

  // `data` came before: the keys of a line are in alphabetical order.
  bool read_old(ondemand::value& v, bool& present) {
    ondemand::array list;
    bool none = false;
    if (!array(v, old, list, none)) return false;
    present = !none;
    if (none) return true;
    std::size_t i = 0;
    for (auto element : list) {
      if (element.error() != simdjson::SUCCESS) return fault("old", "is broken");
      ondemand::value row = element.value_unsafe();
      if (i >= view.rows.size()) return fault("old", "has more rows than \"data\" before it");
      ChangeView::Row& r = view.rows[i++];
      r.old_begin = static_cast<std::uint32_t>(view.fields.size());
      if (!row_object(row, old)) return false;
      r.old_end = static_cast<std::uint32_t>(view.fields.size());
    }
    return i == view.rows.size() || fault("old", "has fewer rows than \"data\"");
  }

  bool read_rows(ondemand::value& v) {
    ondemand::array list;
    bool none = false;
    if (!array(v, rows, list, none)) return false;
    std::size_t i = 0;
    if (!none) {
      for (auto element : list) {
        std::uint64_t index = 0;
        if (element.get_uint64().get(index) != simdjson::SUCCESS)
          return fault("rows", "holds something that is not a row index");
        if (i >= view.rows.size()) return fault("rows", "is longer than \"data\"");
        if (i > 0 && index <= view.rows[i - 1].index) return fault("rows", "does not ascend");
        view.rows[i++].index = index;
      }
    }
    return i == view.rows.size() || fault("rows", "is shorter than \"data\"");
  }

  bool read_pk_names(ondemand::value& v) {
    ondemand::array list;
    bool none = false;
    if (!array(v, pk_names, list, none)) return false;
    if (none) return true;
    for (auto element : list) {
      std::string_view name;
      if (element.get_string().get(name) != simdjson::SUCCESS)
        return fault("pkNames", "holds something that is not a string");
      view.pk_names.push_back(name);
    }
    return true;
  }

  // As it stands there.
  bool read_types(ondemand::value& v, Member m, std::string_view& out) {
    return simdjson::to_json_string(v).get(out) == simdjson::SUCCESS ||
           fault(kMemberNames[m], "is broken");
  }

  // Calls f(name, value) with each member of the object `text`, which lies in `body`.
  template <class F>
  bool each_type(std::string_view text, Member m, F f) {
    ondemand::document document;
    ondemand::object object;
    const std::size_t capacity =
        static_cast<std::size_t>(body.data() + size - text.data()) + simdjson::SIMDJSON_PADDING;
    if (types_parser.iterate(text.data(), text.size(), capacity).get(document) !=
            simdjson::SUCCESS ||
        document.get_object().get(object) != simdjson::SUCCESS)
      return fault(kMemberNames[m], "is not an object");
    for (auto member : object) {
      ondemand::field field;
      std::string_view name;
      if (std::move(member).get(field) != simdjson::SUCCESS ||
          field.unescaped_key().get(name) != simdjson::SUCCESS)
        return fault(kMemberNames[m], "holds a broken object");
      ondemand::value value = field.value();
      if (!f(name, value)) return false;
    }
    return true;
  }

  bool parse_types(ChangeView::Shown& shown) {
    shown.columns.clear();
    const auto add = [&](std::string_view name, ondemand::value& value) {
      std::int64_t code = 0;
      if (value.get_int64().get(code) != simdjson::SUCCESS)
        return fault("sqlType", "holds something that is not a number");
      shown.columns.push_back({std::string(name), "", code == kBinarySqlType});
      return true;
    };
    if (!each_type(sql_types, sql_type, add)) return false;
    if (mysql_types.empty()) return true;
    std::size_t n = 0;
    const auto type = [&](std::string_view name, ondemand::value& value) {
      std::string_view text_of_type;
      if (n == shown.columns.size() || shown.columns[n].name != name)
        return fault("mysqlType", "has other columns than \"sqlType\"");
      if (value.get_string().get(text_of_type) != simdjson::SUCCESS)
        return fault("mysqlType", "holds something that is not a string");
      shown.columns[n++].mysql_type = text_of_type;
      return true;
    };
    if (!each_type(mysql_types, mysql_type, type)) return false;
    return n == shown.columns.size() || fault("mysqlType", "has fewer columns than \"sqlType\"");
  }

  // What this line's table looks like, by this line or an earlier one of the message.
  bool resolve_shown() {
    table_name.assign(view.database);
    table_name += '\0';
    table_name += view.table;
    const auto found = tables.find(table_name);
    if (sql_types.empty()) {
      if (found == tables.end() || found->second.message != message)
        return fault("no line of this table in the message has had \"sqlType\"");
      view.shown = &found->second.shown;
      return true;
    }
    ShownTable& table = found == tables.end() ? tables[table_name] : found->second;
    view.shown = &table.shown;
    if (table.shown.id == 0 || table.sql_types != sql_types || table.mysql_types != mysql_types) {
      table.shown.id = 0;  // unless it can be read
      if (!parse_types(table.shown)) return false;
      table.sql_types = sql_types;
      table.mysql_types = mysql_types;
      table.shown.id = next_shown++;
    }
    table.message = message;
    return true;
  }

  // Finds the columns of one row image and turns binary values back into bytes.
  bool columns_of(std::uint32_t begin, std::uint32_t end, const ChangeView::Shown& t) {
    std::size_t hint = 0;  // columns stand in table order
    for (std::uint32_t i = begin; i < end; ++i) {
      ChangeView::Field& f = view.fields[i];
      while (hint < t.columns.size() && t.columns[hint].name != f.name) ++hint;
      if (hint == t.columns.size()) {
        const auto it = std::find_if(t.columns.begin(), t.columns.end(),
                                     [&f](const auto& c) { return c.name == f.name; });
        if (it == t.columns.end())
          return fault(f.name, "is a column that \"sqlType\" does not have");
        hint = static_cast<std::size_t>(it - t.columns.begin());
      }
      f.column = static_cast<std::uint16_t>(hint);
      f.binary = t.columns[hint++].binary;
      if (!f.binary || f.is_null || (!binary_base64 && is_ascii(f.value))) continue;
      const std::size_t start = binary.size();
      const bool ok =
          binary_base64 ? append_base64_decoded(binary, f.value) : to_bytes(f.value, binary);
      if (!ok)
        return fault(f.name, binary_base64 ? "is not base64"
                                           : "is binary and holds a character above U+00FF");
      f.value = binary.view().substr(start);
    }
    return true;
  }

  bool resolve_columns() {
    if (!resolve_shown()) return false;
    const ChangeView::Shown& t = *view.shown;
    binary.clear();
    std::size_t total = 0;
    for (const ChangeView::Field& f : view.fields) total += f.value.size();
    binary.room(total + 4);  // so that views into it stay
    return std::all_of(view.rows.begin(), view.rows.end(), [&](const ChangeView::Row& r) {
      return columns_of(r.data_begin, r.data_end, t) && columns_of(r.old_begin, r.old_end, t);
    });
  }

  bool member(Member m, ondemand::value& v, std::string_view& type_text, bool& has_old) {
    std::string_view s;
    std::int64_t n = 0;
    switch (m) {
      case data: return read_data(v);
      case database: return text(v, m, view.database);
      case es: return number(v, m, view.es_ms);
      case file: return text(v, m, view.file);
      case gtid: return text(v, m, view.gtid);
      case id: return number(v, m, n);
      case is_ddl: {
        bool ddl = false;
        return v.get_bool().get(ddl) == simdjson::SUCCESS || fault("isDdl", "is not a boolean");
      }
      case old: return read_old(v, has_old);
      case pk_names: return read_pk_names(v);
      case pos:
        return v.get_uint64().get(view.pos) == simdjson::SUCCESS || fault("pos", "is not a number");
      case rows: return read_rows(v);
      case seq: {
        if (!text(v, m, s)) return false;
        auto parsed = Seq::parse(s);
        if (!parsed) return fault(parsed.error().what);
        view.seq = *parsed;
        return true;
      }
      case sql: return text(v, m, s);
      case sql_type: return read_types(v, m, sql_types);
      case table: return text(v, m, view.table);
      case ts: return number(v, m, view.ts_ms);
      case type: return text(v, m, type_text);
      case mysql_type: return read_types(v, m, mysql_types);
      case member_count: break;
    }
    return true;
  }

  bool complete(std::uint32_t seen, std::string_view type_text, bool has_old) {
    const auto* const known = std::find_if(kTypes.begin(), kTypes.end(),
                                           [&](const TypeName& t) { return t.name == type_text; });
    if ((seen & bit(type)) != 0 && known == kTypes.end())
      return fault("type", "is not one we know");
    const ChangeKind kind = known == kTypes.end() ? ChangeKind::insert : known->kind;
    const std::uint32_t wanted = kind == ChangeKind::tick  ? kTickMembers
                                 : kind == ChangeKind::ddl ? kDdlMembers
                                                           : kRowMembers;
    for (std::size_t m = 0; m < member_count; ++m)
      if ((wanted & ~seen & 1U << m) != 0) return fault(kMemberNames[m], "is missing");
    view.kind = kind;
    if (kind == ChangeKind::tick) return true;
    if (kind == ChangeKind::ddl)
      return view.rows.empty() || fault("data", "must be null in a DDL line");
    if (view.rows.empty()) return fault("data", "holds no row");
    if (has_old != (kind == ChangeKind::update))
      return fault("old", has_old ? "must be null here" : "is null in an update");
    return resolve_columns();
  }

  bool read_line(std::string_view text_of_line, std::size_t capacity) {
    ondemand::document document;
    ondemand::object object;
    if (const auto error =
            parser.iterate(text_of_line.data(), text_of_line.size(), capacity).get(document);
        error != simdjson::SUCCESS)
      return fault(simdjson::error_message(error));
    if (document.get_object().get(object) != simdjson::SUCCESS) return fault("not a JSON object");
    std::uint32_t seen = 0;
    std::string_view type_text;
    bool has_old = false;
    for (auto element : object) {
      ondemand::field field;
      if (const auto error = std::move(element).get(field); error != simdjson::SUCCESS)
        return fault(simdjson::error_message(error));
      std::string_view key;
      if (field.unescaped_key().get(key) != simdjson::SUCCESS) return fault("a broken member name");
      const auto* const known = std::find(kMemberNames.begin(), kMemberNames.end(), key);
      if (known == kMemberNames.end()) continue;
      const auto m = static_cast<Member>(known - kMemberNames.begin());
      if ((seen & bit(m)) != 0) return fault(*known, "stands there twice");
      seen |= bit(m);
      ondemand::value v = field.value();
      if (!member(m, v, type_text, has_old)) return false;
    }
    const char* rest = nullptr;
    if (document.current_location().get(rest) == simdjson::SUCCESS)
      return fault("something follows the JSON object");
    return complete(seen, type_text, has_old);
  }

  void clear_view() {
    view.kind = ChangeKind::tick;
    view.database = view.table = view.gtid = view.file = {};
    view.es_ms = view.ts_ms = 0;
    view.seq = {};
    view.shown = nullptr;
    mysql_types = sql_types = {};
    view.pos = 0;
    view.pk_names.clear();
    view.fields.clear();
    view.rows.clear();
  }
};

LineReader::LineReader(bool binary_base64) : impl_(std::make_unique<Impl>(binary_base64)) {}
LineReader::~LineReader() = default;

void LineReader::open(std::string_view body) {
  Impl& r = *impl_;
  r.body.clear();
  r.body.room(body.size() + simdjson::SIMDJSON_PADDING);
  r.body.append(body);
  std::memset(r.body.room(simdjson::SIMDJSON_PADDING), ' ', simdjson::SIMDJSON_PADDING);
  r.size = body.size();
  r.at = r.line = 0;
  ++r.message;
  if (r.tables.size() > kMostTables) r.tables.clear();
  r.what.clear();
}

Result<const ChangeView*> LineReader::next() {
  Impl& r = *impl_;
  if (r.at >= r.size) return static_cast<const ChangeView*>(nullptr);
  const std::string_view rest = std::string_view(r.body.data(), r.size).substr(r.at);
  const std::string_view line = rest.substr(0, rest.find('\n'));
  r.at += line.size() + 1;
  ++r.line;
  r.clear_view();
  const std::size_t capacity = rest.size() + simdjson::SIMDJSON_PADDING;
  if (r.read_line(line, capacity)) return static_cast<const ChangeView*>(&r.view);
  r.at = r.size;
  return Error{ErrorClass::poison, Errc::queue_message,
               "line " + std::to_string(r.line) + ": " + r.what};
}

}  // namespace sluice::event
