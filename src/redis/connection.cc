#include "sluice/redis/connection.h"

#include "stream_connection.h"

namespace sluice::redis {
namespace {

// A refusal of ours to log in is fatal whatever its text says, unless it passes by itself.
Error denied(std::string_view command, const Reply& reply) {
  Error e = error_of_reply(reply.text);
  if (e.cls == ErrorClass::poison) e = fatal(Errc::redis_denied, std::move(e.what));
  return std::move(e).at(command);
}

bool is_noperm(const Reply& reply) {
  return reply.text.starts_with("NOPERM");
}

}  // namespace

Result<Reply> Connection::command(std::initializer_list<std::string_view> words) {
  TextBuffer request;
  append_command(request, words);
  SLUICE_TRY(send(request.view()));
  return receive();
}

Status greet(Connection& connection, const RedisOptions& options) {
  const bool auth = !options.user().empty() || !options.password().empty();
  const std::string database = std::to_string(options.database());
  TextBuffer request;
  if (options.user().empty() && auth)
    append_command(request, {"AUTH", options.password().reveal()});
  if (!options.user().empty())
    append_command(request, {"AUTH", options.user(), options.password().reveal()});
  append_command(request, {"CLIENT", "SETNAME", "sluice"});
  if (options.database() != 0) append_command(request, {"SELECT", database});
  append_command(request, {"PING"});
  SLUICE_TRY(connection.send(request.view()));

  if (auth) {
    SLUICE_TRY_ASSIGN(const Reply reply, connection.receive());
    if (reply.kind == Reply::Kind::error) return denied("AUTH", reply);
  }
  // The name is for CLIENT LIST only: an account may lack the permission.  Whatever else is wrong,
  // PING meets it too.
  SLUICE_TRY_ASSIGN(const Reply named, connection.receive());
  if (named.kind == Reply::Kind::error && !is_noperm(named)) return denied("CLIENT SETNAME", named);
  if (options.database() != 0) {
    SLUICE_TRY_ASSIGN(const Reply reply, connection.receive());
    if (reply.text.starts_with("ERR"))
      return fatal(Errc::redis_preflight,
                   "SELECT " + database + ": " + error_of_reply(reply.text).what +
                       ": correct redis.database, or the server's `databases`");
    if (reply.kind == Reply::Kind::error) return denied("SELECT " + database, reply);
  }
  // Tells LOADING, MASTERDOWN and a missing password.
  SLUICE_TRY_ASSIGN(const Reply pong, connection.receive());
  if (pong.kind == Reply::Kind::error && !is_noperm(pong)) return denied("PING", pong);
  return {};
}

Result<std::unique_ptr<Connection>> Connection::open(const RedisOptions& options) {
  const std::string peer = address_of(options);
  auto transport = connect_socket(options);
  if (!transport) return std::move(transport).error().at("redis " + peer);
  auto connection = std::make_unique<StreamConnection>(std::move(transport).value(), peer,
                                                       options.connect_timeout(), system_clock());
  if (auto greeted = greet(*connection, options); !greeted) {
    // Lost connections name their peer already.
    if (greeted.error().code == Errc::redis_lost) return std::move(greeted).error();
    return std::move(greeted).error().at("redis " + peer);
  }
  connection->set_timeout(options.timeout());
  return std::unique_ptr<Connection>(std::move(connection));
}

}  // namespace sluice::redis
