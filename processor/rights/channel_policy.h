// What is believed and allowed on one channel.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "ca/profile/profile.h"
#include "cmp/pki_message.h"
#include "config/settings.h"
#include "crypto/secrets/password_mac.h"
#include "crypto/x509/certificate_cache.h"
#include "crypto/x509/crl_files.h"
#include "crypto/x509/trust.h"

namespace cmpost {

// Whose certificates tell devices of the list from one another.
struct VendorPolicy {
  VendorSettings settings;
  TrustStore roots;  // no other vendor's root vouches for its numbers
};

// Immutable once made; any thread.
struct ChannelPolicy {
  ChannelSettings settings;
  bool first = false;  // of the channels that requests come in by
  TrustStore own;      // the issuing CA: certificates of this PKI
  // An RA: the issuing CA is above it, and the ledger has only those that have passed. Others of it
  // count as of the first profile.
  bool takes_unseen = false;
  TrustStore vendors;  // `trust`: other PKIs whose certificates may ask for a first one
  // All [[vendor]]: by them devices may ask where they have to be listed, and who is retired is
  // known everywhere.
  std::vector<VendorPolicy> listed{};
  TrustStore ras;                 // `roles.ra`
  TrustStore cas;                 // `roles.ca`: announce, and ask for cross certificates
  std::vector<Profile> profiles;  // allowed here; the first is the default
  MessageLimits limits;
  MacLimits mac_limits;
  std::shared_ptr<CrlFiles> crls{};   // of vendors and RAs
  CertificateCache signers{};         // that came in extraCerts
  std::vector<RuleSettings> rules{};  // of the settings: the first that fits decides
  std::vector<CronTime> runs{};       // the scheduled runs that serve this channel

  // whether messages may be protected this way here.
  bool allows(ProtectionMethod method) const;
  // By certProfile's name; "" is the default. nullptr: not allowed on this channel.
  const Profile* profile(std::string_view name) const;
  // How many people must agree before a request with this body is granted; 0: none. Always two for
  // krr and one for ccr, for which no machine stands in.
  int approvals(std::string_view body) const;
  static bool needs_people(std::string_view body) { return least_approvals(body) > 0; }
  // So many people agree to it, whatever the settings say.
  static int least_approvals(std::string_view body);
  // when it is worth while to poll again. What the settings say, else a little after the
  // next scheduled run, else after one look into the channel.
  std::chrono::seconds check_after(Time now) const;
};

// ChannelPolicy::approvals(), which the settings alone decide.
int approvals(const ChannelSettings& channel, std::string_view body);

using ChannelPolicies = std::map<std::string, ChannelPolicy, std::less<>>;

// Reads the trust files. An Error names the channel and the file. `own`: the certificates of this
// CA's present key and of former ones.
Result<ChannelPolicies> load_channel_policies(const Settings& settings,
                                              const std::vector<Certificate>& own);

}  // namespace cmpost
