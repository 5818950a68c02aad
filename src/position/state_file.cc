#include "sluice/position/state_file.h"

#include <array>
#include <chrono>

#include "sluice/base/checksum.h"
#include "sluice/base/text_buffer.h"

#include "json_members.h"

namespace sluice::position {
namespace {

constexpr std::uint64_t kVersion = 1;

std::string compact(const Json& json) {
  return json.dump(-1, ' ', true);
}

// The checksum is of the values, not of the white space: compact, members in alphabetical order,
// without "crc".
std::string checksum(const Json& without_crc) {
  return hex32(crc32(as_bytes(compact(without_crc))));
}

// "2026-01-31T12:00:00.123456Z": for people; updated_at_us is what is read.
std::string iso_time(std::int64_t us) {
  using std::chrono::days;
  using std::chrono::microseconds;
  const std::chrono::sys_time<microseconds> at{microseconds{us}};
  const auto day = std::chrono::floor<days>(at);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss time{at - day};
  TextBuffer out;
  const auto number = [&out](std::uint64_t v, unsigned digits, char after) {
    out.commit_to(write_padded(out.room(digits), v, digits));
    out.push_back(after);
  };
  const int year = static_cast<int>(date.year());
  if (year >= 0 && year <= 9999) {
    number(static_cast<std::uint64_t>(year), 4, '-');
  } else {  // a clock gone astray
    out.append_int(year);
    out.push_back('-');
  }
  number(static_cast<unsigned>(date.month()), 2, '-');
  number(static_cast<unsigned>(date.day()), 2, 'T');
  number(static_cast<std::uint64_t>(time.hours().count()), 2, ':');
  number(static_cast<std::uint64_t>(time.minutes().count()), 2, ':');
  number(static_cast<std::uint64_t>(time.seconds().count()), 2, '.');
  number(static_cast<std::uint64_t>(time.subseconds().count()), 6, 'Z');
  return std::string(out.view());
}

Json to_json(const State& s) {
  Json last = Json::array();
  for (const EventId& id : s.last) last.push_back(id.to_string());
  Json json{
      {"version", kVersion},
      {"instance", text_of_bytes(s.instance)},
      {"layout",
       {{"partitions", s.layout.partitions}, {"fingerprint", text_of_bytes(s.layout.fingerprint)}}},
      {"source",
       {{"flavor", text_of_bytes(s.source.flavor)},
        {"server_uuid", text_of_bytes(s.source.server_uuid)},
        {"server_id", s.source.server_id},
        {"domain_id", s.source.domain_id},
        {"binlog_base", text_of_bytes(s.source.binlog_base)},
        {"file_timestamp", s.source.file_timestamp},
        {"file_fingerprint", s.source.file_fingerprint}}},
      {"epoch", s.epoch},
      {"file", text_of_bytes(s.position.file)},
      {"pos", s.position.pos},
      {"gtid_set", text_of_bytes(s.gtid_set)},
      {"last", std::move(last)},
      {"updated_at", iso_time(s.updated_at_us)},
      {"updated_at_us", s.updated_at_us},
  };
  if (s.term != 0) json["term"] = s.term;
  if (!s.lineage.empty()) json["lineage"] = text_of_bytes(s.lineage);
  if (!s.trail.prints.empty()) {
    Json prints = Json::array();
    for (const std::uint64_t print : s.trail.prints) prints.push_back(print);
    json["trail"] = Json{{"commit_ms", s.trail.commit_ms}, {"prints", std::move(prints)}};
  }
  if (s.overlap_pending) json["overlap"] = "pending";
  if (!s.overlap.empty()) {
    Json marks = Json::array();
    for (const auto& mark : s.overlap)
      marks.push_back(mark ? Json{{"gtid", text_of_bytes(mark->gtid)}, {"ordinal", mark->ordinal}}
                           : Json());
    json["overlap"] = std::move(marks);
  }
  return json;
}

// Absent where transactions have GTIDs.
Status read_trail(const Json& json, State& s) {
  const auto member = json.find("trail");
  if (member == json.end()) return {};
  Members trail(*member);
  s.trail.commit_ms = trail.i64("commit_ms");
  for (const Json& print : trail.array("prints")) {
    if (!print.is_number_unsigned())
      return fatal(Errc::position_damaged, "trail: a print is not a number");
    s.trail.prints.push_back(print.get<std::uint64_t>());
  }
  if (trail.problem().empty() && s.trail.prints.size() <= Trail::kLongest) return {};
  return fatal(Errc::position_damaged,
               "trail: " + (trail.problem().empty() ? "too long" : trail.problem()));
}

// By partition; absent in most files.
Status read_overlap(const Json& json, State& s) {
  const auto member = json.find("overlap");
  if (member == json.end()) return {};
  if (member->is_string() && member->get_ref<const std::string&>() == "pending") {
    s.overlap_pending = true;
    return {};
  }
  if (!member->is_array() || member->size() != s.layout.partitions)
    return fatal(Errc::position_damaged,
                 "overlap: neither \"pending\" nor one entry for each partition");
  for (const Json& item : *member) {
    s.overlap.emplace_back();
    if (item.is_null()) continue;
    Members mark(item);
    s.overlap.back() = OverlapMark{mark.text("gtid"), mark.u64("ordinal")};
    if (!mark.problem().empty()) return fatal(Errc::position_damaged, "overlap: " + mark.problem());
  }
  return {};
}

// Absent where the state has never had a copy.
Status read_term(const Json& json, State& s) {
  if (!json.contains("term") && !json.contains("lineage")) return {};
  Members members(json);
  s.term = members.u64("term");
  s.lineage = members.text("lineage");
  return members.problem().empty() ? Status() : fatal(Errc::position_damaged, members.problem());
}

// The order in the file: what a person looks for first.
constexpr std::array kFileOrder{
    "version", "instance", "epoch", "file",    "pos",   "gtid_set", "updated_at", "updated_at_us",
    "source",  "layout",   "last",  "overlap", "trail", "term",     "lineage",    "crc"};

Error damaged(std::string what) {
  return fatal(Errc::position_damaged, std::move(what));
}

}  // namespace

void Trail::add(std::uint64_t print, std::int64_t ms) {
  if (print != 0) {
    if (prints.size() == kLongest) prints.erase(prints.begin());
    prints.push_back(print);
  }
  if (ms != 0) commit_ms = ms;
}

std::string encode(const State& state) {
  Json json = to_json(state);
  json["crc"] = checksum(json);
  std::string out = "{";
  for (const char* name : kFileOrder) {
    if (!json.contains(name)) continue;
    out += out.size() == 1 ? "\n  \"" : ",\n  \"";
    out += name;
    out += "\": ";
    out += compact(json[name]);
  }
  return out + "\n}\n";
}

Result<State> decode(std::string_view text) {
  if (text.empty()) return damaged("the file is empty");
  Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded() || !json.is_object())
    return damaged(text.find('\0') != std::string_view::npos ? "not JSON: it holds NUL bytes"
                                                             : "not a whole JSON object");
  Members top(json);
  const std::uint64_t version = top.u64("version");
  if (top.problem().empty() && version > kVersion)
    return fatal(Errc::position_mismatch,
                 "format version " + std::to_string(version) + ", this program knows up to " +
                     std::to_string(kVersion) + ": run the newer sluice that wrote it");
  const std::string crc = top.text("crc");
  if (!top.problem().empty()) return damaged(top.problem());
  json.erase("crc");
  if (const std::string actual = checksum(json); crc != actual)
    return damaged("checksum is " + actual + ", the file says " + crc.substr(0, 16));
  if (version != kVersion) return damaged("format version " + std::to_string(version));

