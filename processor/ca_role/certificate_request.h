// One certificate asked for, in CRMF or PKCS#10, brought to one form and decided on.
#pragma once

#include <string>

#include "crypto/keys/private_key.h"
#include "processor/admission/asked_certificate.h"
#include "processor/ca_role/handlers.h"
#include "processor/possession/controls.h"

namespace cmpost {

// What a requester wants certified, its possession of the key already proven, or to be proven with
// what it gets.
struct ProvenRequest {
  std::int64_t certReqId = 0;
  CertificateWish wish;
  std::string certProfile;                // "" for the channel's default; kur: also the kept one
  bool renews = false;                    // kur
  bool names_profile = false;             // certProfile is the requester's word
  bool by_certificate = false;            // leaves encrypted
  bool by_challenge = false;              // is not proven before popdecr has come
  bool wants_v1 = false;                  // ccr; there are v3 certificates only
  std::optional<PrivateKey> generated{};  // made here, to be delivered
  std::optional<PrivateKey> to_archive{};
  std::vector<std::string> tokens{};  // that it uses up
};

// False: the key is to be made here.
bool has_key(const CertTemplate& wanted);

// The field rules of a CertTemplate, its controls, and the profile that it names or
// keeps; the first of what prove() looks at.
Checked<std::string> check_fields(const CertReqMsg& message, const Request& request,
                                  const Requester& requester, const CaServices& services);

// The fields, the proof of possession, and what the controls bring along: a key to archive, tokens.
// Without a key in the template one is made.
Outcome<ProvenRequest> prove(const CertReqMsg& message, const Request& request,
                             const Requester& requester, CaServices& services);

// Whether this requester may ask for it, by its Rights: `granted`
// certificates come before it in the same message. Whether it may have what comes of it, plan_for()
// tells.
Checked<void> authorise(const ProvenRequest& proven, const Request& request,
                        const Requester& requester, std::size_t granted = 0);

// What the profile makes of it, if the requester has a right to that: nothing is issued, or shown
// to those who approve it, by any other plan.
Checked<CertificatePlan> plan_for(const ProvenRequest& proven, const Profile& profile,
                                  const Request& request, const Requester& requester,
                                  const CaServices& services);

// Whether what a message gets counts from its issue on: it is confirmed implicitly, or silence
// would be acceptance (but for who is to prove possession by certConf).
bool counts_at_once(const Request& request, bool implicitConfirm);

// A signed certificate and the ledger entries that go with it.
struct Issued {
  Certificate certificate;
  bool with_changes = false;         // grantedWithMods
  std::vector<std::string> changes;  // in words, for statusString
  Effects effects;
};
// `beside`: what the same message gets already.
Outcome<Issued> issue(const ProvenRequest& proven, const Profile& profile, bool awaits_confirm,
                      const Request& request, const Requester& requester, CaServices& services,
                      const std::vector<CertificateRecord>& beside = {});

// What issue() would refuse, without issuing.
Outcome<void> check_issuable(const ProvenRequest& proven, const Profile& profile,
                             const Request& request, const Requester& requester,
                             CaServices& services);

}  // namespace cmpost
