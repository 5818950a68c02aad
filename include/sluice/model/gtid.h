#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "sluice/base/result.h"
#include "sluice/model/flavor.h"

namespace sluice {

using Uuid = std::array<std::uint8_t, 16>;

// "3e11fa47-71ca-11e1-9e33-c80aa9429562"; the reader takes both cases and the form without dashes.
std::string uuid_to_string(const Uuid& uuid);
Result<Uuid> parse_uuid(std::string_view text);

// MySQL: source uuid, optional tag (8.3+, at most 32 characters, lower case), number 1...
struct MysqlGtid {
  Uuid uuid{};
  std::string tag;
  std::int64_t gno = 0;
  std::string to_string() const;  // "uuid:5" or "uuid:tag:5"
  friend auto operator<=>(const MysqlGtid&, const MysqlGtid&) = default;
};

// MariaDB: domain-server-sequence.
struct MariadbGtid {
  std::uint32_t domain = 0;
  std::uint32_t server_id = 0;
  std::uint64_t sequence = 0;
  std::string to_string() const;  // "0-1-100"
  friend auto operator<=>(const MariadbGtid&, const MariadbGtid&) = default;
};

// monostate: an anonymous transaction.
using Gtid = std::variant<std::monostate, MysqlGtid, MariadbGtid>;
std::string gtid_to_string(const Gtid& gtid);  // "" for an anonymous one
void append_gtid(const Gtid& gtid, std::string& out);

// A set of MySQL GTIDs: per (uuid, tag) sorted disjoint intervals, adjacent ones merged.
class MysqlGtidSet {
 public:
  struct Interval {  // [first, last], both included
    std::int64_t first = 0, last = 0;
    friend bool operator==(const Interval&, const Interval&) = default;
  };
  using Key = std::pair<Uuid, std::string>;

  // "uuid:1-5:7:tag:1-3,\nuuid:..."; white space is passed over; "" is the empty set.  Errors:
  // fatal/usage.
  static Result<MysqlGtidSet> parse(std::string_view text);
  // The server's own form without line breaks.
  std::string to_string() const;
  void add(const MysqlGtid& gtid);
  // first >= 1, last >= first.
  void add(const Uuid& uuid, const std::string& tag, Interval interval);
  void add(const MysqlGtidSet& other);
  bool contains(const MysqlGtid& gtid) const;
  bool contains(const MysqlGtidSet& other) const;
  // What this set has and `other` lacks.
  MysqlGtidSet minus(const MysqlGtidSet& other) const;
  bool empty() const noexcept { return sets_.empty(); }
  const std::map<Key, std::vector<Interval>>& sets() const noexcept { return sets_; }
  friend bool operator==(const MysqlGtidSet&, const MysqlGtidSet&) = default;

 private:
  std::map<Key, std::vector<Interval>> sets_;
};

// MariaDB's position: the last GTID of each domain (gtid_binlog_pos and friends).
class MariadbGtidSet {
 public:
  // "0-1-100,2-3-4"; white space is passed over; "" is the empty set.  Errors: fatal/usage.
  static Result<MariadbGtidSet> parse(std::string_view text);
  std::string to_string() const;
  // Replaces the domain's GTID: the binlog's order is the truth.
  void add(const MariadbGtid& gtid) { domains_[gtid.domain] = gtid; }
  // Keeps the higher sequence number of each domain.
  void add(const MariadbGtidSet& other);
  // By sequence number within the domain.
  bool contains(const MariadbGtid& gtid) const;
  bool contains(const MariadbGtidSet& other) const;
  // The GTIDs of this set that `other` does not contain.
  MariadbGtidSet minus(const MariadbGtidSet& other) const;
  bool empty() const noexcept { return domains_.empty(); }
  const std::map<std::uint32_t, MariadbGtid>& domains() const noexcept { return domains_; }
  friend bool operator==(const MariadbGtidSet&, const MariadbGtidSet&) = default;

 private:
  std::map<std::uint32_t, MariadbGtid> domains_;
};

// Either flavour; a value.  Thread-compatible.
class GtidSet {
 public:
  explicit GtidSet(Flavor flavor = Flavor::mysql);
  explicit GtidSet(MysqlGtidSet set);
  explicit GtidSet(MariadbGtidSet set);
  static Result<GtidSet> parse(Flavor flavor, std::string_view text);
  // Tells the flavour by the text; "" is an empty MySQL set.
  static Result<GtidSet> parse_any(std::string_view text);
  Flavor flavor() const noexcept;
  std::string to_string() const;
  // Anonymous GTIDs and empty sets change nothing; one of the other flavour is an error of ours
  // (throws bad_variant_access).
  void add(const Gtid& gtid);
  void add(const GtidSet& other);
  // False for an anonymous one and for one of the other flavour; an empty set is contained in every
  // set.
  bool contains(const Gtid& gtid) const;
  bool contains(const GtidSet& other) const;
  // What this set has and `other` lacks; all of it when `other` is of the other flavour.
  GtidSet minus(const GtidSet& other) const;
  // Null when the set is of the other flavour.
  const MysqlGtidSet* mysql() const noexcept { return std::get_if<MysqlGtidSet>(&set_); }
  const MariadbGtidSet* mariadb() const noexcept { return std::get_if<MariadbGtidSet>(&set_); }
  bool empty() const noexcept;
  friend bool operator==(const GtidSet&, const GtidSet&) = default;

 private:
  std::variant<MysqlGtidSet, MariadbGtidSet> set_;
};

}  // namespace sluice