  State s;
  s.instance = top.text("instance");
  Members layout(top.object("layout"));
  s.layout.partitions = layout.u32("partitions");
  s.layout.fingerprint = layout.text("fingerprint");
  top.note("layout", layout.problem());
  Members source(top.object("source"));
  s.source.flavor = source.text("flavor");
  s.source.server_uuid = source.text("server_uuid");
  s.source.server_id = source.u32("server_id");
  s.source.domain_id = source.u32("domain_id");
  s.source.binlog_base = source.text("binlog_base");
  s.source.file_timestamp = source.u32("file_timestamp");
  s.source.file_fingerprint = source.u32("file_fingerprint");
  top.note("source", source.problem());
  s.epoch = top.u32("epoch");
  s.position.file = top.text("file");
  s.position.pos = top.u64("pos");
  s.gtid_set = top.text("gtid_set");
  s.updated_at_us = top.i64("updated_at_us");
  for (const Json& item : top.array("last")) {
    if (!item.is_string()) return damaged("last: an entry is not a text");
    auto id = EventId::parse(item.get_ref<const std::string&>());
    if (!id) return damaged("last: " + id.error().what);
    s.last.push_back(*id);
  }
  if (!top.problem().empty()) return damaged(top.problem());
  SLUICE_TRY(read_overlap(json, s));
  SLUICE_TRY(read_trail(json, s));
  SLUICE_TRY(read_term(json, s));
  if (s.last.size() != s.layout.partitions)
    return damaged("last has " + std::to_string(s.last.size()) + " entries for " +
                   std::to_string(s.layout.partitions) + " partitions");
  return s;
}

}  // namespace sluice::position
