#include "crypto/x509/trust.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/mutex.h"
#include "crypto/keys/generation_map.h"
#include "crypto/keys/signature.h"
#include "crypto/x509/path_validation.h"

namespace cmpost {
namespace {

constexpr std::size_t kRemembered = 20'000;
constexpr std::size_t kRememberedHelpers = 1'000;
// A path never has more helpers than this; of a sender's flood of certificates we look at no more.
constexpr std::size_t kMaxHelpers = 16;
// A refusal may hang on the date of some helper, so it is not remembered for long.
constexpr Duration kRefusalKept = std::chrono::minutes(10);

bool within(Time at, Time from, Time until) { return from <= at && at <= until; }

// Those of `untrusted` that may stand between the signer and an anchor, by name.
std::vector<Certificate> relevant_helpers(const Certificate& signer,
                                          const std::vector<Certificate>& untrusted) {
  std::vector<std::pair<std::string, const Certificate*>> left;  // by subject
  for (const auto& one : untrusted) {
    if (!(one == signer)) left.emplace_back(one.subject_key(), &one);
  }
  std::vector<Certificate> helpers;
  std::vector<std::string> wanted = {signer.issuer_key()};
  while (!wanted.empty() && helpers.size() < kMaxHelpers) {
    const auto issuer = std::move(wanted.back());
    wanted.pop_back();
    for (auto& [subject, certificate] : left) {
      if (certificate == nullptr || subject != issuer || helpers.size() >= kMaxHelpers) continue;
      helpers.push_back(*certificate);
      wanted.push_back(certificate->issuer_key());
      certificate = nullptr;
    }
  }
  return helpers;
}

Sha256 fingerprint_of(const Certificate& signer, const std::vector<Certificate>& helpers) {
  Bytes all = to_bytes(signer.fingerprint());
  for (const auto& helper : helpers) append(all, helper.fingerprint());
  return sha256(all);
}

}  // namespace

struct TrustStore::State {
  // A path found once, and when all its certificates are valid.
  struct KnownPath {
    explicit KnownPath(const std::vector<Certificate>& certificates);
    std::vector<Certificate> chain;
    Time from, until;
  };
  struct KnownRefusal {
    std::string reason;
    Time at;
  };

  explicit State(std::vector<Certificate> given) : anchors(std::move(given)), validator(anchors) {
    for (const auto& anchor : anchors) subjects.push_back(anchor.subject_key());
  }

  const Certificate* anchor(const Certificate& certificate) const;
  bool ends_in_an_anchor(const Certificate& signer, const std::vector<Certificate>& helpers) const;
  std::string no_anchor_for(const Certificate& signer);
  std::optional<PathCheck> recall(const Certificate& signer, Time at);
  std::optional<PathCheck> recall_refusal(const Sha256& key, Time at);
  std::optional<DecodedCertificate> decoded_helper(const Certificate& certificate);
  Result<PathCheck> validate(const Certificate& signer, const std::vector<Certificate>& helpers,
                             Time at);
  void remember(const Certificate& signer, const Sha256& key, const PathCheck& check, Time at);

