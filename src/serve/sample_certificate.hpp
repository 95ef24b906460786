// A certificate for 127.0.0.1 that vouches for itself, for tests, made by the program `openssl`.
#pragma once

#include <cstdlib>
#include <string>

#include "base/temporary_folder.hpp"

namespace rival::serve {

class SampleCertificate {
 public:
  SampleCertificate() { renew(); }

  // Another one in its place.
  void renew() {
    const std::string line =
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=rival "
        "-addext subjectAltName=IP:127.0.0.1 -keyout '" +
        key() + "' -out '" + certificate() + "' 2>/dev/null";
    check(std::system(line.c_str()) == 0, "the program `openssl` makes a certificate");
  }
  std::string certificate() const { return folder_.file("certificate.pem"); }
  std::string key() const { return folder_.file("key.pem"); }

 private:
  TemporaryFolder folder_;
};

}  // namespace rival::serve
