#include "unit/net/certificates.h"

#include <cstdio>

#include <gtest/gtest.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace sluice::net {
namespace {

void add_extension(X509* to, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, to, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
  ASSERT_NE(extension, nullptr) << value;
  X509_add_ext(to, extension, -1);
  X509_EXTENSION_free(extension);
}

template <class Write>
void write_file(const std::string& path, Write write) {
  FILE* file = std::fopen(path.c_str(), "w");
  ASSERT_NE(file, nullptr) << path;
  EXPECT_EQ(write(file), 1);
  std::fclose(file);
}

}  // namespace

Identity::Identity(const std::string& name, const Identity* issuer, const std::string& names,
                   long from, long until)
    : key_(EVP_EC_gen("P-256")), certificate_(X509_new()) {
  static long serial = 0;
  X509* const c = certificate_.get();
  X509* const by = issuer == nullptr ? c : issuer->certificate();
  X509_set_version(c, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(c), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(c), from);
  X509_gmtime_adj(X509_getm_notAfter(c), until);
  X509_set_pubkey(c, key_.get());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(c), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509_set_issuer_name(c, X509_get_subject_name(by));
  if (issuer == nullptr) add_extension(c, by, NID_basic_constraints, "critical,CA:TRUE");
  if (!names.empty()) add_extension(c, by, NID_subject_alt_name, names);
  X509_sign(c, issuer == nullptr ? key_.get() : issuer->key(), EVP_sha256());
}

Identity Identity::authority(const std::string& name) {
  return {name, nullptr, "", -3600, 3600};
}

Identity Identity::sign(const std::string& name, const std::string& names, long from,
                        long until) const {
  return {name, this, names, from, until};
}

void Identity::write_certificate(const std::string& path) const {
  write_file(path, [this](FILE* f) { return PEM_write_X509(f, certificate()); });
}

void Identity::write_key(const std::string& path) const {
  write_file(path, [this](FILE* f) {
    return PEM_write_PrivateKey(f, key(), nullptr, nullptr, 0, nullptr, nullptr);
  });
}

}  // namespace sluice::net
