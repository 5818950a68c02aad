#include "sluice/model/gtid.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <limits>
#include <optional>

#include "sluice/base/text_buffer.h"

namespace sluice {
namespace {

// MySQL's GNO_END: no GTID has it (mysql-server: sql/rpl_gtid.h).
constexpr std::int64_t kLastGno = std::numeric_limits<std::int64_t>::max() - 1;
constexpr std::size_t kMaxTag = 32;
constexpr std::string_view kHex = "0123456789abcdef";
// "00", "01" ... "ff".
constexpr std::array<char, 512> kHexPairs = [] {
  std::array<char, 512> t{};
  for (std::size_t i = 0; i < 256; ++i) {
    t[2 * i] = kHex[i / 16];
    t[2 * i + 1] = kHex[i % 16];
  }
  return t;
}();

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}
bool starts_tag(char c) {
  return (lower(c) >= 'a' && lower(c) <= 'z') || c == '_';
}

int hex_value(char c) {
  const auto at = kHex.find(lower(c));
  return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

// Walks a GTID set's text, passing over white space between its parts.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}
  // '\0' at the end.
  char peek() {
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool at_end() {
    peek();
    return at_ == text_.size();
  }
  bool eat(char c) {
    if (at_end() || peek() != c) return false;
    ++at_;
    return true;
  }
  template <class Int>
  std::optional<Int> number() {
    if (!is_digit(peek())) return std::nullopt;
    Int out = 0;
    const char* const end = text_.data() + text_.size();
    const auto [next, err] = std::from_chars(text_.data() + at_, end, out);
    if (err != std::errc{}) return std::nullopt;
    at_ = static_cast<std::size_t>(next - text_.data());
    return out;
  }
  // The characters up to white space, ':', or ','.
  std::string_view word() {
    peek();
    const std::size_t from = at_;
    while (at_ < text_.size() && !is_space(text_[at_]) && text_[at_] != ':' && text_[at_] != ',')
      ++at_;
    return text_.substr(from, at_ - from);
  }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
};

Error not_a_set(std::string_view text, std::string_view why, std::string_view example) {
  return fatal(Errc::usage, "\"" + std::string(text.substr(0, 200)) +
                                "\" is not a GTID set: " + std::string(why) +
                                "; expected for example " + std::string(example));
}

std::optional<std::string> parse_tag(std::string_view word) {
  if (word.empty() || word.size() > kMaxTag || !starts_tag(word[0])) return std::nullopt;
  std::string out;
  for (const char c : word) {
    if (!starts_tag(c) && !is_digit(c)) return std::nullopt;
    out.push_back(lower(c));
  }
  return out;
}

void append_interval(TextBuffer& out, const MysqlGtidSet::Interval& interval) {
  out.push_back(':');
  out.append_int(interval.first);
  if (interval.last == interval.first) return;
  out.push_back('-');
  out.append_int(interval.last);
}

void append_uuid(const Uuid& uuid, std::string& out) {
  std::array<char, 36> text{};
  char* to = text.data();
  for (std::size_t i = 0; i < uuid.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) *to++ = '-';
    std::memcpy(to, &kHexPairs[std::size_t{2} * uuid[i]], 2);
    to += 2;
  }
  out.append(text.data(), text.size());
}

void append_number(std::int64_t v, std::string& out) {
  std::array<char, 20> text{};
  out.append(text.data(), write_int(text.data(), v));
}
void append_number(std::uint64_t v, std::string& out) {
  std::array<char, 20> text{};
  out.append(text.data(), write_uint(text.data(), v));
}

void append(const MysqlGtid& gtid, std::string& out) {
  append_uuid(gtid.uuid, out);
  out += ':';
  if (!gtid.tag.empty()) (out += gtid.tag) += ':';
  append_number(gtid.gno, out);
}

void append(const MariadbGtid& gtid, std::string& out) {
  append_number(std::uint64_t{gtid.domain}, out);
  out += '-';
  append_number(std::uint64_t{gtid.server_id}, out);
  out += '-';
  append_number(gtid.sequence, out);
}

}  // namespace

std::string uuid_to_string(const Uuid& uuid) {
  std::string out;
  append_uuid(uuid, out);
  return out;
}

