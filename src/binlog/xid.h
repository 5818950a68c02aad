#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::binlog {

// Bytes of each of an XA transaction's two names (MySQL, MariaDB: MAXGTRIDSIZE, MAXBQUALSIZE).
constexpr std::uint32_t kMaxXidPart = 64;

// How an xid is written here: X'gtrid',X'bqual',format, as XA RECOVER and binlogs have it.  Both
// names in hex, small letters.
inline std::string xid_text(std::string_view gtrid, std::string_view bqual, std::uint32_t format) {
  std::string out = "X'";
  out.append(gtrid).append("',X'").append(bqual).append("',").append(std::to_string(format));
  return out;
}

}  // namespace sluice::binlog
