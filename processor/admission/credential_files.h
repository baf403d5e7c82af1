// Keys and certificates as the settings name them, and the certificates that go out with them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cmp/pki_body.h"
#include "crypto/keys/private_key.h"
#include "crypto/x509/certificate.h"

namespace cmpost {

// PEM files. An Error names the file, and says what to do.
Result<PrivateKey> read_key(const std::string& path,
                            const std::optional<std::string>& password_file);
Result<std::vector<Certificate>> read_certificates(const std::string& path);
// That both are of one pair.
Result<void> check_fits(const PrivateKey& key, const Certificate& certificate,
                        const std::string& key_path, const std::string& certificate_path);

// Whether write_pair() may write beside both files. hold: it may not, or a directory is away.
Result<void> check_exchangeable(const std::string& key_path, const std::string& certificate_path);

// The holder of the key first, then what is above it.
struct KeyPair {
  PrivateKey key;
  std::vector<Certificate> certificates;
};
// Of a pair that may be exchanged by write_pair() meanwhile, or that was when a process died: the
// former or the new one, never one half of each.
Result<KeyPair> read_pair(const std::string& key_path, const std::string& certificate_path,
                          const std::optional<std::string>& password_file);
// Puts it in the place of the one that is there: the new certificate beside the present one, the
// key, then the certificate; each durable before the next.
Result<void> write_pair(const KeyPair& pair, const std::string& key_path,
                        const std::string& certificate_path,
                        const std::optional<std::string>& password_file);

std::vector<CMPCertificate> to_cmp(const std::vector<Certificate>& certificates);
// A link of a roll-over, which another key has signed, stays.
std::vector<Certificate> without_roots(std::vector<Certificate> chain);
// "Self-signed certificates should be omitted from extraCerts" (RFC 9483 3.3): nobody may trust one
// because it came along, and it would be a quarter of an answer.
std::vector<CMPCertificate> issuers_to_send(const std::vector<Certificate>& chain, bool with_root);
// The holder of a key, whoever signed it, and its issuers.
std::vector<CMPCertificate> chain_to_send(const std::vector<Certificate>& chain, bool with_root);

}  // namespace cmpost