Result<Uuid> parse_uuid(std::string_view text) {
  const auto bad = [&] {
    return fatal(Errc::usage, "\"" + std::string(text.substr(0, 100)) + "\" is not a UUID");
  };
  const bool dashes = text.size() == 36;
  if (!dashes && text.size() != 32) return bad();
  Uuid out{};
  std::size_t at = 0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (dashes && (i == 4 || i == 6 || i == 8 || i == 10) && text[at++] != '-') return bad();
    const int high = hex_value(text[at]);
    const int low = hex_value(text[at + 1]);
    if (high < 0 || low < 0) return bad();
    out[i] = static_cast<std::uint8_t>(high * 16 + low);
    at += 2;
  }
  return out;
}

std::string MysqlGtid::to_string() const {
  std::string out;
  append(*this, out);
  return out;
}

std::string MariadbGtid::to_string() const {
  std::string out;
  append(*this, out);
  return out;
}

std::string gtid_to_string(const Gtid& gtid) {
  std::string out;
  append_gtid(gtid, out);
  return out;
}

void append_gtid(const Gtid& gtid, std::string& out) {
  if (const auto* mysql = std::get_if<MysqlGtid>(&gtid)) append(*mysql, out);
  if (const auto* mariadb = std::get_if<MariadbGtid>(&gtid)) append(*mariadb, out);
}

// --- MySQL

Result<MysqlGtidSet> MysqlGtidSet::parse(std::string_view text) {
  const auto bad = [text](std::string_view why) {
    return not_a_set(text, why, "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5");
  };
  MysqlGtidSet out;
  Scanner in(text);
  while (!in.at_end()) {
    if (in.eat(',')) continue;  // the server takes empty parts too
    const auto uuid = parse_uuid(in.word());
    if (!uuid.ok()) return bad("a part does not begin with a UUID");
    std::string tag;
    bool any = false;
    if (in.peek() != ':') return bad("a UUID without numbers");
    while (in.eat(':')) {
      if (starts_tag(in.peek())) {
        auto name = parse_tag(in.word());
        if (!name)
          return bad("a tag has at most 32 of a-z, 0-9 and _, and does not begin with a digit");
        if (in.peek() != ':') return bad("a tag without numbers");
        tag = std::move(*name);
        continue;
      }
      const auto first = in.number<std::int64_t>();
      auto last = first;
      if (in.eat('-')) last = in.number<std::int64_t>();
      if (!first || !last) return bad("a number, or FIRST-LAST, is missing");
      if (*first < 1 || *last < *first || *last > kLastGno)
        return bad("an interval is out of range or ends before it begins");
      out.add(*uuid, tag, {*first, *last});
      any = true;
    }
    if (!any || (!in.at_end() && in.peek() != ',')) return bad("unexpected characters");
  }
  return out;
}

std::string MysqlGtidSet::to_string() const {
  TextBuffer out;
  const Uuid* previous = nullptr;
  for (const auto& [key, intervals] : sets_) {
    if (previous == nullptr || *previous != key.first) {
      if (previous != nullptr) out.push_back(',');
      out.append(uuid_to_string(key.first));
      previous = &key.first;
    }
    if (!key.second.empty()) {
      out.push_back(':');
      out.append(key.second);
    }
    for (const Interval& interval : intervals) append_interval(out, interval);
  }
  return std::string(out.view());
}

void MysqlGtidSet::add(const MysqlGtid& gtid) {
  add(gtid.uuid, gtid.tag, {gtid.gno, gtid.gno});
}

void MysqlGtidSet::add(const Uuid& uuid, const std::string& tag, Interval interval) {
  std::vector<Interval>& all = sets_[Key(uuid, tag)];
  // The usual case: the next one, or a later one, of the same source.
  if (!all.empty() && interval.first > all.back().last) {
    if (interval.first - 1 == all.back().last)
      all.back().last = interval.last;
    else
      all.push_back(interval);
    return;
  }
  // The first interval that is not wholly before the new one with a gap between them.  first >= 1,
  // so first - 1 is safe.
  const auto from =
      std::lower_bound(all.begin(), all.end(), interval,
                       [](const Interval& a, const Interval& b) { return a.last < b.first - 1; });
  auto to = from;
  for (; to != all.end() && to->first - 1 <= interval.last; ++to) {
    interval.first = std::min(interval.first, to->first);
    interval.last = std::max(interval.last, to->last);
  }
  if (from == to) {
    all.insert(from, interval);
    return;
  }
  *from = interval;
  all.erase(from + 1, to);
}

