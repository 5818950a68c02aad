#pragma once
#include <memory>
#include <string>

#include <openssl/x509.h>

namespace sluice::net {

// Certificates made for one test, without files of anybody else.
class Identity {
 public:
  // An authority that signs itself.
  static Identity authority(const std::string& name);
  // Signed by this one.  `names` as in "DNS:localhost,IP:127.0.0.1"; valid from now + `from` to now
  // + `until`, in seconds.
  Identity sign(const std::string& name, const std::string& names, long from = -3600,
                long until = 3600) const;

  X509* certificate() const noexcept { return certificate_.get(); }
  EVP_PKEY* key() const noexcept { return key_.get(); }
  // PEM files.
  void write_certificate(const std::string& path) const;
  void write_key(const std::string& path) const;

 private:
  struct Free {
    void operator()(X509* c) const noexcept { X509_free(c); }
    void operator()(EVP_PKEY* k) const noexcept { EVP_PKEY_free(k); }
  };
  Identity(const std::string& name, const Identity* issuer, const std::string& names, long from,
           long until);
  std::unique_ptr<EVP_PKEY, Free> key_;
  std::unique_ptr<X509, Free> certificate_;
};

}  // namespace sluice::net
