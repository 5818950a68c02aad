#include "sluice/redis/connection.h"

#include <algorithm>

#include "sluice/redis/replica_wait.h"

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

// False: there is nothing to say.
bool append_auth(TextBuffer& request, const std::string& user, const Secret& password) {
  if (user.empty() && password.empty()) return false;
  if (user.empty())
    append_command(request, {"AUTH", password.reveal()});
  else
    append_command(request, {"AUTH", user, password.reveal()});
  return true;
}

Status receive_auth(Connection& connection) {
  SLUICE_TRY_ASSIGN(const Reply reply, connection.receive());
  if (reply.kind == Reply::Kind::error) return denied("AUTH", reply);
  return {};
}

}  // namespace

Result<Reply> Connection::command(std::initializer_list<std::string_view> words) {
  TextBuffer request;
  append_command(request, words);
  SLUICE_TRY(send(request.view()));
  return receive();
}

Result<std::vector<Connection*>> Connection::nodes() {
  return std::vector<Connection*>{this};
}

Result<std::optional<std::string>> Connection::placement() {
  return std::optional<std::string>("");
}

Result<std::vector<std::string>> Connection::spread(const std::string& key) {
  return std::vector<std::string>{key};
}

Result<Reached> Connection::wait_written(const ReplicaWait& wait) {
  TextBuffer request;
  append_wait(request, wait);
  SLUICE_TRY(send(request.view()));
  SLUICE_TRY_ASSIGN(const Reply reply, receive());
  return reached(reply, wait);
}

Status greet(Connection& connection, const RedisOptions& options) {
  const std::string database = std::to_string(options.database());
  TextBuffer request;
  const bool auth = append_auth(request, options.user(), options.password());
  append_command(request, {"CLIENT", "SETNAME", "sluice"});
  if (options.database() != 0) append_command(request, {"SELECT", database});
  append_command(request, {"PING"});
  SLUICE_TRY(connection.send(request.view()));

  if (auth) SLUICE_TRY(receive_auth(connection));
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

Error at_sentinel(Error error) {
  if (error.code != Errc::redis_denied) return error;
  error.what.resize(std::min(error.what.find("; remedy"), error.what.size()));
  error.what +=
      "; remedy: redis.sentinel_user and redis.sentinel_password, of an account that may run PING "
      "and SENTINEL there";
  return error;
}

Status greet_sentinel(Connection& connection, const RedisOptions& options) {
  TextBuffer request;
  const bool auth = append_auth(request, options.sentinel_user(), options.sentinel_password());
  append_command(request, {"PING"});
  SLUICE_TRY(connection.send(request.view()));
  if (auth) {
    if (Status s = receive_auth(connection); !s.ok()) return at_sentinel(std::move(s).error());
  }
  SLUICE_TRY_ASSIGN(const Reply pong, connection.receive());
  if (pong.kind != Reply::Kind::error || is_noperm(pong)) return {};
  return at_sentinel(denied("PING", pong));
}

}  // namespace sluice::redis