void MysqlGtidSet::add(const MysqlGtidSet& other) {
  if (this == &other) return;
  for (const auto& [key, intervals] : other.sets_)
    for (const Interval& interval : intervals) add(key.first, key.second, interval);
}

namespace {

// True when one of the sorted intervals holds all of `wanted`.
bool holds(const std::vector<MysqlGtidSet::Interval>& all, const MysqlGtidSet::Interval& wanted) {
  const auto at = std::lower_bound(all.begin(), all.end(), wanted,
                                   [](const auto& a, const auto& b) { return a.last < b.first; });
  return at != all.end() && at->first <= wanted.first && wanted.last <= at->last;
}

}  // namespace

bool MysqlGtidSet::contains(const MysqlGtid& gtid) const {
  const auto at = sets_.find(Key(gtid.uuid, gtid.tag));
  return at != sets_.end() && holds(at->second, {gtid.gno, gtid.gno});
}

bool MysqlGtidSet::contains(const MysqlGtidSet& other) const {
  return std::all_of(other.sets_.begin(), other.sets_.end(), [this](const auto& entry) {
    const auto at = sets_.find(entry.first);
    return at != sets_.end() &&
           std::all_of(entry.second.begin(), entry.second.end(),
                       [&](const Interval& i) { return holds(at->second, i); });
  });
}

MysqlGtidSet MysqlGtidSet::minus(const MysqlGtidSet& other) const {
  MysqlGtidSet out;
  for (const auto& [key, intervals] : sets_) {
    const auto at = other.sets_.find(key);
    for (Interval rest : intervals) {
      if (at != other.sets_.end()) {
        for (const Interval& cut : at->second) {
          if (cut.last < rest.first) continue;
          if (cut.first > rest.last) break;
          if (cut.first > rest.first) out.add(key.first, key.second, {rest.first, cut.first - 1});
          rest.first = cut.last + 1;  // the largest number is below the type's limit
        }
      }
      if (rest.first <= rest.last) out.add(key.first, key.second, rest);
    }
  }
  return out;
}

// --- MariaDB

Result<MariadbGtidSet> MariadbGtidSet::parse(std::string_view text) {
  const auto bad = [text](std::string_view why) { return not_a_set(text, why, "0-1-100"); };
  MariadbGtidSet out;
  Scanner in(text);
  if (in.at_end()) return out;
  do {
    const auto domain = in.number<std::uint32_t>();
    const bool dash1 = in.eat('-');
    const auto server = in.number<std::uint32_t>();
    const bool dash2 = in.eat('-');
    const auto sequence = in.number<std::uint64_t>();
    if (!domain || !dash1 || !server || !dash2 || !sequence)
      return bad("DOMAIN-SERVER-SEQUENCE is missing or out of range");
    if (out.domains_.contains(*domain)) return bad("a domain stands there twice");
    out.add(MariadbGtid{*domain, *server, *sequence});
  } while (in.eat(','));
  if (!in.at_end()) return bad("unexpected characters");
  return out;
}

std::string MariadbGtidSet::to_string() const {
  std::string out;
  for (const auto& [domain, gtid] : domains_) {
    if (!out.empty()) out.push_back(',');
    out += gtid.to_string();
  }
  return out;
}

void MariadbGtidSet::add(const MariadbGtidSet& other) {
  for (const auto& [domain, gtid] : other.domains_)
    if (!contains(gtid)) domains_[domain] = gtid;
}

bool MariadbGtidSet::contains(const MariadbGtid& gtid) const {
  const auto at = domains_.find(gtid.domain);
  return at != domains_.end() && at->second.sequence >= gtid.sequence;
}

bool MariadbGtidSet::contains(const MariadbGtidSet& other) const {
  return std::all_of(other.domains_.begin(), other.domains_.end(),
                     [this](const auto& entry) { return contains(entry.second); });
}

