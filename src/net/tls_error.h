#pragma once
#include <string>
#include <string_view>

#include <openssl/ssl.h>

#include "sluice/base/result.h"
#include "sluice/net/stream.h"

namespace sluice::net {

// A file of ours that cannot be used: fatal, with OpenSSL's reason.
Error file_error(const Target& target, std::string_view option, const std::string& path);

// What went wrong in `what` ("handshake", "read", "write"), from the connection, OpenSSL's error
// queue (which is emptied) and errno.  `ret` is what the failed call returned; `names` is what the
// server's certificate is for.
Error tls_error(const SSL* ssl, const Target& target, std::string_view names, std::string_view what,
                int ret);

// What to do about a server that asks for a certificate of ours and got none.
std::string certificate_wanted(const Target& target);
// ... or got one that it does not know.
std::string certificate_refused(const Target& target);

// "DNS:mq1.example, IP Address:10.0.0.7": what a certificate is for.
std::string names_of(X509* certificate);

}  // namespace sluice::net
