#include <filesystem>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "integration/mysql/server.h"

namespace sluice::mysql {
namespace {

using testing::HasSubstr;
using Mode = TlsOptions::Mode;

// Made when the tests are built: ca.pem, other-ca.pem, and server.pem for localhost and 127.0.0.1
// with server-key.pem.
const std::filesystem::path kCertificates = SLUICE_TEST_CERTIFICATES;

class SourceTls : public OnServer {
 protected:
  void SetUp() override {
    OnServer::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    make_account(own_.source, "");
  }
  // The certificates the server made for itself when it was initialised.
  std::string own_ca() {
    const std::filesystem::path ca = value("SELECT @@GLOBAL.ssl_ca");
    return ca.is_absolute()
               ? ca.string()
               : (std::filesystem::path(value("SELECT @@GLOBAL.datadir")) / ca).string();
  }
  // Gives the server a certificate for its host name until the end of the test.
  void use_named_certificate() {
    undo_.emplace_back("ALTER INSTANCE RELOAD TLS");
    set_global("ssl_ca", (kCertificates / "ca.pem").string());
    set_global("ssl_cert", (kCertificates / "server.pem").string());
    set_global("ssl_key", (kCertificates / "server-key.pem").string());
    sql("ALTER INSTANCE RELOAD TLS");
  }
  Result<Connection> open(Mode mode, const std::string& ca) {
    own_.source.tls.mode.set(mode);
    own_.source.tls.ca.set(ca);
    return Connection::open(own_.source);
  }
  static void expect_refused(const Result<Connection>& connection, const char* why) {
    ASSERT_FALSE(connection.ok());
    EXPECT_EQ(connection.error().cls, ErrorClass::fatal);
    EXPECT_EQ(connection.error().code, Errc::mysql_preflight);
    EXPECT_THAT(connection.error().what, HasSubstr(why));
  }
  OwnOptions own_;
};

TEST_P(SourceTls, RequiredTakesAnyCertificate) {
  EXPECT_TRUE(open(Mode::required, "").ok());
}

TEST_P(SourceTls, VerifyCaTakesTheServersOwnCaAndNoHostName) {
  const auto connection = open(Mode::verify_ca, own_ca());
  EXPECT_TRUE(connection.ok()) << connection.error().what;
}

TEST_P(SourceTls, VerifyCaRefusesAnotherCa) {
  expect_refused(open(Mode::verify_ca, (kCertificates / "other-ca.pem").string()), "source.tls.ca");
}

TEST_P(SourceTls, VerifyCaWithoutAFileMeansTheSystemsCertificates) {
  expect_refused(open(Mode::verify_ca, ""), "source.tls.ca");
}

TEST_P(SourceTls, VerifyIdentityRefusesACertificateWithoutTheHostName) {
  expect_refused(open(Mode::verify_identity, own_ca()), "source.host must be a name");
}

TEST_P(SourceTls, VerifyIdentityTakesNameAndAddressOfTheCertificate) {
  use_named_certificate();
  for (const char* host : {"localhost", "127.0.0.1"}) {
    own_.source.host.set(host);
    const auto connection = open(Mode::verify_identity, (kCertificates / "ca.pem").string());
    EXPECT_TRUE(connection.ok()) << host << ": " << connection.error().what;
  }
  expect_refused(open(Mode::verify_identity, (kCertificates / "other-ca.pem").string()),
                 "source.tls.ca");
}

INSTANTIATE_TEST_SUITE_P(On, SourceTls, testing::Values(kMysql), server_name);

}  // namespace
}  // namespace sluice::mysql
