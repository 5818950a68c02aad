#include "net/tls.h"

#include <array>
#include <csignal>
#include <optional>
#include <thread>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>

#include "unit/net/certificates.h"
#include "unit/temp_folder.h"

namespace sluice::net {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;
using Mode = TlsOptions::Mode;

// Echoes what it gets, over one end of a socket pair, until the other end closes.
class Server {
 public:
  struct Settings {
    const Identity* identity;
    const Identity* clients = nullptr;  // signed what clients must show; null: they need nothing
    int newest = TLS1_3_VERSION;
    bool plain = false;   // says something that is no TLS
    bool silent = false;  // takes who shows no certificate, and leaves without a word
  };
  explicit Server(const Settings& settings) {
    std::array<int, 2> pair{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()), 0);
    client_ = UniqueFd(pair[0]);
    thread_ = std::thread([settings, fd = UniqueFd(pair[1])] { serve(settings, fd.get()); });
  }
  ~Server() {
    client_.reset();
    thread_.join();
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  UniqueFd take_client() { return std::move(client_); }

 private:
  static void serve(const Settings& s, int fd) {
    if (s.plain) {
      constexpr std::string_view kHello("AMQP\0\0\x09\x01", 8);
      std::array<char, 100> request{};
      EXPECT_GT(::recv(fd, request.data(), request.size(), 0), 0);
      EXPECT_EQ(::send(fd, kHello.data(), kHello.size(), MSG_NOSIGNAL), 8);
      return;
    }
    SSL_CTX* const context = SSL_CTX_new(TLS_server_method());
    SSL_CTX_set_max_proto_version(context, s.newest);
    SSL_CTX_use_certificate(context, s.identity->certificate());
    SSL_CTX_use_PrivateKey(context, s.identity->key());
    if (s.clients != nullptr) {
      X509_STORE_add_cert(SSL_CTX_get_cert_store(context), s.clients->certificate());
      SSL_CTX_set_verify(
          context, SSL_VERIFY_PEER | (s.silent ? 0 : SSL_VERIFY_FAIL_IF_NO_PEER_CERT), nullptr);
    }
    SSL* const ssl = SSL_new(context);
    SSL_set_fd(ssl, fd);
    if (SSL_accept(ssl) == 1 && !s.silent) {
      std::array<char, 4096> buffer{};
      for (;;) {
        const int n = SSL_read(ssl, buffer.data(), buffer.size());
        if (n <= 0 || SSL_write(ssl, buffer.data(), n) != n) break;
      }
      SSL_shutdown(ssl);
    }
    SSL_free(ssl);
    SSL_CTX_free(context);
    ERR_clear_error();
  }
  UniqueFd client_;
  std::thread thread_;
};

class Tls : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { std::signal(SIGPIPE, SIG_IGN); }
  void SetUp() override {
    authority_.write_certificate(path("ca.pem"));
    other_.write_certificate(path("other.pem"));
    options_.mode.set(Mode::verify_identity);
    options_.ca.set(path("ca.pem"));
  }
  std::string path(const std::string& name) const { return (folder_.path() / name).string(); }
  void show_certificate(const Identity& client) {
    client.write_certificate(path("client.pem"));
    client.write_key(path("client-key.pem"));
    options_.cert.set(path("client.pem"));
    options_.key.set(path("client-key.pem"));
  }
  Result<std::unique_ptr<Stream>> start(Server& server, const std::string& host = "localhost") {
    UniqueFd fd = server.take_client();
    EXPECT_EQ(::fcntl(fd.get(), F_SETFL, O_NONBLOCK), 0);
    return start_tls(std::move(fd), Target{host, 5671, &options_, "queue"},
                     std::chrono::steady_clock::now() + 20s);
  }
  // Sends and reads back at the same time, in pieces of odd sizes.
  static Result<std::string> echo(Stream& stream, std::string_view text) {
    std::string back;
    std::size_t sent = 0;
    std::array<char, 10000> room{};
    while (back.size() < text.size()) {
      const short write = sent < text.size() ? stream.write_events() : 0;
      pollfd p{stream.fd(), static_cast<short>(stream.read_events() | write), 0};
      if (!stream.has_received() && ::poll(&p, 1, 20'000) <= 0)
        return retry(Errc::io, "nothing for 20 s");
      if (sent < text.size()) {
        std::string rest(text.substr(sent));  // elsewhere each time
        const std::size_t cut = std::min<std::size_t>(rest.size(), 7);
        const std::array<iovec, 3> pieces{
            {{rest.data(), cut}, {rest.data(), 0}, {rest.data() + cut, rest.size() - cut}}};
        const auto n = stream.write(pieces);
        if (!n) {  // a peer that hung up said why before
          SLUICE_TRY(stream.read(room));
          return n.error();
        }
        sent += n->bytes;
      }
      SLUICE_TRY_ASSIGN(const auto n, stream.read(room));
      if (n.closed) return retry(Errc::io, "closed");
      back.append(room.data(), n.bytes);
    }
    return back;
  }
  static void expect_refused(const Error& error, const ::testing::Matcher<std::string>& what) {
    EXPECT_EQ(error.cls, ErrorClass::fatal) << error.what;
    EXPECT_THAT(error.what, what);
  }

  sluice::testing::TempFolder folder_;
  Identity authority_ = Identity::authority("test authority");
  Identity other_ = Identity::authority("other authority");
  Identity server_ = authority_.sign("server", "DNS:localhost,IP:127.0.0.1");
  TlsOptions options_{nullptr, "tls", "", Mode::disabled};
};

TEST_F(Tls, CarriesBytesBothWays) {
  std::string large(3'000'000, ' ');
  for (std::size_t i = 0; i < large.size(); ++i)
    large[i] = static_cast<char>(i * 2654435761U >> 13U);
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    Server server({&server_, nullptr, version});
    auto stream = start(server);
    ASSERT_TRUE(stream.ok()) << stream.error().what;
    const auto back = echo(**stream, large);
    ASSERT_TRUE(back.ok()) << back.error().what;
    EXPECT_TRUE(*back == large);
  }
}

TEST_F(Tls, VerifiesAnAddressToo) {
  Server server({&server_});
  EXPECT_TRUE(start(server, "127.0.0.1").ok());
}

TEST_F(Tls, AnUnknownAuthorityIsRefused) {
  for (const Mode mode : {Mode::verify_ca, Mode::verify_identity}) {
    options_.mode.set(mode);
    options_.ca.set(path("other.pem"));
    Server server({&server_});
    const auto stream = start(server);
    ASSERT_FALSE(stream.ok());
    expect_refused(stream.error(), HasSubstr("remedy: queue.tls.ca must hold the certificate"));
  }
}

TEST_F(Tls, AnotherNameIsRefusedByIdentityOnly) {
  for (const char* host : {"mq.example", "10.0.0.7"}) {
    options_.mode.set(Mode::verify_identity);
    Server strict({&server_});
    const auto refused = start(strict, host);
    ASSERT_FALSE(refused.ok());
    expect_refused(refused.error(),
                   AllOf(HasSubstr("mismatch"), HasSubstr("DNS:localhost, IP Address:127.0.0.1"),
                         HasSubstr(std::string("not ") + host), HasSubstr("verify_ca")));
    options_.mode.set(Mode::verify_ca);
    Server server({&server_});
    EXPECT_TRUE(start(server, host).ok());
  }
}

TEST_F(Tls, AnExpiredCertificateIsRefused) {
  const Identity expired = authority_.sign("server", "DNS:localhost", -7200, -3600);
  Server server({&expired});
  const auto stream = start(server);
  ASSERT_FALSE(stream.ok());
  expect_refused(stream.error(),
                 AllOf(HasSubstr("certificate has expired"), HasSubstr("renew the server's")));
}

TEST_F(Tls, ACertificateOfTheFutureIsRefused) {
  const Identity early = authority_.sign("server", "DNS:localhost", 3600, 7200);
  Server server({&early});
  const auto stream = start(server);
  ASSERT_FALSE(stream.ok());
  expect_refused(stream.error(), AllOf(HasSubstr("not yet valid"), HasSubstr("clock")));
}

TEST_F(Tls, RequiredTakesAnyCertificate) {
  options_.mode.set(Mode::required);
  options_.ca.set("");
  const Identity expired = other_.sign("server", "DNS:elsewhere", -7200, -3600);
  Server server({&expired});
  EXPECT_TRUE(start(server).ok());
}

// Since TLS 1.3 the server says so only behind the handshake.
TEST_F(Tls, ANeededClientCertificateThatIsMissingIsSaid) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    Server server({&server_, &authority_, version});
    auto stream = start(server);
    const auto back = stream.ok() ? echo(**stream, "hello") : Result<std::string>(stream.error());
    ASSERT_FALSE(back.ok());
    expect_refused(back.error(), HasSubstr("queue.tls.cert"));
  }
}

