// CRLs of other authorities (RFC 5280 5), read to find out who is revoked.
#pragma once

#include <memory>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "crypto/x509/certificate.h"

namespace cmpost {

// A complete CRL for one issuer's certificates. Immutable, cheap to copy; any thread.
class RevocationList {
 public:
  // An Error for what is no CRL, for delta and indirect ones and for unknown critical extensions.
  static Result<RevocationList> from_der(ByteView der);
  // One DER CRL, or one or more in PEM.
  static Result<std::vector<RevocationList>> from_file(ByteView contents);

  const Name& issuer() const;
  Time this_update() const;
  std::optional<Time> next_update() const;
  std::size_t size() const;
  bool names(ByteView serial_number) const;
  // Whether `authority`, who has the issuer's name, signed it. Remembered for the last one asked.
  bool signed_by(const Certificate& authority) const;

 private:
  struct State;
  explicit RevocationList(std::shared_ptr<State> state) : state_(std::move(state)) {}
  std::shared_ptr<State> state_;
};

// The first certificate of a validated chain (signer first, anchor last) that a list names;
// nullptr when none is. The list has the name of its issuer, and is signed by the certificate above
// it or another one of that name, in the chain or among the `authorities` that are known beside it:
// so also by a newer key. The anchor is looked up, too: where nobody is known who has issued it,
// the lists are believed without a signature, for that nothing is known must not keep it trusted.
const Certificate* find_revoked(const std::vector<Certificate>& chain,
                                const std::vector<RevocationList>& lists,
                                const std::vector<Certificate>& authorities);

}  // namespace cmpost