MariadbGtidSet MariadbGtidSet::minus(const MariadbGtidSet& other) const {
  MariadbGtidSet out;
  for (const auto& [domain, gtid] : domains_)
    if (!other.contains(gtid)) out.add(gtid);
  return out;
}

// --- either

GtidSet::GtidSet(Flavor flavor) {
  if (flavor == Flavor::mariadb) set_.emplace<MariadbGtidSet>();
}

GtidSet::GtidSet(MysqlGtidSet set) : set_(std::move(set)) {}
GtidSet::GtidSet(MariadbGtidSet set) : set_(std::move(set)) {}

Result<GtidSet> GtidSet::parse(Flavor flavor, std::string_view text) {
  if (flavor == Flavor::mysql) {
    SLUICE_TRY_ASSIGN(auto set, MysqlGtidSet::parse(text));
    return GtidSet(std::move(set));
  }
  SLUICE_TRY_ASSIGN(auto set, MariadbGtidSet::parse(text));
  return GtidSet(std::move(set));
}

Result<GtidSet> GtidSet::parse_any(std::string_view text) {
  // MySQL's always has a colon; nothing else in MariaDB's could.
  const bool blank = std::all_of(text.begin(), text.end(), is_space);
  const bool mysql = blank || text.find(':') != std::string_view::npos;
  return parse(mysql ? Flavor::mysql : Flavor::mariadb, text);
}

Flavor GtidSet::flavor() const noexcept {
  return set_.index() == 0 ? Flavor::mysql : Flavor::mariadb;
}

std::string GtidSet::to_string() const {
  return std::visit([](const auto& set) { return set.to_string(); }, set_);
}

// std::get throws on the other flavour: that is a bug of ours, caught at the thread's top.
void GtidSet::add(const Gtid& gtid) {
  if (const auto* mysql = std::get_if<MysqlGtid>(&gtid)) std::get<MysqlGtidSet>(set_).add(*mysql);
  if (const auto* mariadb = std::get_if<MariadbGtid>(&gtid))
    std::get<MariadbGtidSet>(set_).add(*mariadb);
}

void GtidSet::add(const GtidSet& other) {
  if (other.empty()) return;
  if (const auto* mysql = std::get_if<MysqlGtidSet>(&other.set_))
    std::get<MysqlGtidSet>(set_).add(*mysql);
  else
    std::get<MariadbGtidSet>(set_).add(std::get<MariadbGtidSet>(other.set_));
}

bool GtidSet::contains(const Gtid& gtid) const {
  if (const auto* mysql = std::get_if<MysqlGtid>(&gtid)) {
    const auto* set = std::get_if<MysqlGtidSet>(&set_);
    return set != nullptr && set->contains(*mysql);
  }
  if (const auto* mariadb = std::get_if<MariadbGtid>(&gtid)) {
    const auto* set = std::get_if<MariadbGtidSet>(&set_);
    return set != nullptr && set->contains(*mariadb);
  }
  return false;
}

bool GtidSet::contains(const GtidSet& other) const {
  if (other.empty()) return true;
  if (other.set_.index() != set_.index()) return false;
  if (const auto* mysql = std::get_if<MysqlGtidSet>(&set_))
    return mysql->contains(std::get<MysqlGtidSet>(other.set_));
  return std::get<MariadbGtidSet>(set_).contains(std::get<MariadbGtidSet>(other.set_));
}

GtidSet GtidSet::minus(const GtidSet& other) const {
  if (set_.index() != other.set_.index()) return *this;
  if (const auto* mysql = std::get_if<MysqlGtidSet>(&set_))
    return GtidSet(mysql->minus(std::get<MysqlGtidSet>(other.set_)));
  return GtidSet(std::get<MariadbGtidSet>(set_).minus(std::get<MariadbGtidSet>(other.set_)));
}

bool GtidSet::empty() const noexcept {
  if (const auto* mysql = std::get_if<MysqlGtidSet>(&set_)) return mysql->empty();
  const auto* mariadb = std::get_if<MariadbGtidSet>(&set_);
  return mariadb == nullptr || mariadb->empty();
}

}  // namespace sluice