// A reset of the connection may overtake its reason, which may be another one.
TEST_F(Tls, AServerThatAskedForACertificateAndHangsUpMayMissIt) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    Server server({&server_, &authority_, version, false, true});
    auto stream = start(server);
    const auto back = stream.ok() ? echo(**stream, "hello") : Result<std::string>(stream.error());
    ASSERT_FALSE(back.ok());
    EXPECT_EQ(back.error().cls, ErrorClass::retry);
    EXPECT_THAT(back.error().what, HasSubstr("queue.tls.cert"));
  }
}

TEST_F(Tls, AClientCertificateOfAnotherAuthorityIsSaid) {
  show_certificate(other_.sign("client", ""));
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    Server server({&server_, &authority_, version});
    auto stream = start(server);
    const auto back = stream.ok() ? echo(**stream, "hello") : Result<std::string>(stream.error());
    ASSERT_FALSE(back.ok());
    expect_refused(back.error(), HasSubstr("the one that signed queue.tls.cert"));
  }
}

TEST_F(Tls, AClientCertificateIsShown) {
  show_certificate(authority_.sign("client", ""));
  Server server({&server_, &authority_});
  auto stream = start(server);
  ASSERT_TRUE(stream.ok()) << stream.error().what;
  const auto back = echo(**stream, "hello");
  ASSERT_TRUE(back.ok()) << back.error().what;
  EXPECT_EQ(*back, "hello");
}

