#pragma once
// libmysqlclient's handle (MariaDB Connector/C) and what this room keeps beside it.  Not for other
// rooms.
#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include <mysql.h>

#include "sluice/base/result.h"
#include "sluice/config/options.h"
#include "sluice/mysql/connection.h"

namespace sluice::mysql {

// Whom we talk to, and as whom: for error texts.
struct Peer {
  std::string endpoint;  // "db1:3306", "/run/mysqld/mysqld.sock"
  std::string user;
};

// The class and code of a server's or the client library's error number, with the remedy where
// there is one.
Error error_of(unsigned number, std::string_view text, const Peer& peer);

// "CREATE USER 'u'@'%' ...; GRANT ...": what makes an account that can do all we need.
std::string account_statement(const Peer& peer);

struct CloseHandle {
  void operator()(MYSQL* handle) const noexcept { mysql_close(handle); }
};
using Handle = std::unique_ptr<MYSQL, CloseHandle>;

struct Connection::Impl {
  Handle handle;
  ServerInfo server;
  Endpoint endpoint;
  Peer peer;

  // The handle's last error.
  Error error() const {
    return error_of(mysql_errno(handle.get()), mysql_error(handle.get()), peer);
  }
};

// Connector/C counts timeouts in seconds; zero would mean none.
unsigned whole_seconds(std::chrono::milliseconds time) noexcept;

// Sets the options of TLS before the handle connects.  Errors: fatal/mysql_preflight for files that
// cannot be read and for what the client library cannot do.
Status prepare_tls(MYSQL* handle, const TlsOptions& tls, const Endpoint& endpoint);
// After the handle has connected: refuses a connection that is not encrypted although the options
// demand it.
Status check_tls(MYSQL* handle, const TlsOptions& tls, const Endpoint& endpoint);
// True when decrypted bytes wait inside the TLS library.
bool tls_has_pending(MYSQL* handle) noexcept;

}  // namespace sluice::mysql
