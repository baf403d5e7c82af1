#include <algorithm>
#include <charconv>

#include "base/bytes.h"
#include "config/readers.h"
#include "config/text/oid_names.h"
#include "config/text/spelling.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;

constexpr auto kLongest = Duration(24h * 36'500);
constexpr auto kKeyHint = "such as \"ec:P-256\", \"rsa:2048-4096\", \"rsa:3072\" or \"ed25519\"";
constexpr int kLeastRsa = 2048, kMostRsa = 16384;

std::optional<int> whole_number(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<KeyRule> rsa_rule(std::string_view bits) {
  const auto dash = bits.find('-');
  const auto least = whole_number(bits.substr(0, dash));
  const auto most = dash == std::string_view::npos ? least : whole_number(bits.substr(dash + 1));
  if (!least || !most || *least < kLeastRsa || *most > kMostRsa || *least > *most) {
    return std::nullopt;
  }
  return KeyRule{KeyRule::Kind::rsa, "", *least, *most};
}

std::optional<KeyRule> key_rule(std::string_view text) {
  if (text == "ed25519") return KeyRule{.kind = KeyRule::Kind::ed25519, .curve = {}};
  if (text == "ed448") return KeyRule{.kind = KeyRule::Kind::ed448, .curve = {}};
  if (text == "x25519") return KeyRule{.kind = KeyRule::Kind::x25519, .curve = {}};
  if (text == "x448") return KeyRule{.kind = KeyRule::Kind::x448, .curve = {}};
  if (text.starts_with("rsa:")) return rsa_rule(text.substr(4));
  for (const auto* curve : {"P-256", "P-384", "P-521"}) {
    if (text == std::string("ec:") + curve)
      return KeyRule{.kind = KeyRule::Kind::ec, .curve = curve};
  }
  return std::nullopt;
}

std::vector<KeyRule> default_keys() {
  std::vector<KeyRule> keys;
  for (const auto* text :
       {"ec:P-256", "ec:P-384", "ec:P-521", "rsa:2048-8192", "ed25519", "ed448"}) {
    keys.push_back(*key_rule(text));
  }
  return keys;
}

std::vector<KeyRule> read_keys(Section& table) {
  if (!table.has("keys")) {
    table.find("keys");
    return default_keys();
  }
  std::vector<KeyRule> keys;
  for (const auto* item : table.items("keys")) {
    if (const auto rule = key_rule(item->text)) {
      keys.push_back(*rule);
    } else {
      table.reading().complain(item->at, "'" + printable(item->text, 60) + "' is not a kind of key",
                               std::string(kKeyHint) + "; RSA has 2048 to 16384 bits");
    }
  }
  if (table.find("keys")->items.empty()) table.complain("keys", "'keys' allows no key", kKeyHint);
  return keys;
}

std::vector<int> read_key_usage(Section& table, bool ca) {
  static const std::vector<std::string> kBits = {
      "digitalSignature", "nonRepudiation", "keyEncipherment", "dataEncipherment", "keyAgreement",
      "keyCertSign",      "cRLSign",        "encipherOnly",    "decipherOnly"};
  if (!table.has("key_usage")) {
    table.find("key_usage");
    return ca ? std::vector<int>{5, 6} : std::vector<int>{0};
  }
  std::vector<int> bits;
  for (const auto* item : table.items("key_usage")) {
    const auto& word = item->text == "contentCommitment" ? kBits[1] : item->text;
    const auto found = std::find(kBits.begin(), kBits.end(), word);
    if (found != kBits.end()) {
      bits.push_back(static_cast<int>(found - kBits.begin()));
    } else {
      table.reading().complain(item->at, "'" + printable(word, 60) + "' is not a key usage",
                               suggestion(word, kBits));
    }
  }
  std::sort(bits.begin(), bits.end());
  if (!ca && std::find(bits.begin(), bits.end(), 5) != bits.end()) {
    table.complain("key_usage", "keyCertSign is for profiles with ca = true only");
  }
  return bits;
}

std::vector<std::string> read_oids(Section& table, std::string_view key,
                                   std::optional<std::string> (*oid_of)(std::string_view),
                                   const std::vector<std::string>& names) {
  std::vector<std::string> oids;
  for (const auto* item : table.items(key)) {
    if (const auto oid = oid_of(item->text)) {
      oids.push_back(*oid);
    } else {
      table.reading().complain(item->at,
                               "'" + printable(item->text, 60) + "' in '" + std::string(key) +
                                   "' is not a name that is known nor a dotted OID",
                               suggestion(item->text, names));
    }
  }
  return oids;
}

std::optional<std::string> policy_oid(std::string_view text) {
  return is_dotted_oid(text) ? std::optional<std::string>(text) : std::nullopt;
}

void read_san_kinds(Section& table, std::string_view key, SanKinds& kinds) {
  static const std::vector<std::string> kSanKinds = {"dns", "ip", "email", "uri", "dirname"};
  if (table.find(key) == nullptr) return;
  const std::array flags = {&kinds.dns, &kinds.ip, &kinds.email, &kinds.uri, &kinds.dirname};
  for (auto* flag : flags) *flag = false;
  for (const auto* item : table.items(key)) {
    const auto found = std::find(kSanKinds.begin(), kSanKinds.end(), item->text);
    if (found != kSanKinds.end()) {
      *flags[static_cast<std::size_t>(found - kSanKinds.begin())] = true;
    } else {
      table.reading().complain(item->at,
                               "'" + printable(item->text, 60) + "' is not a kind of name",
                               suggestion(item->text, kSanKinds));
    }
  }
}

// Schemes whose URIs are run by who opens them.
void complain_about_schemes(Section& table, const std::vector<std::string>& schemes) {
  for (const auto& scheme : schemes) {
    const bool plain = !scheme.empty() && std::ranges::all_of(scheme, [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
    });
    if (!plain) {
      table.complain("uri_schemes", "'" + printable(scheme, 40) + "' is no scheme of a URI",
                     "small letters, without the colon");
    } else if (scheme == "javascript" || scheme == "data" || scheme == "vbscript") {
      table.complain("uri_schemes", "a URI of the scheme '" + scheme + "' is a program, no name");
    }
  }
}

// `san = ["dns", "ip"]`, or a table that has these as `kinds`, and limits.
SanKinds read_san(Section& table) {
  SanKinds kinds;
  const auto* value = table.find("san");
  if (value == nullptr) return kinds;
  if (value->kind != Value::Kind::table) {
    read_san_kinds(table, "san", kinds);
    return kinds;
  }
  auto san = table.table("san");
  read_san_kinds(san, "kinds", kinds);
  kinds.wildcards = san.flag("wildcards", kinds.wildcards);
  kinds.most = static_cast<int>(san.integer("most", kinds.most, {1, 1000}));
  kinds.uri_schemes = san.texts("uri_schemes", kinds.uri_schemes);
  complain_about_schemes(san, kinds.uri_schemes);
  san.finish();
  return kinds;
}

std::vector<std::string> read_urls(Section& table, std::string_view key) {
  std::vector<std::string> urls;
  for (const auto* item : table.items(key)) {
    complain_unless_url(table.reading(), item->at, item->text);
    urls.push_back(item->text);
  }
  return urls;
}

void read_constraints(Section& table, ProfileSettings& profile) {
  profile.ca = table.flag("ca", profile.ca);
  if (table.find("path_length") == nullptr) return;
  profile.path_length = static_cast<int>(table.integer("path_length", 0, {0, 100}));
  if (!profile.ca)
    table.complain("path_length", "'path_length' is for profiles with ca = true only");
}

std::string read_generate(Section& table) {
  auto kind = table.text("generate");
  const auto rule = kind.empty() ? std::nullopt : key_rule(kind);
  const bool one = rule && (rule->kind != KeyRule::Kind::rsa || rule->min_bits == rule->max_bits);
  if (kind.empty() || one) return kind;
  table.complain("generate", "'generate': " + printable(kind, 40) + " is not one kind of key",
                 "such as \"ec:P-256\" or \"rsa:3072\"");
  return {};
}

}  // namespace

void complain_unless_url(Reading& reading, Position at, std::string_view text) {
  const bool scheme = text.starts_with("http://") || text.starts_with("https://") ||
                      text.starts_with("ldap://") || text.starts_with("file://");
  const bool plain = std::ranges::all_of(text, [](char c) { return c > ' ' && c < 127; });
  if (scheme && plain) return;
  reading.complain(at, "'" + printable(text, 60) + "' is not a URL",
                   "such as \"http://pki.example/grid.crl\"");
}

ProfileSettings read_profile(Section table) {
  constexpr std::array kReuse = {Word<bool>{"allow", true}, Word<bool>{"deny", false}};
  ProfileSettings profile;
  profile.name = table.name("name");
  profile.who = read_who(table);
  profile.validity = table.duration("validity", profile.validity, {1min, kLongest});
  profile.not_before_slack =
      table.duration("not_before_slack", profile.not_before_slack, {0s, 24h * 365});
  profile.keys = read_keys(table);
  read_constraints(table, profile);
  profile.key_usage = read_key_usage(table, profile.ca);
  profile.extended_key_usage = read_oids(table, "extended_key_usage", purpose_oid, purpose_names());
  profile.subject = read_subject(table.table("subject"));
  profile.extensions = read_extensions(table.table("extensions"));
  profile.san = read_san(table);
  profile.policies = read_oids(table, "policies", policy_oid, {});
  profile.crl_urls = read_urls(table, "crl_urls");
  profile.issuer_urls = read_urls(table, "issuer_urls");
  profile.ocsp_urls = read_urls(table, "ocsp_urls");
  profile.reuse_key = table.choice("reuse_key", profile.reuse_key, kReuse);
  profile.generate = read_generate(table);
  profile.max_requests =
      static_cast<int>(table.integer("max_requests", profile.max_requests, {1, 1000}));
  constexpr std::array kLint = {
      Word<ProfileSettings::Lint>{"refuse", ProfileSettings::Lint::refuse},
      Word<ProfileSettings::Lint>{"warn", ProfileSettings::Lint::warn},
      Word<ProfileSettings::Lint>{"off", ProfileSettings::Lint::off}};
  profile.lint = table.choice("lint", profile.lint, kLint);
  profile.lint_allow = table.texts("lint_allow");
  table.finish();
  return profile;
}

}  // namespace cmpost