TEST_F(Tls, FilesThatCannotBeUsedAreNamed) {
  const auto refused = [this](const char* option) {
    Server server({&server_});
    const auto stream = start(server);
    ASSERT_FALSE(stream.ok());
    expect_refused(stream.error(), HasSubstr(std::string("queue.tls.") + option));
  };
  options_.ca.set(path("nothing.pem"));
  refused("ca: ");
  options_.ca.set(path("ca.pem"));
  show_certificate(authority_.sign("client", ""));
  other_.write_key(path("client-key.pem"));
  refused("key: ");
  options_.cert.set(path("nothing.pem"));
  refused("cert: ");
}

TEST_F(Tls, APortWithoutTlsIsSaid) {
  Server server({.identity = nullptr, .plain = true});
  const auto stream = start(server);
  ASSERT_FALSE(stream.ok());
  expect_refused(stream.error(), AllOf(HasSubstr("does not speak TLS"), HasSubstr("queue.port")));
}

TEST_F(Tls, AServerThatSaysNothingIsGivenUpAtTheDeadline) {
  std::array<int, 2> pair{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair.data()), 0);
  const UniqueFd silent(pair[1]);
  const auto stream = start_tls(UniqueFd(pair[0]), Target{"localhost", 5671, &options_, "queue"},
                                std::chrono::steady_clock::now() + 50ms);
  ASSERT_FALSE(stream.ok());
  EXPECT_EQ(stream.error().cls, ErrorClass::retry);
  EXPECT_THAT(stream.error().what, HasSubstr("no end of the TLS handshake"));
}

TEST_F(Tls, APeerThatEndsIsClosedBehindItsLastBytes) {
  std::optional<Server> server;
  server.emplace(Server::Settings{&server_});
  auto stream = start(*server);
  ASSERT_TRUE(stream.ok()) << stream.error().what;
  ASSERT_TRUE(echo(**stream, "hello").ok());
  // The echo ends at our half of the close.
  ASSERT_EQ(::shutdown((*stream)->fd(), SHUT_WR), 0);
  std::array<char, 100> room{};
  for (;;) {
    pollfd p{(*stream)->fd(), POLLIN, 0};
    ASSERT_GT(::poll(&p, 1, 20'000), 0);
    const auto n = (*stream)->read(room);
    if (!n.ok()) {
      EXPECT_EQ(n.error().cls, ErrorClass::retry);
      break;
    }
    EXPECT_EQ(n->bytes, 0U);
    if (n->closed) break;
  }
}

}  // namespace
}  // namespace sluice::net
