#pragma once
#include <string_view>

#include "sluice/base/result.h"

#include "mysql/client.h"

namespace sluice::mysql {

// What an error packet in the place of an event means.  1236 (ER_SOURCE_FATAL_ERROR_READING_BINLOG)
// covers two dozen different things that only its text tells apart; `from` is where the dump was
// asked to begin: a position, or "behind" a GTID set.
Error stream_error_of(unsigned number, std::string_view text, const Peer& peer,
                      std::string_view from);

}  // namespace sluice::mysql
