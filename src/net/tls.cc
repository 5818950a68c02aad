#include "net/tls.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <vector>

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>

#include "sluice/base/clock.h"

#include "net/tls_error.h"

namespace sluice::net {
namespace {

using Mode = TlsOptions::Mode;

// A record's payload (RFC 8446, 5.1): smaller pieces are gathered up to here.
constexpr std::size_t kRecord = 16384;

struct FreeContext {
  void operator()(SSL_CTX* c) const noexcept { SSL_CTX_free(c); }
};
struct FreeSsl {
  void operator()(SSL* s) const noexcept { SSL_free(s); }
};
using Context = std::unique_ptr<SSL_CTX, FreeContext>;
using Ssl = std::unique_ptr<SSL, FreeSsl>;

bool is_address(const std::string& host) {
  std::array<unsigned char, sizeof(in6_addr)> address{};
  return ::inet_pton(AF_INET, host.c_str(), address.data()) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), address.data()) == 1;
}

Status load_files(SSL_CTX* context, const Target& target) {
  const TlsOptions& tls = *target.tls;
  const bool verify = tls.mode() == Mode::verify_ca || tls.mode() == Mode::verify_identity;
  if (!tls.ca().empty()) {
    if (SSL_CTX_load_verify_locations(context, tls.ca().c_str(), nullptr) != 1)
      return file_error(target, "ca", tls.ca());
  } else if (verify && SSL_CTX_set_default_verify_paths(context) != 1) {
    return file_error(target, "ca", "the system's file of authorities");
  }
  SSL_CTX_set_verify(context, verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  if (tls.cert().empty()) return {};
  if (SSL_CTX_use_certificate_chain_file(context, tls.cert().c_str()) != 1)
    return file_error(target, "cert", tls.cert());
  if (SSL_CTX_use_PrivateKey_file(context, tls.key().c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(context) != 1)
    return file_error(target, "key", tls.key());
  return {};
}

// What the server said of itself, kept for the remedies: OpenSSL forgets it.
struct ServerSaid {
  std::string names;  // what its certificate is for
  bool wants_our_certificate = false;
};

int verify_certificate(X509_STORE_CTX* chain, void* said) {
  if (X509* const certificate = X509_STORE_CTX_get0_cert(chain); certificate != nullptr)
    static_cast<ServerSaid*>(said)->names = names_of(certificate);
  return X509_verify_cert(chain);
}

int note_request(SSL* /*ssl*/, void* said) {
  static_cast<ServerSaid*>(said)->wants_our_certificate = true;
  return 1;
}

Result<Context> make_context(const Target& target, ServerSaid* said) {
  Context context(SSL_CTX_new(TLS_client_method()));
  if (!context) return fatal(Errc::io, "OpenSSL gives no context");
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  // Without renegotiation a write never waits for a read.
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(context.get(),
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  // Many records a system call.
  SSL_CTX_set_read_ahead(context.get(), 1);
  SSL_CTX_set_default_read_buffer_len(context.get(), 8 * kRecord);
  SSL_CTX_set_cert_verify_callback(context.get(), verify_certificate, said);
  SSL_CTX_set_cert_cb(context.get(), note_request, said);
  SLUICE_TRY(load_files(context.get(), target));
  return context;
}

Status name_peer(SSL* ssl, const Target& target) {
  const std::string& host = target.host;
  const bool address = is_address(host);
  // A server with several certificates chooses by it; addresses may not stand there (RFC 6066, 3).
  // (SSL_set_tlsext_host_name(), whose macro has a cast of the old style.)
  if (!address && SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                           const_cast<char*>(host.c_str())) != 1)
    return fatal(Errc::io, "TLS: " + host + " is no host name");
  if (target.tls->mode() != Mode::verify_identity) return {};
  X509_VERIFY_PARAM* const param = SSL_get0_param(ssl);
  const int ok = address ? X509_VERIFY_PARAM_set1_ip_asc(param, host.c_str())
                         : X509_VERIFY_PARAM_set1_host(param, host.c_str(), host.size());
  if (ok != 1) return fatal(Errc::io, "TLS: " + host + " cannot be verified");
  return {};
}

class TlsStream final : public Stream {
 public:
  TlsStream(UniqueFd fd, Target target, std::unique_ptr<ServerSaid> said, Context context, Ssl ssl)
      : fd_(std::move(fd)),
        target_(std::move(target)),
        said_(std::move(said)),
        context_(std::move(context)),
        ssl_(std::move(ssl)),
        gathered_(kRecord) {}
  TlsStream(const TlsStream&) = delete;
  TlsStream& operator=(const TlsStream&) = delete;
  ~TlsStream() override {
    // close_notify, if the socket takes it; a connection that failed must not say it.
    if (failed_) return;
    ERR_clear_error();
    SSL_shutdown(ssl_.get());
    ERR_clear_error();
  }

  Status shake_hands(Time deadline);
  Result<Transfer> read(std::span<char> into) override;
  Result<Transfer> write(std::span<const iovec> pieces) override;
  int fd() const noexcept override { return fd_.get(); }
  short read_events() const noexcept override { return read_events_; }
  short write_events() const noexcept override { return write_events_; }
  bool has_received() const noexcept override { return more_; }

 private:
  Error fail(std::string_view what, int ret) {
    failed_ = true;
    Error error = tls_error(ssl_.get(), target_, said_->names, what, ret);
    if (error.cls == ErrorClass::retry && may_miss_certificate())
      error.what += "; perhaps " + (target_.tls->cert().empty() ? certificate_wanted(target_)
                                                                : certificate_refused(target_));
    return error;
  }
  // A server that hangs up before it says a word, having asked for our certificate, may do so for
  // it: a reset of the connection takes the reason back, and some say none.
  bool may_miss_certificate() const noexcept { return said_->wants_our_certificate && !heard_; }
  // A peer that refuses us (our certificate, in TLS 1.3 after the handshake) says so and hangs up:
  // its reason is there to be read, though writing tells of the reset alone.  Reading then tells it
  // again, for OpenSSL has forgotten it.
  Error fail_to_write(int ret) {
    if (SSL_get_error(ssl_.get(), ret) == SSL_ERROR_SYSCALL) {
      const int error = errno;
      char byte = 0;
      std::size_t n = 0;
      ERR_clear_error();
      const int peeked = SSL_peek_ex(ssl_.get(), &byte, 1, &n);
      if (peeked != 1 && SSL_get_error(ssl_.get(), peeked) == SSL_ERROR_SSL) {
        Error reason = fail("read", peeked);
        end_ = reason;
        return reason;
      }
      ERR_clear_error();
      errno = error;
    }
    return fail("write", ret);
  }
  // POLLIN, POLLOUT, or 0 for an error.
  short wants(int ret) const noexcept {
    switch (SSL_get_error(ssl_.get(), ret)) {
      case SSL_ERROR_WANT_READ: return POLLIN;
      case SSL_ERROR_WANT_WRITE: return POLLOUT;
      default: return 0;
    }
  }

  UniqueFd fd_;
  Target target_;
  std::unique_ptr<ServerSaid> said_;  // context_ writes to it
  Context context_;
  Ssl ssl_;
  std::vector<char> gathered_;
  short read_events_ = POLLIN, write_events_ = POLLOUT;
  bool more_ = false;  // the last read() ended because its room was full
  bool failed_ = false;
  bool heard_ = false;  // bytes were read
  // How the stream ended, when bytes before its end had to be told first.
  std::optional<Result<Transfer>> end_;
};

Status TlsStream::shake_hands(Time deadline) {
  for (;;) {
    ERR_clear_error();
    const int ret = SSL_connect(ssl_.get());
    if (ret == 1) return {};
    const short events = wants(ret);
    if (events == 0) return fail("handshake", ret);
    pollfd p{fd_.get(), events, 0};
    const int n = ::poll(&p, 1, poll_ms(system_clock().steady(), deadline));
    if (n < 0 && errno != EINTR) return retry(Errc::io, "poll: " + errno_text(errno));
    if (n == 0) {
      failed_ = true;
      return retry(Errc::io, "no end of the TLS handshake until the timeout (" + target_.section +
                                 ".connect_timeout); is the port the server's port for TLS?");
    }
  }
}

Result<Stream::Transfer> TlsStream::read(std::span<char> into) {
  if (end_) return *end_;
  std::size_t done = 0;
  more_ = false;
  while (done < into.size()) {
    ERR_clear_error();
    std::size_t n = 0;
    const int ret = SSL_read_ex(ssl_.get(), into.data() + done, into.size() - done, &n);
    if (ret == 1) {
      done += n;
      heard_ = true;
      continue;
    }
    read_events_ = wants(ret);
    if (read_events_ != 0) return Transfer{done, false};
    read_events_ = POLLIN;
    if (SSL_get_error(ssl_.get(), ret) != SSL_ERROR_ZERO_RETURN || may_miss_certificate())
      end_ = fail("read", ret);
    else
      end_ = Transfer{0, true};
    if (done == 0) return *end_;
    break;
  }
  more_ = true;
  return Transfer{done, false};
}

Result<Stream::Transfer> TlsStream::write(std::span<const iovec> pieces) {
  std::size_t done = 0;
  std::size_t at = 0, used = 0;  // in pieces[at], `used` bytes are sent
  for (;;) {
    while (at < pieces.size() && used == pieces[at].iov_len) {
      ++at;
      used = 0;
    }
    if (at == pieces.size()) return Transfer{done, false};
    // A record full of what follows.  After a write that did not get through the same bytes come
    // again, in the same cut: OpenSSL holds that record already.
    std::size_t size = 0;
    for (std::size_t i = at, from = used; i < pieces.size() && size < kRecord; ++i, from = 0) {
      const std::size_t part = std::min(pieces[i].iov_len - from, kRecord - size);
      std::memcpy(gathered_.data() + size, static_cast<const char*>(pieces[i].iov_base) + from,
                  part);
      size += part;
    }
    ERR_clear_error();
    std::size_t n = 0;
    const int ret = SSL_write_ex(ssl_.get(), gathered_.data(), size, &n);
    if (ret != 1) {
      write_events_ = wants(ret);
      if (write_events_ != 0) return Transfer{done, false};
      write_events_ = POLLOUT;
      return fail_to_write(ret);
    }
    done += n;
    while (n > 0) {
      const std::size_t part = std::min(n, pieces[at].iov_len - used);
      used += part;
      n -= part;
      if (used == pieces[at].iov_len) {
        ++at;
        used = 0;
      }
    }
  }
}

}  // namespace

Result<std::unique_ptr<Stream>> start_tls(UniqueFd fd, const Target& target, Time deadline) {
  auto said = std::make_unique<ServerSaid>();
  SLUICE_TRY_ASSIGN(Context context, make_context(target, said.get()));
  Ssl ssl(SSL_new(context.get()));
  if (!ssl || SSL_set_fd(ssl.get(), fd.get()) != 1)
    return fatal(Errc::io, "OpenSSL gives no connection");
  SLUICE_TRY(name_peer(ssl.get(), target));
  auto stream = std::make_unique<TlsStream>(std::move(fd), target, std::move(said),
                                            std::move(context), std::move(ssl));
  SLUICE_TRY(stream->shake_hands(deadline));
  return std::unique_ptr<Stream>(std::move(stream));
}

}  // namespace sluice::net
