#include "net/tls_error.h"

#include <array>
#include <cerrno>

#include <openssl/err.h>
#include <openssl/x509v3.h>

namespace sluice::net {
namespace {

// The reason of the oldest error, which is the cause of the others.
std::string take_reason(unsigned long& first) {
  first = ERR_get_error();
  ERR_clear_error();
  if (first == 0) return {};
  if (const char* text = ERR_reason_error_string(first); text != nullptr) return text;
  std::array<char, 256> text{};
  ERR_error_string_n(first, text.data(), text.size());
  return text.data();
}

std::string certificate_remedy(std::string_view names, const Target& target, long code) {
  const std::string options = target.section + ".tls.";
  switch (code) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return "renew the server's certificate, or set the clock of this host right";
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return "set the clock of this host or of the one that made the certificate right";
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return "connect by a name of the server's certificate (" + std::string(names) + "), not " +
             target.host + "; or set " + options + "mode to verify_ca";
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
      return options + "ca must hold the certificate that signed the server's";
    default: return "look at the server's certificate and " + options + "ca";
  }
}

// What the peer said before it hung up (RFC 8446, 6.2); empty when it said nothing of ours.
std::string alert_remedy(int reason, const Target& target) {
  const std::string options = target.section + ".tls.";
  switch (reason) {
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
    case SSL_R_SSLV3_ALERT_NO_CERTIFICATE: return certificate_wanted(target);
    case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
      return "the server refuses: it may want a certificate of ours (" + options + "cert, " +
             options + "key), or shares no cipher with us; its log says which";
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN: return certificate_refused(target);
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
      return "renew the certificate of " + options + "cert";
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
    case SSL_R_UNSUPPORTED_PROTOCOL: return "the server must offer TLS 1.2 or 1.3";
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_PACKET_LENGTH_TOO_LONG:
    case SSL_R_HTTP_REQUEST:
      return "the port does not speak TLS: " + target.section +
             ".port must be the server's port for "
             "TLS, or set " +
             options + "mode to disabled";
    default: return {};
  }
}

}  // namespace

std::string certificate_wanted(const Target& target) {
  const std::string options = target.section + ".tls.";
  return "the server wants a certificate of ours: set " + options + "cert and " + options + "key";
}

std::string certificate_refused(const Target& target) {
  return "the server does not take our certificate: the one that signed " + target.section +
         ".tls.cert must be in the server's file of authorities";
}

std::string names_of(X509* certificate) {
  std::string out;
  const int at = X509_get_ext_by_NID(certificate, NID_subject_alt_name, -1);
  if (at >= 0) {
    BIO* memory = BIO_new(BIO_s_mem());
    if (memory != nullptr && X509V3_EXT_print(memory, X509_get_ext(certificate, at), 0, 0) == 1) {
      char* text = nullptr;
      const long size = BIO_get_mem_data(memory, &text);
      if (size > 0) out.assign(text, static_cast<std::size_t>(size));
    }
    BIO_free(memory);
  }
  if (out.empty()) {
    std::array<char, 256> text{};
    X509_NAME_oneline(X509_get_subject_name(certificate), text.data(), text.size());
    out = text.data();
  }
  return out;
}

Error file_error(const Target& target, std::string_view option, const std::string& path) {
  unsigned long first = 0;
  const std::string reason = take_reason(first);
  return fatal(Errc::io, target.section + ".tls." + std::string(option) + ": " + path +
                             " cannot be used: " + (reason.empty() ? "no reason told" : reason));
}

Error tls_error(const SSL* ssl, const Target& target, std::string_view names, std::string_view what,
                int ret) {
  const int error = errno;
  const int kind = SSL_get_error(ssl, ret);
  unsigned long first = 0;
  const std::string reason = take_reason(first);
  const std::string where = "TLS " + std::string(what) + ": ";
  const long verified = SSL_get_verify_result(ssl);
  if (first != 0 && ERR_GET_REASON(first) == SSL_R_CERTIFICATE_VERIFY_FAILED)
    return fatal(Errc::io, where +
                               "server's certificate: " + X509_verify_cert_error_string(verified) +
                               "; remedy: " + certificate_remedy(names, target, verified));
  if (first != 0 && ERR_GET_LIB(first) == ERR_LIB_SSL) {
    if (const std::string remedy = alert_remedy(ERR_GET_REASON(first), target); !remedy.empty())
      return fatal(Errc::io, where + reason + "; remedy: " + remedy);
    return retry(Errc::io, where + reason);
  }
  if (!reason.empty()) return retry(Errc::io, where + reason);
  if (kind == SSL_ERROR_SYSCALL && error != 0) return retry(Errc::io, where + errno_text(error));
  return retry(Errc::io, where + "the peer closed the connection");
}

}  // namespace sluice::net
