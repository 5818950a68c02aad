#include "queue/broker_error.h"

#include <amqp.h>

#include "sluice/config/values.h"

namespace sluice::queue {
namespace {

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

std::string shell_quoted(std::string_view word) {
  std::string out = "'";
  for (const char c : word) {
    if (c == '\'')
      out += "'\\''";
    else
      out += c;
  }
  return out + "'";
}

std::string grant(const Peer& peer) {
  return "rabbitmqctl set_permissions -p " + shell_quoted(peer.vhost) + " " +
         shell_quoted(peer.user) + R"( '^sluice\.' '^sluice\.' '^sluice\.')";
}

}  // namespace

std::string Peer::name() const {
  return "RabbitMQ at " + HostPort{host, port}.to_string(0);
}

Error lost(const Peer& peer, std::string_view why) {
  return retry(Errc::queue_lost, peer.name() + ": " + std::string(why));
}

Error broker_error(const Peer& peer, std::uint16_t code, std::string_view text, bool logging_in) {
  const std::string what =
      peer.name() + " as " + peer.user + ": " + std::to_string(code) + " " + std::string(text);
  switch (code) {
    case AMQP_ACCESS_REFUSED:
      if (logging_in) {
        return fatal(Errc::queue_denied,
                     what + "; check queue.user and queue.password, or: rabbitmqctl add_user " +
                         shell_quoted(peer.user) + " PASSWORD && " + grant(peer));
      }
      return fatal(Errc::queue_denied, what + "; remedy: " + grant(peer));
    case AMQP_NOT_ALLOWED:
      // rabbit_reader uses the same code for limits and for a vhost whose process is restarting
      // (rabbitmq-server v3.10.8, deps/rabbit/src/rabbit_reader.erl, is_over_*_limit,
      // is_vhost_alive).
      if (has(text, "limit") || has(text, "is down")) return retry(Errc::queue_lost, what);
      return fatal(Errc::queue_denied, what + "; check queue.vhost, or: rabbitmqctl add_vhost " +
                                           shell_quoted(peer.vhost) + " && " + grant(peer));
    case AMQP_NOT_FOUND:
      // "home node 'rabbit@b' of durable queue 'q' in vhost '/' is down or inaccessible": the queue
      // is there.
      if (has(text, "down or inaccessible")) return retry(Errc::queue_lost, what);
      return fatal(Errc::queue_topology, what);
    case AMQP_CONTENT_TOO_LARGE: return fatal(Errc::queue_message, what);
    case AMQP_PRECONDITION_FAILED:
      if (has(text, "larger than")) {
        return fatal(Errc::queue_message,
                     what +
                         "; remedy: set queue.max_message_bytes to what the broker takes, or raise "
                         "max_message_size in rabbitmq.conf to queue.max_message_bytes; "
                         "queue.oversize says what becomes of rows that are larger");
      }
      // "delivery acknowledgement on channel 3 timed out": the messages come again.
      if (has(text, "timed out")) return retry(Errc::queue_lost, what);
      return fatal(Errc::queue_topology, what);
    case AMQP_RESOURCE_LOCKED: return fatal(Errc::queue_topology, what);
    default: return retry(Errc::queue_lost, what);
  }
}

}  // namespace sluice::queue
