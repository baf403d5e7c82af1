// [[profile]]: what a certificate of this profile may contain, and who decides it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "config/rights_settings.h"

namespace cmpost {

// One entry of `keys`: "ec:P-256", "rsa:3072", "rsa:2048-4096", "ed25519", "ed448", "x25519",
// "x448".
struct KeyRule {
  enum class Kind { ec, rsa, ed25519, ed448, x25519, x448 };
  Kind kind = Kind::ec;
  std::string curve;  // ec: "P-256", "P-384" or "P-521"
  int min_bits = 0;   // rsa: both ends allowed
  int max_bits = 0;
  friend bool operator==(const KeyRule&, const KeyRule&) = default;
};

// Who decides one field of the subject.
struct FieldRule {
  enum class Kind {
    copy,      // as requested; absent when not requested
    deny,      // a request that has it is refused
    require,   // as requested; a request without it is refused
    fixed,     // always `value`; a request with another value is refused
    set,       // always `value`, whatever is requested
    default_,  // as requested, else `value`
    derive,    // always `value` with its placeholders filled in, whatever is requested
    drop       // never there, whatever is requested
  };
  Kind kind = Kind::copy;
  // derive: placeholders are {CN} and other attributes of the requested subject, {dns}, {email},
  // {ip}, {uri} for the first such name of the requested subjectAltName, {key} for the first 16
  // hexadecimal digits of the key identifier.
  std::string value;
  friend bool operator==(const FieldRule&, const FieldRule&) = default;
};

struct SubjectField {
  std::string oid;   // dotted
  std::string name;  // as in the file, for messages: "CN"
  FieldRule rule;
};

// `subject = { CN = "require", O = { fixed = "Grid" }, other = "deny" }`
struct SubjectRules {
  // In the order of the file: fixed and default values that the request does not have are put in
  // front of the requested ones (X.500 order: C, O, ... before CN) in this order.
  std::vector<SubjectField> fields;
  FieldRule::Kind other = FieldRule::Kind::copy;  // copy, deny or drop: types that are not listed
};

// Who decides one extension.
struct ExtensionRule {
  enum class Kind {
    ignore,    // what is requested has no effect; the profile's own value, if any, is used
    copy,      // as requested, within what the profile allows (below); else the profile's own value
    deny,      // a request that has it is refused
    require,   // as copy; a request without it is refused
    fixed,     // always `der`, whatever is requested
    default_,  // as copy; `der` when it is not requested
    derive     // subjectAltName alone: the names of `names`, whatever is requested
  };
  Kind kind = Kind::ignore;
  std::string der_hex;    // fixed, default: the extnValue's contents, whole DER, lower-case hex
  bool critical = false;  // fixed, default
  std::vector<std::string> names{};  // derive: "DNS:{CN}.grid.example", placeholders as above
  friend bool operator==(const ExtensionRule&, const ExtensionRule&) = default;
};

struct ExtensionField {
  std::string oid;   // dotted
  std::string name;  // as in the file: "subjectAltName"
  ExtensionRule rule;
};

// `extensions = { subjectAltName = "copy", keyUsage = "ignore", other = "ignore" }`
// Limits of `copy`: keyUsage to the bits of key_usage, extendedKeyUsage to extended_key_usage,
// subjectAltName to the kinds in `san`; a request beyond them is refused. basicConstraints can only
// be ignore or deny: `ca` and `path_length` decide it.
struct ExtensionRules {
  std::vector<ExtensionField> fields;
  ExtensionRule::Kind other = ExtensionRule::Kind::ignore;  // ignore, deny or copy
  // The rule for an extension by its dotted OID, `other` when it is not listed.
  ExtensionRule rule_for(std::string_view oid) const;
};

// Kinds of GeneralName that a subjectAltName may have; set by `san`.
struct SanKinds {
  bool dns = true, ip = true, email = true, uri = true, dirname = false;
  bool wildcards = false;  // "*.grid.example"
  int most = 20;           // names in one certificate
  std::vector<std::string> uri_schemes = {"http", "https", "ldap", "ldaps",  "coap",   "coaps",
                                          "urn",  "sip",   "sips", "spiffe", "opc.tcp"};
  friend bool operator==(const SanKinds&, const SanKinds&) = default;
};

struct ProfileSettings {
  std::string name;
  // Who may choose it; not said: anybody, unless its certificates have power over others
  // (Profile::powers).
  std::optional<RequesterKinds> who;
  // notAfter is notBefore + validity, never after the CA's own end; a shorter requested validity is
  // granted. notBefore is now - not_before_slack, so that devices whose clocks are slow accept it.
  Duration validity = std::chrono::hours(24 * 398);
  Duration not_before_slack = std::chrono::minutes(5);
  std::vector<KeyRule> keys;         // never empty; default: every kind, RSA 2048 to 8192
  std::vector<int> key_usage = {0};  // bit numbers of RFC 5280 4.2.1.3; 0 is digitalSignature
  std::vector<std::string> extended_key_usage;  // dotted OIDs; empty: no such extension
  bool ca = false;                              // basicConstraints cA
  std::optional<int> path_length;               // only with ca
  SubjectRules subject;
  ExtensionRules extensions;
  SanKinds san;
  std::vector<std::string> policies;     // certificatePolicies, dotted OIDs
  std::vector<std::string> crl_urls;     // cRLDistributionPoints
  std::vector<std::string> issuer_urls;  // authorityInfoAccess caIssuers
  std::vector<std::string> ocsp_urls;    // authorityInfoAccess ocsp
  bool reuse_key =
      true;  // reuse_key = "allow" | "deny": a public key that has a certificate already
  // The kind of key that is made for who wants one and has no wish of its own ("ec:P-256"); empty:
  // keys are not made here.
  std::string generate;
  int max_requests = 10;  // CertReqMsg in one message
  // What becomes of a certificate that would break a MUST of RFC 5280, and rules that do not count.
  enum class Lint { refuse, warn, off };
  Lint lint = Lint::refuse;
  std::vector<std::string> lint_allow;
};

}  // namespace cmpost