  const std::vector<Certificate> anchors;
  std::vector<std::string> subjects;  // of the anchors
  const PathValidator validator;
  Mutex mutex;
  GenerationMap<KnownPath> paths GUARDED_BY(mutex){kRemembered};
  GenerationMap<KnownRefusal> refusals GUARDED_BY(mutex){kRemembered};
  GenerationMap<DecodedCertificate> helpers_seen GUARDED_BY(mutex){kRememberedHelpers};
  // The last issuer that is none of ours: its key, and why.
  std::string stranger GUARDED_BY(mutex);
  std::string stranger_reason GUARDED_BY(mutex);
};

TrustStore::State::KnownPath::KnownPath(const std::vector<Certificate>& certificates)
    : chain(certificates), from(chain.front().not_before()), until(chain.front().not_after()) {
  for (const auto& certificate : chain) {
    from = std::max(from, certificate.not_before());
    until = std::min(until, certificate.not_after());
  }
}

const Certificate* TrustStore::State::anchor(const Certificate& certificate) const {
  const auto found = std::find(anchors.begin(), anchors.end(), certificate);
  return found == anchors.end() ? nullptr : &*found;
}

bool TrustStore::State::ends_in_an_anchor(const Certificate& signer,
                                          const std::vector<Certificate>& helpers) const {
  const auto issued_by_an_anchor = [this](const Certificate& certificate) {
    const auto& issuer = certificate.issuer_key();
    return std::find(subjects.begin(), subjects.end(), issuer) != subjects.end();
  };
  return issued_by_an_anchor(signer) ||
         std::any_of(helpers.begin(), helpers.end(), issued_by_an_anchor);
}

// A signer of one kind is asked about in the stores of all kinds, request after request.
std::string TrustStore::State::no_anchor_for(const Certificate& signer) {
  const auto& issuer = signer.issuer_key();
  const MutexLock lock(mutex);
  if (stranger != issuer || stranger_reason.empty()) {
    stranger = issuer;
    stranger_reason = "no trust anchor for issuer " + printable(signer.issuer().text());
  }
  return stranger_reason;
}

std::optional<PathCheck> TrustStore::State::recall(const Certificate& signer, Time at) {
  const MutexLock lock(mutex);
  const auto* path = paths.find(signer.fingerprint());
  if (path == nullptr || !within(at, path->from, path->until)) return std::nullopt;
  return PathCheck{PathVerdict::trusted, {}, path->chain};
}

std::optional<PathCheck> TrustStore::State::recall_refusal(const Sha256& key, Time at) {
  const MutexLock lock(mutex);
  const auto* refusal = refusals.find(key);
  if (refusal == nullptr) return std::nullopt;
  if (!within(at, refusal->at - kRefusalKept, refusal->at + kRefusalKept)) return std::nullopt;
  return PathCheck{PathVerdict::untrusted, refusal->reason, {}};
}

std::optional<DecodedCertificate> TrustStore::State::decoded_helper(
    const Certificate& certificate) {
  {
    const MutexLock lock(mutex);
    if (const auto* seen = helpers_seen.find(certificate.fingerprint())) return *seen;
  }
  auto decoded = decode_certificate(certificate);
  if (!decoded) return std::nullopt;
  const MutexLock lock(mutex);
  return *helpers_seen.put(certificate.fingerprint(), *std::move(decoded));
}

Result<PathCheck> TrustStore::State::validate(const Certificate& signer,
                                              const std::vector<Certificate>& helpers, Time at) {
  const auto decoded = decode_certificate(signer);
  if (!decoded) return PathCheck{PathVerdict::untrusted, "the certificate is malformed", {}};
  std::vector<DecodedCertificate> decoded_helpers;
  for (const auto& helper : helpers) {
    if (auto one = decoded_helper(helper)) decoded_helpers.push_back(*std::move(one));
  }
  return validator.validate(*decoded, decoded_helpers, at);
}

void TrustStore::State::remember(const Certificate& signer, const Sha256& key,
                                 const PathCheck& check, Time at) {
  const MutexLock lock(mutex);
  if (check.verdict == PathVerdict::trusted) {
    paths.put(signer.fingerprint(), KnownPath(check.chain));
  } else if (check.verdict == PathVerdict::untrusted) {
    refusals.put(key, {check.reason, at});
  }
}

TrustStore::TrustStore(std::vector<Certificate> anchors)
    : state_(std::make_unique<State>(std::move(anchors))) {}
TrustStore::~TrustStore() = default;
TrustStore::TrustStore(TrustStore&&) noexcept = default;

const std::vector<Certificate>& TrustStore::anchors() const { return state_->anchors; }

Result<PathCheck> TrustStore::check(const Certificate& signer,
                                    const std::vector<Certificate>& untrusted, Time at) const {
  if (const auto* anchor = state_->anchor(signer)) {
    if (within(at, anchor->not_before(), anchor->not_after())) {
      return PathCheck{PathVerdict::trusted, {}, {*anchor}};
    }
    return PathCheck{PathVerdict::expired, "the trusted certificate is not valid now", {}};
  }
  if (auto known = state_->recall(signer, at)) return *std::move(known);
  if (state_->anchors.empty()) {
    return PathCheck{PathVerdict::untrusted, "nothing is trusted here", {}};
  }

  const auto helpers = relevant_helpers(signer, untrusted);
  if (!state_->ends_in_an_anchor(signer, helpers)) {
    return PathCheck{PathVerdict::untrusted, state_->no_anchor_for(signer), {}};
  }
  const auto key = fingerprint_of(signer, helpers);
  if (auto refusal = state_->recall_refusal(key, at)) return *std::move(refusal);
  ASSIGN_OR_RETURN(PathCheck result, state_->validate(signer, helpers, at));
  state_->remember(signer, key, result, at);
  return result;
}

Result<bool> issued_by(const Certificate& certificate, const Certificate& issuer) {
  if (!certificate.issuer().same(issuer.subject())) return false;
  ASSIGN_OR_RETURN(const PublicKey key, issuer.public_key());
  ASSIGN_OR_RETURN(const Verdict verdict, verify(key, certificate.signature_algorithm(),
                                                 certificate.tbs(), certificate.signature()));
  return verdict == Verdict::good;
}

}  // namespace cmpost
