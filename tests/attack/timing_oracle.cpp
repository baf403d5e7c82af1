// Whether the time to an answer tells what it must not: what is wrong with an envelope, and whether
// a reference exists. Asks the processor in this process, kinds of messages interleaved, and
// compares the times of each kind with those of the first by Welch's test.
//
//   timing_oracle [MESSAGES]      of each kind; 10 000 for a verdict that counts, on a quiet
//   machine
//
// Ends with 1 when a difference is certain (|t| above 4.5, as for dudect) and worth measuring
// (above one microsecond in the median: the files' way adds milliseconds of noise).
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>

#include "base/log.h"
#include "tests/processor/keys.h"

namespace cmpost {
namespace {

using Times = std::vector<double>;  // microseconds

struct Kind {
  const char* name;
  std::function<Bytes()> message;
  Times times{};
};

double quantile(Times times, double part) {
  std::ranges::sort(times);
  return times[static_cast<std::size_t>(static_cast<double>(times.size() - 1) * part)];
}

// Without the slowest tenth, which is the scheduler's.
Times cut(const Times& times, double limit) {
  Times kept;
  for (const double one : times) {
    if (one <= limit) kept.push_back(one);
  }
  return kept;
}

struct Moments {
  double mean = 0, variance = 0;
};
Moments moments(const Times& times) {
  Moments all;
  for (const double one : times) all.mean += one;
  all.mean /= static_cast<double>(times.size());
  for (const double one : times) all.variance += (one - all.mean) * (one - all.mean);
  all.variance /= static_cast<double>(times.size() - 1);
  return all;
}

double welch(const Times& a, const Times& b) {
  const auto one = moments(a), other = moments(b);
  const double spread =
      one.variance / static_cast<double>(a.size()) + other.variance / static_cast<double>(b.size());
  return (one.mean - other.mean) / std::sqrt(spread);
}

// True when none differs from the first.
bool compare(const char* what, const std::vector<Kind>& kinds) {
  Times all;
  for (const auto& kind : kinds) all.insert(all.end(), kind.times.begin(), kind.times.end());
  const double limit = quantile(all, 0.9);
  const auto first = cut(kinds.front().times, limit);
  bool same = true;
  std::printf("%s\n", what);
  for (const auto& kind : kinds) {
    const auto times = cut(kind.times, limit);
    const double t = welch(times, first);
    const double apart = std::abs(quantile(times, 0.5) - quantile(first, 0.5));
    const bool differs = std::abs(t) > 4.5 && apart > 1.0;
    same = same && !differs;
    std::printf("  %-46s median %8.1f us  t %6.1f %s\n", kind.name, quantile(times, 0.5), t,
                differs ? "DIFFERS" : "");
  }
  return same;
}

class Bench {
 public:
  Bench()
      : ca("archive = true\nrevocation_passphrase = true\nenvelopes = { refuse_after = 0 }\n"
           "mac = { lock_after = 0, lock_after_all = 0 }\n") {
    ca.authority->identity.protocol_keys.push_back(own.protocol_key());
    ProfileSettings any;
    any.name = "any";
    any.keys = {{KeyRule::Kind::ec, "P-256", 0, 0}, {KeyRule::Kind::rsa, "", 2048, 4096}};
    any.key_usage = {};
    auto& profiles = ca.channels.at("drop").profiles;
    profiles.insert(profiles.begin(), must(Profile::create(any)));
    add("single", "CN=dev1", {}, {});
    add("expired", "CN=dev1", ca.clock.now() - std::chrono::hours(1), {});
    add("used", "CN=dev1", {}, 0);
  }

  void measure(std::vector<Kind>& kinds, int messages) {
    for (int i = 0; i < messages; ++i) {
      for (auto& kind : kinds) {
        const auto lease = ca.arrival(kind.message());
        const auto begin = std::chrono::steady_clock::now();
        const auto decision = respond(lease, *ca.reader, ca.services());
        const auto end = std::chrono::steady_clock::now();
        if (!decision) std::abort();
        kind.times.push_back(std::chrono::duration<double, std::micro>(end - begin).count());
      }
    }
  }

