#include "sluice/position/applied_record.h"

#include <algorithm>

#include "json_members.h"
#include "record_version.h"

namespace sluice::position {
namespace {

// A JSON string in ASCII: any byte in, the same byte out (see text_of_bytes).
void append_quoted(TextBuffer& out, std::string_view bytes) {
  constexpr std::string_view kHex = "0123456789abcdef";
  char* at = out.room(bytes.size() * 6 + 2);
  *at++ = '"';
  for (const char b : bytes) {
    const auto c = static_cast<unsigned char>(b);
    if (c == '"' || c == '\\') {
      *at++ = '\\';
      *at++ = b;
    } else if (c >= 0x20 && c < 0x7F) {
      *at++ = b;
    } else {
      at = std::copy_n("\\u00", 4, at);
      *at++ = kHex[c >> 4U];
      *at++ = kHex[c & 0xFU];
    }
  }
  *at++ = '"';
  out.commit_to(at);
}

void append_tick(TextBuffer& out, const TickMark& tick) {
  out.append(R"("tick":{"epoch":)");
  out.append_uint(tick.epoch);
  out.append(R"(,"file_number":)");
  out.append_uint(tick.file_number);
  out.append(R"(,"pos":)");
  out.append_uint(tick.pos);
  out.append(R"(,"file":)");
  append_quoted(out, tick.file);
  out.append(R"(,"gtid_set":)");
  append_quoted(out, tick.gtid_set);
  out.append(R"(,"es":)");
  out.append_int(tick.es_ms);
  out.push_back('}');
}

TickMark read_tick(Members& parent) {
  Members m(parent.object("tick"));
  TickMark t;
  t.epoch = m.u32("epoch");
  t.file_number = m.u64("file_number");
  t.pos = m.u64("pos");
  t.file = m.text("file");
  t.gtid_set = m.text("gtid_set");
  t.es_ms = m.i64("es");
  parent.note("tick", m.problem());
  return t;
}

}  // namespace

bool TickMark::before(const TickMark& other) const noexcept {
  if (epoch != other.epoch) return epoch < other.epoch;
  if (file_number != other.file_number) return file_number < other.file_number;
  return pos < other.pos;
}

std::string applied_key(std::string_view instance, std::uint32_t partitions, std::uint32_t n) {
  return "sluice:" + std::string(instance) + ":p" + std::to_string(partitions) + ":" +
         std::to_string(n);
}

std::string watermark_key(std::string_view instance) {
  return "sluice:" + std::string(instance) + ":watermark";
}

void append(TextBuffer& out, const AppliedRecord& record) {
  out.append(R"({"v":1,"id":")");
  record.id.append_to(out);
  out.append(R"(","gtid":)");
  append_quoted(out, record.gtid);
  out.append(R"(,"ordinal":)");
  out.append_uint(record.ordinal);
  out.append(R"(,"layout":)");
  append_quoted(out, record.layout);
  out.push_back(',');
  append_tick(out, record.tick);
  out.push_back('}');
}

Result<AppliedRecord> parse_applied(std::string_view text) {
  constexpr std::string_view kWhat = "applied record";
  const Json json = Json::parse(text, nullptr, false);
  Members m(json);
  SLUICE_TRY(check_record_version(kWhat, m));
  AppliedRecord r;
  auto id = EventId::parse(m.text("id"));
  r.gtid = m.text("gtid");
  r.ordinal = m.u64("ordinal");
  r.layout = m.text("layout");
  r.tick = read_tick(m);
  if (!m.problem().empty()) return damaged_record(kWhat, m.problem());
  if (!id) return damaged_record(kWhat, id.error().what);
  r.id = *id;
  return r;
}

std::string encode(const Watermark& watermark) {
  TextBuffer out;
  out.append(R"({"v":1,"updated_at_ms":)");
  out.append_int(watermark.updated_at_ms);
  out.push_back(',');
  append_tick(out, watermark.tick);
  out.push_back('}');
  return std::string(out.view());
}

Result<Watermark> parse_watermark(std::string_view text) {
  constexpr std::string_view kWhat = "watermark";
  const Json json = Json::parse(text, nullptr, false);
  Members m(json);
  SLUICE_TRY(check_record_version(kWhat, m));
  Watermark w;
  w.updated_at_ms = m.i64("updated_at_ms");
  w.tick = read_tick(m);
  if (!m.problem().empty()) return damaged_record(kWhat, m.problem());
  return w;
}

}  // namespace sluice::position
