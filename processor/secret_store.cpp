#include "processor/secret_store.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <set>

namespace cmpost {
namespace {

std::string context_of(std::string_view reference) { return "secret/" + std::string(reference); }

bool same_letter(char a, char b) {
  return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
}

// '*' covers any run of characters.
bool covers(std::string_view pattern, std::string_view text) {
  std::size_t p = 0, t = 0, star = std::string_view::npos, mark = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      mark = t;
    } else if (p < pattern.size() && same_letter(pattern[p], text[t])) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++mark;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

Secret read_secret(const Statement& row) {
  Secret secret;
  secret.reference = row.text(0);
  secret.subject = row.text(1);
  if (!row.is_null(2)) secret.max_uses = row.integer(2);
  secret.uses = row.integer(3);
  if (!row.is_null(4)) secret.expires = from_unix_micros(row.integer(4));
  secret.added = from_unix_micros(row.integer(5));
  return secret;
}

}  // namespace

Result<bool> subject_matches(std::string_view pattern, const Name& subject) {
  if (pattern.empty()) return true;
  ASSIGN_OR_RETURN(const auto wanted, Name::from_text(pattern));
  const auto allowed = wanted.attributes();
  const auto present = subject.attributes();
  if (allowed.size() != present.size()) return false;
  return std::ranges::all_of(allowed, [&](const AttributeTypeAndValue& want) {
    return std::ranges::any_of(present, [&](const AttributeTypeAndValue& have) {
      return have.type == want.type && covers(want.value, have.value);
    });
  });
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

Result<bool> SecretStore::add(const Secret& secret, Random& random) {
  if (secret.reference.empty() || secret.reference.size() > 256) {
    return hold("a secret's reference has 1 to 256 octets");
  }
  if (secret.value.empty()) return hold("the secret is empty");
  TRY(subject_matches(secret.subject, Name()));
  ASSIGN_OR_RETURN(const auto sealed,
                   key_.seal(secret.value, context_of(secret.reference), random));
  ASSIGN_OR_RETURN(
      auto* const insert,
      connection_.statement("INSERT OR IGNORE INTO secret (reference, sealed, subject, "
                            "max_uses, expires, added) VALUES (?, ?, ?, ?, ?, ?)"));
  insert->bind(1, std::string_view(secret.reference));
  insert->bind(2, ByteView(sealed));
  insert->bind(3, std::string_view(secret.subject));
  secret.max_uses ? insert->bind(4, *secret.max_uses) : insert->bind_null(4);
  secret.expires ? insert->bind(5, to_unix_micros(*secret.expires)) : insert->bind_null(5);
  insert->bind(6, to_unix_micros(secret.added));
  ASSIGN_OR_RETURN(const auto changed, insert->execute());
  return changed == 1;
}

Result<bool> SecretStore::remove(std::string_view reference) {
  ASSIGN_OR_RETURN(auto* const removal,
                   connection_.statement("DELETE FROM secret WHERE reference = ?"));
  removal->bind(1, reference);
  ASSIGN_OR_RETURN(const auto changed, removal->execute());
  return changed == 1;
}

Result<std::optional<Secret>> SecretStore::find(std::string_view reference) {
  ASSIGN_OR_RETURN(
      auto* const rows,
      connection_.statement("SELECT reference, subject, max_uses, uses, expires, added, sealed "
                            "FROM secret WHERE reference = ?"));
  rows->bind(1, reference);
  ASSIGN_OR_RETURN(const bool found, rows->step());
  if (!found) return std::nullopt;
  auto secret = read_secret(*rows);
  auto value = key_.unseal(rows->blob(6), context_of(reference));
  rows->reset();
  ASSIGN_OR_RETURN(secret.value, std::move(value));
  return secret;
}

Result<std::vector<Secret>> SecretStore::list() {
  ASSIGN_OR_RETURN(
      auto* const rows,
      connection_.statement("SELECT reference, subject, max_uses, uses, expires, added "
                            "FROM secret ORDER BY reference"));
  std::vector<Secret> secrets;
  while (true) {
    ASSIGN_OR_RETURN(const bool found, rows->step());
    if (!found) return secrets;
    secrets.push_back(read_secret(*rows));
  }
}

Result<bool> SecretStore::use(Connection& connection, std::string_view reference) {
  ASSIGN_OR_RETURN(auto* const update,
                   connection.statement("UPDATE secret SET uses = uses + 1 WHERE reference = ? AND "
                                        "(max_uses IS NULL OR uses < max_uses)"));
  update->bind(1, reference);
  ASSIGN_OR_RETURN(const auto changed, update->execute());
  return changed == 1;
}

}  // namespace cmpost
