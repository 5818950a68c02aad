#include "decode/event_printer.h"

#include <array>
#include <ctime>

#include <nlohmann/json.hpp>

#include "sluice/base/charset.h"

#include "decode/event_fields.h"

namespace sluice::decode {
namespace {

using binlog::EventType;
using binlog::EventView;

std::string utc(std::uint32_t seconds) {
  const auto time = static_cast<std::time_t>(seconds);
  std::tm parts{};
  ::gmtime_r(&time, &parts);
  std::array<char, 32> text{};
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

// Bytes of a statement or a name as UTF-8: what is none becomes the characters U+0080..U+00FF.
std::string readable(std::string_view bytes) {
  if (is_utf8(bytes)) return std::string(bytes);
  TextBuffer text;
  append_latin1_as_utf8(bytes, text);
  return std::string(text.view());
}

void pad_left(TextBuffer& out, std::string_view text, std::size_t width) {
  for (std::size_t i = text.size(); i < width; ++i) out.push_back(' ');
  out.append(text);
}

void pad_right(TextBuffer& out, std::string_view text, std::size_t width) {
  out.append(text);
  for (std::size_t i = text.size(); i < width; ++i) out.push_back(' ');
}

// A value on one line: quoted when it could be mistaken for more than one.
void append_value(TextBuffer& out, const std::string& value) {
  constexpr std::string_view kNeedsQuotes = " \t\r\n\"\\=";
  if (!value.empty() && value.find_first_of(kNeedsQuotes) == std::string::npos) {
    out.append(value);
  } else {
    out.append(nlohmann::json(value).dump());
  }
}

std::string type_name(const EventView& event) {
  const std::string_view name = binlog::event_type_name(event.header.type);
  if (name != "UNKNOWN") return std::string(name);
  return "UNKNOWN(" + std::to_string(static_cast<unsigned>(event.header.type)) + ")";
}

}  // namespace

void EventPrinter::begin_file(TextBuffer& out, std::string_view file) const {
  if (json_) return;
  out.append("# ");
  out.append(file);
  out.append("\n#    offset      size  time                  type                  says\n");
}

Status EventPrinter::print(TextBuffer& out, const EventView& event, const Context& context) const {
  SLUICE_TRY_ASSIGN(EventFields fields, event_fields(event, *context.format));
  if (!context.table.empty()) {
    fields.push_back({"table", std::string(context.table), false});
    fields.push_back({"rows", std::to_string(context.rows), true});
  }
  for (EventField& f : fields)
    if (!f.number) f.text = readable(f.text);
  if (json_) {
    nlohmann::ordered_json line;
    line["file"] = readable(context.file);
    line["offset"] = context.offset;
    line["size"] = event.header.event_size;
    line["time"] = utc(event.header.timestamp);
    line["server_id"] = event.header.server_id;
    line["type"] = type_name(event);
    if (event.nested) line["nested"] = true;
    for (const EventField& f : fields)
      line[std::string(f.name)] =
          f.number ? nlohmann::ordered_json::parse(f.text) : nlohmann::ordered_json(f.text);
    out.append(line.dump());
  } else {
    pad_left(out, std::to_string(context.offset), 12);
    pad_left(out, std::to_string(event.header.event_size), 10);
    out.append("  ");
    pad_right(out, utc(event.header.timestamp), 20);
    out.append(event.nested ? "  | " : "  ");
    pad_right(out, type_name(event), event.nested ? 18 : 20);
    for (const EventField& f : fields) {
      out.append("  ");
      out.append(f.name);
      out.push_back('=');
      append_value(out, f.text);
    }
  }
  out.push_back('\n');
  return {};
}

Result<std::uint64_t> EventPrinter::count_rows(const binlog::RowsEvent& rows,
                                               const binlog::RowLayout& layout) {
  SLUICE_TRY(cursor_.restart(layout, rows));
  for (std::uint64_t count = 0;; ++count) {
    SLUICE_TRY_ASSIGN(const bool more, cursor_.next(images_));
    if (!more) return count;
  }
}

}  // namespace sluice::decode
