#include <array>
#include <string>
#include <string_view>

#include "sluice/base/result.h"

#include "mysql/client.h"

namespace sluice::mysql {
namespace {

// Numbers the client library gives itself (Connector/C: include/errmsg.h); the server's begin at
// 1000 and 3000.
constexpr unsigned kClientFirst = 2000, kClientLast = 2999;
constexpr unsigned kTls = 2026;
constexpr std::array kAuthPlugin = {2049U, 2054U, 2058U, 2059U, 2061U, 2068U};

// The server refuses the account or its privileges (mysql-server: share/messages_to_clients.txt).
constexpr std::array kDenied = {1044U, 1045U, 1129U, 1130U, 1142U, 1143U, 1227U, 1251U, 1275U,
                                1370U, 1524U, 1698U, 1820U, 1862U, 3118U, 3159U, 4151U};

// The server cannot just now: too busy, going down, or it ended this session.
constexpr std::array kLater = {1040U, 1053U, 1077U, 1079U, 1080U, 1158U, 1159U, 1160U,
                               1161U, 1203U, 1205U, 1213U, 1226U, 1317U, 1836U, 1878U,
                               1927U, 1969U, 3024U, 3032U, 3168U, 3169U, 4031U};

// No such database, no such table.
constexpr std::array kMissing = {1049U, 1146U};

template <std::size_t N>
bool among(unsigned number, const std::array<unsigned, N>& numbers) {
  for (const unsigned n : numbers)
    if (n == number) return true;
  return false;
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

// OpenSSL says "unexpected eof" and the system "(104)" when the server went away in the handshake:
// that is no fault of the certificates.
bool is_lost_in_handshake(std::string_view text) {
  return contains(text, "unexpected eof") || contains(text, "(104)") || contains(text, "(110)") ||
         contains(text, "(11)") || contains(text, "(32)");
}

std::string_view tls_remedy(std::string_view text) {
  if (contains(text, "does not support it"))
    return "give the server a certificate (ssl_cert, ssl_key), or set source.tls.mode to preferred";
  if (contains(text, "Validation of SSL"))
    return "source.host must be a name in the server's certificate; or set source.tls.mode to "
           "verify_ca";
  if (contains(text, "certificate"))
    return "source.tls.ca must hold the certificate that signed the server's; the server's own: "
           "SHOW VARIABLES LIKE 'ssl_ca'";
  return "look at source.tls and the server's error log";
}

}  // namespace

std::string account_statement(const Peer& peer) {
  const std::string account = "'" + peer.user + "'@'%'";
  return "CREATE USER " + account +
         " IDENTIFIED BY '...'; GRANT SELECT, REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO " +
         account + ";";
}

Error error_of(unsigned number, std::string_view text, const Peer& peer) {
  std::string what = peer.endpoint + ": error " + std::to_string(number) + ": " + std::string(text);
  if (number == kTls) {
    if (is_lost_in_handshake(text)) return retry(Errc::mysql_lost, std::move(what));
    return fatal(Errc::mysql_preflight, what + "; " + std::string(tls_remedy(text)));
  }
  if (among(number, kAuthPlugin))
    return fatal(
        Errc::mysql_denied,
        what + "; the account needs a plugin the client library has: caching_sha2_password, " +
            "mysql_native_password, client_ed25519");
  if ((number >= kClientFirst && number <= kClientLast) || among(number, kLater))
    return retry(Errc::mysql_lost, std::move(what));
  if (number == 1129)
    return fatal(Errc::mysql_denied,
                 what + "; on the server: FLUSH HOSTS, or TRUNCATE performance_schema.host_cache");
  if (among(number, kDenied))
    return fatal(Errc::mysql_denied, what + "; " + account_statement(peer));
  if (among(number, kMissing)) return fatal(Errc::schema_missing, std::move(what));
  return fatal(Errc::mysql_query, std::move(what));
}

}  // namespace sluice::mysql
