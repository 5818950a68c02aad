#pragma once
#include <string_view>

#include "sluice/base/result.h"
#include "sluice/model/binlog_position.h"

#include "mysql/client.h"

namespace sluice::mysql {

// What an error packet in the place of an event means.  1236 (ER_SOURCE_FATAL_ERROR_READING_BINLOG)
// covers a dozen different things that only its text tells apart; `from` is where the dump was
// asked to begin.
Error stream_error_of(unsigned number, std::string_view text, const Peer& peer,
                      const BinlogPosition& from);

}  // namespace sluice::mysql
