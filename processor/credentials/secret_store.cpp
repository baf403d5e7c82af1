#include "processor/credentials/secret_store.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <set>
#include <tuple>

#include "base/joined.h"
#include "processor/credentials/envelope_credential.h"
#include "processor/credentials/envelope_tables.h"
#include "processor/credentials/name_pattern.h"
#include "processor/credentials/protection_tables.h"
#include "store/rows.h"

namespace cmpost {
namespace {

std::string context_of(std::string_view key) { return "secret/" + std::string(key); }

constexpr std::size_t kIdentitySize = 16;

// How the database has lists and rules: one text each, "*" for any channel.
constexpr std::string_view kSeparator = "\n";
constexpr std::string_view kAnyChannel = "*";
#define SECRET_COLUMNS                                                                             \
  "reference, subject, max_uses, uses, expires, added, san, profiles, channels, purpose, is_key, " \
  "identity"

std::vector<std::string> split(std::string_view all) {
  std::vector<std::string> texts;
  while (!all.empty()) {
    const auto end = all.find(kSeparator);
    texts.emplace_back(all.substr(0, end));
    if (end == std::string_view::npos) break;
    all.remove_prefix(end + 1);
  }
  return texts;
}

std::string stored(const SanRule& rule) {
  return rule.kind == SanRule::Kind::pattern ? joined(rule.patterns, kSeparator) : in_words(rule);
}

std::string stored(const ChannelRule& rule) {
  return rule.any ? std::string(kAnyChannel) : joined(rule.names, kSeparator);
}

ChannelRule read_channels(std::string_view text) {
  if (text == kAnyChannel) return {.any = true, .names = {}};
  return {.any = false, .names = split(text)};
}

// The column `reference` has the purpose of a token in front.
Result<Secret> read_secret(Row& row) {
  Secret secret;
  const auto key = row.next<std::string_view>();
  row.into(secret.subject, secret.max_uses, secret.uses, secret.expires, secret.added);
  secret.san = san_rule(split(row.next<std::string_view>())).value_or(SanRule{SanRule::Kind::none});
  secret.profiles = split(row.next<std::string_view>());
  secret.channels = read_channels(row.next<std::string_view>());
  const auto purpose_text = row.next<std::string_view>();
  const auto purpose = secret_purpose(purpose_text);
  if (!purpose) return hold("the ledger has a secret for " + printable(purpose_text));
  secret.purpose = *purpose;
  secret.reference = key.substr(secret_key(*purpose, "").size());
  row.into(secret.is_key, secret.identity);
  return secret;
}

Result<void> check_patterns(const Secret& secret) {
  if (!secret.subject.empty()) TRY(SubjectPattern::parse(secret.subject));
  for (const auto& pattern : secret.san.patterns) {
    if (pattern.find(kSeparator) != std::string::npos) return hold("a pattern is one line");
    TRY(AlternativeNamePattern::parse(pattern));
  }
  return {};
}

std::string marked(std::string_view reference, const Bytes& identity) {
  return std::string(reference) + (identity.empty() ? "" : "#" + to_hex(identity));
}

}  // namespace

std::string full_reference(const Secret& secret) {
  return marked(secret.reference, secret.identity);
}

std::string plain_reference(std::string_view full) {
  constexpr std::size_t kMark = 1 + 2 * kIdentitySize;
  const bool marked = full.size() > kMark && full[full.size() - kMark] == '#' &&
                      from_hex(full.substr(full.size() - kMark + 1)).has_value();
  return std::string(marked ? full.substr(0, full.size() - kMark) : full);
}

Result<std::string> subject_of_reference(std::string_view reference) {
  constexpr std::size_t kMostOfName = 64;  // ub-common-name
  const auto plain = [](char c) { return c > '\x1f' && c < '\x7f' && c != '*'; };
  const bool fits = !reference.empty() && reference.size() <= kMostOfName &&
                    std::ranges::all_of(reference, plain) && reference.front() != ' ' &&
                    reference.back() != ' ';
  if (!fits) {
    return hold("the reference cannot be the common name of its owner",
                "say whom the secret is for: --subject \"CN=...\", or --subject any");
  }
  std::string text = "CN=";
  for (const char c : reference) {
    if (std::string_view("\"+,;<>\\#=").find(c) != std::string_view::npos) text += '\\';
    text += c;
  }
  return text;
}

std::string_view to_string(SecretPurpose purpose) {
  if (purpose == SecretPurpose::regToken) return "regToken";
  return purpose == SecretPurpose::authenticator ? "authenticator" : "mac";
}

std::optional<SecretPurpose> secret_purpose(std::string_view text) {
  for (const auto one :
       {SecretPurpose::mac, SecretPurpose::regToken, SecretPurpose::authenticator}) {
    if (to_string(one) == text) return one;
  }
  return std::nullopt;
}

std::string secret_key(SecretPurpose purpose, std::string_view reference) {
  if (purpose == SecretPurpose::mac) return std::string(reference);
  return std::string(to_string(purpose)) + "/" + std::string(reference);
}

double guessing_bits(ByteView secret) {
  constexpr std::size_t kFew = 8;  // so few different octets are a pattern, not a choice
  const auto any = [&](auto&& is) { return std::ranges::any_of(secret, is); };
  const auto between = [](std::uint8_t first, std::uint8_t last) {
    return [=](std::uint8_t octet) { return octet >= first && octet <= last; };
  };
  double alphabet = 0;
  if (any(between('0', '9'))) alphabet += 10;
  if (any(between('a', 'z'))) alphabet += 26;
  if (any(between('A', 'Z'))) alphabet += 26;
  const auto other = [](std::uint8_t octet) { return std::ispunct(octet) != 0 || octet == ' '; };
  if (any(other)) alphabet += 33;
  if (any([](std::uint8_t octet) { return octet < 0x20 || octet > 0x7e; })) alphabet = 256;
  const std::set<std::uint8_t> different(secret.begin(), secret.end());
  if (different.size() < kFew) alphabet = static_cast<double>(different.size());
  return alphabet <= 1 ? 0 : static_cast<double>(secret.size()) * std::log2(alphabet);
}

namespace {

// What tokens were called when their names were all that told them from MAC secrets.
Result<void> check_reference(const Secret& secret) {
  if (secret.purpose != SecretPurpose::mac) return {};
  for (const auto token : {SecretPurpose::regToken, SecretPurpose::authenticator}) {
    const auto prefix = secret_key(token, "");
    if (!secret.reference.starts_with(prefix)) continue;
    return hold("no MAC secret is called " + printable(secret.reference),
                "for a token: `cmpost secret add " +
                    printable(secret.reference.substr(prefix.size())) + " --for " +
                    std::string(to_string(token)) + "`");
  }
  return {};
}

}  // namespace

// Those of versions that did not keep how names compare.
Result<void> SecretStore::fold_all() {
  const auto read = [](Row& row) {
    const auto purpose = secret_purpose(row.next<std::string_view>());
    auto key = row.next<std::string>();
    const auto prefix = purpose ? secret_key(*purpose, "").size() : 0;
    return std::pair(std::move(key), prefix);
  };
  ASSIGN_OR_RETURN(
      const auto keys,
      all(connection_, "SELECT purpose, reference FROM secret WHERE folded IS NULL", read));
  for (const auto& [key, prefix] : keys) {
    TRY(change(connection_, "UPDATE secret SET folded = ? WHERE reference = ?",
               folded_value(std::string_view(key).substr(prefix)), key));
  }
  return {};
}

Result<std::optional<std::string>> SecretStore::namesake(Connection& connection,
                                                         std::string_view reference,
                                                         SecretPurpose purpose) {
  ASSIGN_OR_RETURN(
      auto key,
      one(connection,
          "SELECT reference FROM secret WHERE folded = ? AND purpose = ? AND reference <> ?",
          column<std::string>, folded_value(reference), to_string(purpose),
          secret_key(purpose, reference)));
  if (key) key->erase(0, secret_key(purpose, "").size());
  return key;
}

Result<bool> SecretStore::exists(Connection& connection, std::string_view reference,
                                 SecretPurpose purpose) {
  return any(connection, "SELECT 1 FROM secret WHERE reference = ? AND purpose = ?",
             secret_key(purpose, reference), to_string(purpose));
}

Result<void> SecretStore::check_no_namesake(const Secret& secret) {
  TRY(fold_all());
  ASSIGN_OR_RETURN(const auto other, namesake(connection_, secret.reference, secret.purpose));
  if (!other) return {};
  return hold("the references " + printable(secret.reference) + " and " + printable(*other) +
                  " are the same name: case and blanks do not count in names",
              "choose another reference, or `cmpost secret remove` the other one first");
}

Result<bool> SecretStore::add(const Secret& secret, Random& random) {
  if (secret.reference.empty() || secret.reference.size() > 256) {
    return hold("a secret's reference has 1 to 256 octets");
  }
  if (secret.value.empty()) return hold("the secret is empty");
  TRY(check_patterns(secret));
  TRY(check_reference(secret));
  TRY(check_no_namesake(secret));
  const auto key = secret_key(secret.purpose, secret.reference);
  ASSIGN_OR_RETURN(const auto sealed, key_.seal(secret.value, context_of(key), random));
  ASSIGN_OR_RETURN(
      const auto changed,
      change(connection_,
             "INSERT OR IGNORE INTO secret (reference, sealed, subject, max_uses, expires, added, "
             "san, profiles, channels, purpose, is_key, identity, folded) "
             "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
             key, sealed, secret.subject, secret.max_uses, secret.expires, secret.added,
             stored(secret.san), joined(secret.profiles, kSeparator), stored(secret.channels),
             to_string(secret.purpose), secret.is_key, random.bytes(kIdentitySize),
             folded_value(secret.reference)));
  return changed == 1;
}

Result<bool> SecretStore::restate(Connection& connection, const Secret& secret) {
  TRY(check_patterns(secret));
  const auto rights = std::tuple(std::string_view(secret.subject), stored(secret.san),
                                 joined(secret.profiles, kSeparator), stored(secret.channels),
                                 secret.expires, secret.max_uses);
  ASSIGN_OR_RETURN(
      const auto changed,
      change(
          connection,
          "UPDATE secret SET subject = ?, san = ?, profiles = ?, channels = ?, expires = ?, "
          "max_uses = ? WHERE reference = ? AND purpose = ? AND NOT (subject = ? AND san = ? AND "
          "profiles = ? AND channels = ? AND expires IS ? AND max_uses IS ?)",
          rights, secret.reference, to_string(SecretPurpose::mac), rights));
  return changed == 1;
}

Result<SecretStore::Forgiven> SecretStore::forgive(Connection& connection,
                                                   std::string_view reference) {
  ASSIGN_OR_RETURN(
      const auto identity,
      one(connection, "SELECT identity FROM secret WHERE reference = ? AND purpose = ?",
          column<Bytes>, reference, to_string(SecretPurpose::mac)));
  Forgiven forgiven;
  for (const auto& name :
       std::set{marked(reference, identity.value_or(Bytes())), std::string(reference)}) {
    ASSIGN_OR_RETURN(const auto macs, SecretLock(connection).unlock(name));
    ASSIGN_OR_RETURN(const auto envelopes,
                     EnvelopeTable(connection).forget_failures(envelopes_of_secret(name)));
    forgiven.macs += macs;
    forgiven.envelopes += envelopes;
  }
  return forgiven;
}

Result<bool> SecretStore::remove(std::string_view reference, SecretPurpose purpose) {
  if (purpose == SecretPurpose::mac) TRY(forgive(connection_, reference));
  ASSIGN_OR_RETURN(const auto changed,
                   change(connection_, "DELETE FROM secret WHERE reference = ? AND purpose = ?",
                          secret_key(purpose, reference), to_string(purpose)));
  return changed == 1;
}

Result<Secret> SecretStore::open(Sealed sealed) const {
  ASSIGN_OR_RETURN(sealed.secret.value, key_.unseal(sealed.value, context_of(sealed.key)));
  return std::move(sealed.secret);
}

Result<SecretStore::Sealed> SecretStore::read_sealed(Row& row) {
  Sealed sealed;
  ASSIGN_OR_RETURN(sealed.secret, read_secret(row));
  sealed.key = secret_key(sealed.secret.purpose, sealed.secret.reference);
  row.into(sealed.value);
  return sealed;
}

Result<std::optional<SecretStore::Sealed>> SecretStore::find_sealed(std::string_view reference,
                                                                    SecretPurpose purpose) {
  return one(connection_,
             "SELECT " SECRET_COLUMNS ", sealed FROM secret WHERE reference = ? AND purpose = ?",
             read_sealed, secret_key(purpose, reference), to_string(purpose));
}

Result<std::optional<Secret>> SecretStore::find(std::string_view reference, SecretPurpose purpose) {
  ASSIGN_OR_RETURN(auto found, find_sealed(reference, purpose));
  if (!found) return std::nullopt;
  return open(*std::move(found));
}

// Whatever is found, two searches find nothing, one row is read, and one secret is opened: the time
// tells nothing. A search that sorts would cost more than all three.
Result<std::optional<Secret>> SecretStore::find_evenly(std::string_view first,
                                                       std::string_view second) {
  constexpr std::string_view kNobody;
  ASSIGN_OR_RETURN(auto found, find_sealed(first, SecretPurpose::mac));
  const bool at_once = found.has_value();
  ASSIGN_OR_RETURN(auto other,
                   find_sealed(at_once || first == second ? kNobody : second, SecretPurpose::mac));
  if (!at_once) found = std::move(other);
  const bool known = found.has_value();
  if (known) {
    TRY(find_sealed(kNobody, SecretPurpose::mac));
  } else {
    ASSIGN_OR_RETURN(
        found,
        one(connection_, "SELECT " SECRET_COLUMNS ", sealed FROM secret LIMIT 1", read_sealed));
  }
  if (!found) return std::nullopt;  // where there is none at all nothing could be told
  ASSIGN_OR_RETURN(auto secret, open(*std::move(found)));
  if (known) return secret;
  wipe(secret.value);
  return std::nullopt;
}

Result<std::int64_t> SecretStore::for_each(Connection& connection, const ListFilter& filter,
                                           const std::function<Result<void>(const Secret&)>& each) {
  static const ListColumns kColumns = {
      .row = "reference",
      .time = "added",
      .state = "purpose",
      .subject = "subject",
      .requester = "reference",
      .expires = "expires",
      .sorts = {
          {"added", "added"}, {"expires", "expires"}, {"subject", "subject"}, {"uses", "uses"}}};
  const ListQuery query(SECRET_COLUMNS, "secret", kColumns, filter);
  return query.for_each_counted(connection, [&](Row& row) -> Result<void> {
    ASSIGN_OR_RETURN(const auto secret, read_secret(row));
    return each(secret);
  });
}

Result<bool> SecretStore::use(Connection& connection, std::string_view reference,
                              std::int64_t count, const std::optional<Bytes>& identity) {
  ASSIGN_OR_RETURN(const auto changed,
                   change(connection,
                          "UPDATE secret SET uses = uses + ?1 WHERE reference = ?2 AND "
                          "(max_uses IS NULL OR uses + ?1 <= max_uses) AND "
                          "(?3 IS NULL OR identity = ?3)",
                          count, reference, identity));
  return changed == 1;
}

}  // namespace cmpost
