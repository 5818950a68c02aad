#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "sluice/base/result.h"

namespace sluice::queue {

// Whom we talk to, as whom; for the texts of errors and their remedies.
struct Peer {
  std::string host;
  std::uint32_t port = 0;
  std::string user, vhost;
  // "RabbitMQ at 127.0.0.1:5672"
  std::string name() const;
};

// Connection or channel gone, or not to be had: retry/queue_lost.
Error lost(const Peer& peer, std::string_view why);

// What a reply code of connection.close or channel.close asks of us:
//   403, 530             fatal/queue_denied with the command that grants it (a connection limit or
//   a vhost that is down: retry) 404, 405, 406        fatal/queue_topology (a queue whose node is
//   down, a consumer timeout: retry) 311, 406 for a size  fatal/queue_message everything else
//   retry/queue_lost
// `logging_in`: before connection.open-ok.
Error broker_error(const Peer& peer, std::uint16_t code, std::string_view text, bool logging_in);

}  // namespace sluice::queue
