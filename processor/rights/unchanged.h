// What an RA holds a request against besides the rights of who asks: it changes nothing in it.
#pragma once

#include "ca/profile/profile.h"
#include "cmp/pki_failure_info.h"

namespace cmpost {

// A CA would leave out or replace what its profile ignores; from here everything that is asked for
// reaches another CA, which may copy it. So what the profile would not grant as it is, is refused:
// each extension but those that bind the holder alone. Of subjectAltName see `unchanged` in
// rights.h.
Checked<void> check_unchanged(const Profile& profile, const Extensions& asked);

// The same of the attributes of a PKCS#10: extensionRequest is looked at as above, and there are
// some that ask for nothing.
Checked<void> check_attributes(const CertificationRequest& asked);

// How the extensions of a certificate differ from those that were asked for, subjectAltName and
// basicConstraints apart: what names somebody and was not asked for, what was and is not there or
// is another, purposes that neither the request nor the profile has. What a CA adds beside that
// (policies, where its CRL lies) is its own matter. In words; empty: not at all.
std::vector<std::string> changed_extensions(const Profile& profile, const Extensions& asked,
                                            const Extensions& got);

}  // namespace cmpost
