// What Connector/C 3.3 does (measured with 3.3.20, read in plugins/auth/my_auth.c and
// libmariadb/secure/openssl.c):
// - MYSQL_OPT_SSL_ENFORCE asks for TLS but goes on in the clear, password and all, when the server
// has none.  A fingerprint
//   option makes it refuse before it sends anything; an empty one is compared with nothing.
// - A CA makes it verify the chain; the host name (or address) is verified only with
// MYSQL_OPT_SSL_VERIFY_SERVER_CERT.
// - Without a CA and without that option nothing is verified.
#include <array>
#include <string>
#include <string_view>

#include <openssl/ssl.h>
#include <unistd.h>

#include "sluice/base/result.h"
#include "sluice/config/options.h"

#include "mysql/client.h"
#include "mysql/pvio.h"

namespace sluice::mysql {
namespace {

using Mode = TlsOptions::Mode;

// From 3.4 on the library verifies by default, and the chain without the host name no longer.
constexpr unsigned kOtherVerification = 30400;
constexpr unsigned kLibraryVersion = MARIADB_PACKAGE_VERSION_ID;

// Where distributions keep the certificates they trust.
constexpr std::array kSystemBundles = {"/etc/ssl/certs/ca-certificates.crt",
                                       "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem",
                                       "/etc/ssl/cert.pem"};

bool readable(const char* path) noexcept {
  return ::access(path, R_OK) == 0;
}

Error refusal(const Endpoint& endpoint, std::string what) {
  return fatal(Errc::mysql_preflight, endpoint.to_string() + ": " + std::move(what));
}

Status check_file(const Endpoint& endpoint, std::string_view option, const std::string& path) {
  if (path.empty() || readable(path.c_str())) return {};
  return refusal(endpoint, "source.tls." + std::string(option) + ": " + path + " cannot be read");
}

// The file to verify with: the one told, else the system's.
Result<std::string> bundle(const TlsOptions& tls, const Endpoint& endpoint) {
  if (!tls.ca().empty()) return tls.ca();
  for (const char* path : kSystemBundles)
    if (readable(path)) return std::string(path);
  return refusal(
      endpoint,
      "source.tls.ca is empty and this system's certificates were not found: name the file");
}

}  // namespace

Status prepare_tls(MYSQL* handle, const TlsOptions& tls, const Endpoint& endpoint) {
  const Mode mode = tls.mode();
  const bool local = !endpoint.socket.empty();
  const my_bool verify_host = mode == Mode::verify_identity ? 1 : 0;
  // Nobody listens in on a Unix socket: TLS there only costs.
  const my_bool use = mode == Mode::disabled || (mode == Mode::preferred && local) ? 0 : 1;
  mysql_options(handle, MYSQL_OPT_SSL_ENFORCE, &use);
  mysql_options(handle, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify_host);
  if (use == 0) return {};

  SLUICE_TRY(check_file(endpoint, "ca", tls.ca()));
  SLUICE_TRY(check_file(endpoint, "cert", tls.cert()));
  SLUICE_TRY(check_file(endpoint, "key", tls.key()));
  if (mode == Mode::verify_identity && local)
    return refusal(endpoint,
                   "source.tls.mode verify_identity needs a host name, and a Unix socket has none: "
                   "use verify_ca");
  std::string ca;
  if (mode == Mode::verify_ca || mode == Mode::verify_identity) {
    if (mode == Mode::verify_ca && kLibraryVersion >= kOtherVerification)
      return refusal(
          endpoint,
          "source.tls.mode verify_ca cannot be had with this client library: use verify_identity");
    SLUICE_TRY_ASSIGN(ca, bundle(tls, endpoint));
  }
  const auto or_null = [](const std::string& path) {
    return path.empty() ? nullptr : path.c_str();
  };
  mysql_ssl_set(handle, or_null(tls.key()), or_null(tls.cert()), or_null(ca), nullptr, nullptr);
  if (mode != Mode::preferred) mysql_options(handle, MARIADB_OPT_TLS_PEER_FP, "");
  return {};
}

Status check_tls(MYSQL* handle, const TlsOptions& tls, const Endpoint& endpoint) {
  const Mode mode = tls.mode();
  if (mode == Mode::disabled || mode == Mode::preferred || mysql_get_ssl_cipher(handle) != nullptr)
    return {};
  return refusal(endpoint, "the connection is not encrypted although source.tls.mode demands it");
}

bool tls_has_pending(MYSQL* handle) noexcept {
  // The library may be built with GnuTLS, too: then its handle is not ours to look into.
  static const bool is_openssl = [] {
    const char* name = nullptr;
    return mariadb_get_infov(nullptr, MARIADB_TLS_LIBRARY, &name) == 0 && name != nullptr &&
           std::string_view(name).substr(0, 7) == "OpenSSL";
  }();
  if (!is_openssl) return false;
  const MARIADB_TLS* tls = handle->net.pvio->ctls;
  if (tls == nullptr || tls->ssl == nullptr) return false;
  return SSL_pending(static_cast<const SSL*>(tls->ssl)) > 0;
}

}  // namespace sluice::mysql