  Bytes proof(const PrivateKey& wanted, ByteView content, std::size_t flip_from_end = 0) {
    auto sealed = must(
        envelop(content, oid::id_ct_encKeyWithID, must(recipient_of(own.certificate)), ca.random));
    if (flip_from_end != 0) sealed[sealed.size() - flip_from_end] ^= 0x40;
    sealed[0] = der::context_constructed(4);
    const auto request = request_for(wanted.public_key(), "CN=dev1", [&](const CertRequest&) {
      return KeyEncipherment{{POPOPrivKey::EncryptedKey{sealed}}};
    });
    return with_mac(ca, body::ir{{request}}, pvno3(), CaUnderTest::kSecret, "single");
  }
  static Bytes with_id(const PrivateKey& key, std::string_view owner) {
    return must(encode(EncKeyWithID{key, GeneralName::of(name(owner))}));
  }

  bool envelopes(const char* algorithm, int messages) {
    const auto key = must(PrivateKey::generate(algorithm));
    const auto other = must(PrivateKey::generate(algorithm));
    const auto good = with_id(key, "CN=dev1");
    std::vector<Kind> kinds = {
        {"wrong padding", [&] { return proof(key, good, 17); }},
        {"right padding around garbage", [&] { return proof(key, ca.random.bytes(good.size())); }},
        {"a block within is wrong", [&] { return proof(key, good, 49); }},
        {"the key of somebody else", [&] { return proof(key, with_id(other, "CN=dev1")); }},
        {"another owner", [&] { return proof(key, with_id(key, "CN=dev2")); }},
    };
    measure(kinds, messages);
    return compare((std::string("encryptedKey, ") + algorithm).c_str(), kinds);
  }

  Bytes mac(std::string_view reference, std::string_view sender) {
    MessageOptions options;
    options.edit = [&](PKIHeader& header) { header.sender = GeneralName::of(name(sender)); };
    return with_mac(ca, ir(device), options, "a wrong secret!", reference);
  }

  bool references(int messages) {
    std::vector<Kind> kinds = {
        {"the reference exists", [&] { return mac("single", "CN=nobody"); }},
        {"it does not", [&] { return mac("nobody", "CN=nobody"); }},
        {"it exists, and is the sender's name", [&] { return mac("single", "CN=single"); }},
        {"it does not, nor does the sender's name", [&] { return mac("nobody", "CN=nothing"); }},
        {"only the sender's name does", [&] { return mac("nobody", "CN=single"); }},
        {"both do", [&] { return mac("single", "CN=used"); }},
        {"it has expired", [&] { return mac("expired", "CN=nobody"); }},
        {"it is used up", [&] { return mac("used", "CN=nobody"); }},
    };
    measure(kinds, messages);
    return compare("a wrong MAC", kinds);
  }

 private:
  void add(std::string_view reference, std::string_view subject, std::optional<Time> expires,
           std::optional<std::int64_t> uses) {
    Secret secret;
    secret.reference = reference;
    secret.value = to_bytes(std::string_view(CaUnderTest::kSecret));
    secret.subject = subject;
    secret.expires = expires;
    secret.max_uses = uses;
    ca.add(secret);
  }

  CaUnderTest ca;
  AgreedParty own{"rsa:2048", ca.ra_root, "CN=CA", KeyUsageBit::keyEncipherment, ca};
  Credential device;
};

}  // namespace
}  // namespace cmpost

int main(int argc, char** argv) {
  const int messages = argc > 1 ? std::atoi(argv[1]) : 300;
  cmpost::log::configure({.level = cmpost::log::Level::error});
  cmpost::Bench bench;
  bool same = bench.envelopes("ec:P-256", messages);
  same = bench.envelopes("rsa:2048", messages) && same;
  same = bench.references(messages) && same;
  return same ? 0 : 1;
}
