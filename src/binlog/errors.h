#pragma once
#include <string>
#include <string_view>

#include "sluice/base/byte_reader.h"
#include "sluice/base/result.h"

namespace sluice::binlog {

// "TABLE_MAP, 17 bytes": the bytes of this event (or part of it) end too early.
inline Error truncated(std::string_view what, std::size_t bytes) {
  return fatal(Errc::binlog_truncated, std::string(what) + ", " + std::to_string(bytes) + " bytes");
}
inline Error truncated(std::string_view what, Bytes bytes) {
  return truncated(what, bytes.size());
}

// "TABLE_MAP: 5000 columns": the bytes contradict themselves.
inline Error malformed(std::string_view what, std::string_view why) {
  return fatal(Errc::binlog_malformed, std::string(what) + ": " + std::string(why));
}
inline Error unsupported(std::string_view what, std::string_view why) {
  return fatal(Errc::binlog_unsupported, std::string(what) + ": " + std::string(why));
}

}  // namespace sluice::binlog
