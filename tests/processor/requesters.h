// Every kind of credential that a message can be protected with, for the table of rights
// (rights_table_test.cpp).
#pragma once

#include <map>

#include "cmp/kem_ciphertext_info.h"
#include "tests/processor/wishes.h"

namespace cmpost {

using ProtectsBody = std::function<Bytes(const PKIBody&, const MessageOptions&)>;

// A requester, where it sends, which certificate it may call its own, and what it has begun.
struct Asker {
  std::string who;
  ProtectsBody send;
  std::string channel = "drop";
  std::optional<Certificate> mine{};
  std::optional<PKIMessage> open{};  // the answer with a certificate that it has not confirmed
};

inline constexpr auto kChannelOfTheTable =
    "recovery = true\nrevocation_passphrase = true\nwaiting = \"always\"\nout_of_order = \"0s\"\n"
    "protection = [\"pbm\", \"rsa\", \"ecdsa\", \"dh\", \"kem\"]\n";
inline constexpr auto kProfilesOfTheTable =
    "[[profile]]\nname = \"sub-ca\"\nca = true\n"
    "[[profile]]\nname = \"role\"\nextended_key_usage = [\"cmcRA\"]\n"
    "[[profile]]\nname = \"vip\"\nwho = [\"ra\"]\n"
    "[[profile]]\nname = \"other-device\"\n"
    "[[profile]]\nname = \"cross\"\nca = true\nwho = [\"ca\"]\n";

inline std::string channel_of_the_table(const std::string& name, const std::string& more) {
  return "[[channel]]\nname = \"" + name + "\"\nkind = \"directory\"\nin = \"in-" + name +
         "\"\nout = \"out-" + name +
         "\"\nprofiles = [\"device\", \"other-device\", \"vip\", \"sub-ca\", \"role\", \"cross\"]\n"
         "trust = [\"vendor.pem\"]\nroles = { ra = [\"ra.pem\"], ca = [\"ca.pem\"] }\n" +
         kChannelOfTheTable + more;
}

class Requesters : public ::testing::Test {
 protected:
  Requesters() {
    configure("");
    ca.authority->identity.protocol_keys.push_back(own.protocol_key());
    ca.authority->identity.protocol_keys.push_back(own_dh.protocol_key());
    ca.authority->key_generator = key_generator_of(ca);
    rows = secrets();
    bring_bystanders();
    for (auto&& more : {holders(), others_pki()}) rows.insert(rows.end(), more.begin(), more.end());
  }

  void configure(const std::string& of_drop) {
    ca.configure(kChannelOfTheTable + of_drop + kProfilesOfTheTable +
                 channel_of_the_table("other", "") +
                 channel_of_the_table("liberal",
                                      "holders_of = \"any\"\nadditional = \"any\"\n"
                                      "trusted_subject = \"any\"\ntrusted_san = \"any\"\n"));
    ca.channels.at("drop").profiles = ca.channels.at("other").profiles;
    ProfileSettings any;
    any.name = "any";
    any.keys = {{KeyRule::Kind::x25519, "", 0, 0}};
    any.key_usage = {};
    ca.channels.at("drop").profiles.push_back(must(Profile::create(any)));
  }

  // Certificates and transactions of CN=dev2, whose secret is "victim".
  void bring_bystanders() {
    auto victim = secret("victim");
    victim.subject = "CN=dev2";
    const auto send = by_secret(victim);
    others.dev1 = holder("CN=dev1", CertificateState::valid).certificate;
    others.dev2 = holder("CN=dev2", CertificateState::valid);
    others.held = holder("CN=dev3", CertificateState::held);
    others.open = ca.ask(send(ir(Credential(), "CN=dev2"), {.implicit_confirm = false}));
    const auto challenge = request_for(
        test_key("x25519").public_key(), "CN=dev2",
        [](const CertRequest&) { return later(POPOPrivKey::SubsequentMessage::challengeResp); });
    others.challenged = ca.ask(send(body::ir{{challenge}}, with_profile("any")));
    EXPECT_EQ(body_name(others.challenged.body), "popdecc");
    configure("approve = \"one\"\n");
    others.waiting = ca.ask(send(ir(Credential(), "CN=dev2"), {}));
    EXPECT_EQ(status_in(others.waiting).status, PKIStatus::waiting);
    configure("");
    others.request = send(ir(Credential(), "CN=dev2"), {});
  }

  // Who asks.

  Secret secret(std::string reference) {
    Secret one;
    one.reference = std::move(reference);
    one.value = to_bytes(view_of(value_of(one.reference)));
    one.subject = "CN=dev1";
    return one;
  }
  static std::string value_of(const std::string& reference) { return "the secret of " + reference; }
  ProtectsBody by_secret(const Secret& one) {
    ca.add(one);
    return with_secret(one.reference, value_of(one.reference));
  }
  ProtectsBody with_secret(std::string reference, std::string value) {
    return [this, reference = std::move(reference), value = std::move(value)](
               const PKIBody& body, const MessageOptions& options) {
      return with_mac(ca, body, options, value, reference);
    };
  }
  ProtectsBody by(const Credential& credential) {
    return [this, credential](const PKIBody& body, const MessageOptions& options) {
      return signed_by(ca, credential, body, options);
    };
  }
  ProtectsBody by_dh(PrivateKey key, Certificate certificate) {
    return [=, this](const PKIBody& body, const MessageOptions& options) {
      return must(protect_with_mac(
          first_header(ca, certificate.subject(), *certificate.subject_key_identifier(), options),
          body, make_dhbm_parameter(), must(agree(key, own_dh.key.public_key())),
          {{to_bytes(certificate.der())}}));
    };
  }
  // The ciphertext is fetched first, in the same transaction.
  ProtectsBody by_kem(PrivateKey key, Certificate certificate) {
    const auto secrets = std::make_shared<std::map<Bytes, Bytes>>();  // by transactionID
    return [=, this](const PKIBody& body, const MessageOptions& options) {
      const std::vector<CMPCertificate> chain = {{to_bytes(certificate.der())}};
      auto header =
          first_header(ca, certificate.subject(), *certificate.subject_key_identifier(), options);
      auto& secret = (*secrets)[*header.transactionID];
      if (secret.empty()) secret = kem_secret(header, chain, key);
      return must(protect_with_mac(header, body, make_kem_parameter(), secret, chain));
    };
  }
  Bytes kem_secret(PKIHeader header, const std::vector<CMPCertificate>& chain,
                   const PrivateKey& key) {
    header.recipNonce.reset();
    header.generalInfo.clear();
    const auto given = ca.ask(leave_unprotected(
        std::move(header), body::genm{{{oid::id_it_KemCiphertextInfo, {}}}}, chain));
    const auto* genp = std::get_if<body::genp>(&given.body);
    if (genp == nullptr) return Bytes(32);
    const auto info = read_kem_ciphertext_info(*genp->items.at(0).infoValue).value();
    return must(decapsulate(key, info.kem, info.ct));
  }

  // A certificate of this CA, as the ledger knows it.
  Certificate issued(const PublicKey& key, KeyUsageBit usage, std::string_view subject,
                     CertificateState state, const std::string& channel = "drop") {
    CertificatePlan plan;
    plan.subject = name(subject);
    plan.subjectPublicKeyInfo = to_bytes(key.spki());
    plan.notBefore = ca.clock.now() - std::chrono::hours(1);
    plan.notAfter = ca.clock.now() + std::chrono::hours(24 * 30);
    plan.extensions = {subject_key_identifier_extension(key.key_identifier()),
                       key_usage_extension({usage})};
    if (subject == "CN=dev1") {
      for (const auto& one : san_of("DNS:dev1.grid.example")) plan.extensions.push_back(one);
    }
    auto certificate = must(ca.authority->issuer.issue(plan));
    CertificateRecord record;
    record.serial = to_bytes(certificate.serial_number());
    record.der = to_bytes(certificate.der());
    record.subject = subject;
    record.profile = "device";
    record.channel = channel;
    record.issued = ca.clock.now();
    record.not_after = certificate.not_after();
    record.state = state;
    must(ca.ledger->write([&](LedgerWriter& writer) -> Result<void> {
      TRY(writer.add(record));
      return {};
    }));
    return certificate;
  }
  Credential holder(std::string_view subject, CertificateState state,
                    const std::string& channel = "drop") {
    Credential device;
    device.certificate =
        issued(device.key.public_key(), KeyUsageBit::digitalSignature, subject, state, channel);
    return device;
  }
  void change(const Certificate& certificate, CertificateState state) {
    must(ca.ledger->write([&](LedgerWriter& writer) -> Result<void> {
      ASSIGN_OR_RETURN(const bool done, writer.change_state(certificate.serial_number(),
                                                            {CertificateState::valid}, state));
      EXPECT_TRUE(done);
      return {};
    }));
  }
  Decision decide(const Asker& row, Bytes der) {
    auto lease = ca.arrival(std::move(der));
    lease.job.envelope.channel = row.channel;
    return must(respond_alone(lease, *ca.reader, ca.services(), Turn::again));
  }
  static std::optional<PKIMessage> decoded(const Bytes& der) {
    auto message = decode(der);
    if (!message) return std::nullopt;
    return std::move(*message);
  }
  // With a certificate for itself that waits for its confirmation.
  Asker begun(std::string who, ProtectsBody send, std::optional<Certificate> mine = {},
              std::string channel = "drop", std::string_view subject = "CN=dev1",
              std::string_view profile = "") {
    Asker row{std::move(who), std::move(send), std::move(channel), std::move(mine)};
    auto options = with_profile(profile);
    options.implicit_confirm = false;
    auto decision = decide(row, row.send(ir(Credential(), subject), options));
    EXPECT_TRUE(ca.commit(decision));
    row.open = decoded(std::get<Decision::Reply>(decision.what).job.payload);
    return row;
  }
  Credential certified(const OtherRoot& root, std::string_view subject) {
    Credential made;
    root.certify(made, subject, ca.clock.now(), ca.random);
    return made;
  }
  static Credential itself(const OtherRoot& root) {
    auto one = root.credential;
    one.certificate = root.certificate;
    return one;
  }

  std::vector<Asker> secrets();
  std::vector<Asker> holders();
  std::vector<Asker> others_pki();

  Office ca;
  AgreedParty own{"rsa:2048", ca.ra_root, "CN=CA", KeyUsageBit::keyEncipherment, ca};
  AgreedParty own_dh{"x25519", ca.ra_root, "CN=CA DH", KeyUsageBit::keyAgreement, ca};
  Bystanders others{own};
  std::vector<Asker> rows;
};

inline std::vector<Asker> Requesters::secrets() {
  auto narrow = secret("narrow"), pattern = secret("pattern"), wide = secret("wide"),
       ordinary = secret("ordinary"), for_cas = secret("for-cas"), elsewhere = secret("elsewhere"),
       expired = secret("expired"), used = secret("used"), once = secret("once"),
       token = secret("token"), authenticator = secret("authenticator");
  pattern.subject = "CN=dev*";
  pattern.san = {SanRule::Kind::pattern, {"DNS:*.grid.example"}};
  wide.subject = "";
  wide.san = {SanRule::Kind::any};
  wide.channels.any = true;
  ordinary.profiles = {"other-device"};
  for_cas.profiles = {"sub-ca"};
  elsewhere.channels.names = {"other"};
  expired.expires = ca.clock.now() + std::chrono::hours(1);
  used.max_uses = 1;
  once.max_uses = 1;
  token.purpose = SecretPurpose::regToken;
  authenticator.purpose = SecretPurpose::authenticator;
  auto with_passphrase = holder("CN=dev9", CertificateState::valid);
  ca.ask(signed_by(ca, with_passphrase, body::genm{{passphrase_for(ca, own)}}, pvno3()));
  std::vector<Asker> made = {
      begun("narrow secret", by_secret(narrow)),
      begun("secret for dev*", by_secret(pattern)),
      begun("wide secret", by_secret(wide)),
      {"wide, elsewhere", with_secret("wide", value_of("wide")), "other"},
      begun("for other-device", by_secret(ordinary), {}, "drop", "CN=dev1", "other-device"),
      {"for sub-ca", by_secret(for_cas)},
      {"for one use", by_secret(once)},
      begun("used up", by_secret(used)),
      begun("expired", by_secret(expired)),
      {"of another channel", by_secret(elsewhere)},
      {"guessed", with_secret("narrow", "guessed")},
      {"regToken", by_secret(token)},
      {"authenticator", by_secret(authenticator)},
      {"passphrase", with_secret("", "seven wise men of Gotham"), "drop",
       with_passphrase.certificate}};
  ca.clock.advance(std::chrono::hours(2));
  return made;
}

inline std::vector<Asker> Requesters::holders() {
  using enum CertificateState;
  std::vector<Asker> made;
  const auto add = [&](std::string who, CertificateState state = valid,
                       std::string channel = "drop") {
    const auto device = holder("CN=dev1", valid);
    if (channel == "other") {
      made.push_back({std::move(who), by(device), std::move(channel), device.certificate});
    } else {
      made.push_back(begun(std::move(who), by(device), device.certificate, std::move(channel)));
    }
    if (state != valid) change(*device.certificate, state);
  };
  add("holder");
  add("holder, updated", updated);
  add("holder, unconfirmed", unconfirmed);
  add("holder, held", held);
  add("holder, revoked", revoked);
  add("holder, elsewhere", valid, "other");
  add("holder, liberal", valid, "liberal");
  const auto agreement = test_key("x25519"), encapsulation = test_key("rsa:2048");
  const auto dh = issued(agreement.public_key(), KeyUsageBit::keyAgreement, "CN=dev1", valid),
             kem =
                 issued(encapsulation.public_key(), KeyUsageBit::keyEncipherment, "CN=dev1", valid);
  made.push_back(begun("holder, DH", by_dh(agreement, dh), dh));
  made.push_back(begun("holder, KEM", by_kem(encapsulation, kem), kem));
  return made;
}

inline std::vector<Asker> Requesters::others_pki() {
  const auto vendor = certified(ca.vendor, "CN=dev1");
  const AgreedParty dh("x25519", ca.vendor, "CN=dev1", KeyUsageBit::keyAgreement, ca);
  const OtherRoot strange("CN=Strange Root", ca.clock.now(), ca.random);
  OtherRoot again("CN=RA Root", ca.clock.now(), ca.random);
  again.purposes = {oid::id_kp_cmcRA};
  OtherRoot other("CN=Other CA", ca.clock.now(), ca.random);
  other.purposes = {oid::id_kp_cmcCA};
  const auto by_name = certified(strange, "CN=RA by name");
  must(write_file(ca.directory / "ra.pem",
                  view_of(ca.ra_root.certificate.to_pem() + by_name.certificate->to_pem()), 0644,
                  IfExists::replace));
  configure("");
  const auto namesake = certified(strange, "CN=RA by name");
  return {begun("vendor", by(vendor)),
          begun("vendor, liberal", by(vendor), {}, "liberal"),
          begun("vendor, DH", by_dh(dh.key, dh.certificate)),
          begun("RA by purpose", by(certified(ca.ra_root, "CN=RA"))),
          begun("RA by name", by(by_name)),
          {"its namesake", by(namesake)},
          {"RA of a namesake", by(certified(again, "CN=RA"))},
          {"CA itself", by(itself(ca.other_ca))},
          {"CA by purpose", by(certified(ca.other_ca, "CN=Other CMP"))},
          {"CA's namesake", by(itself(other))},
          {"and one of its own", by(certified(other, "CN=Other CMP"))},
          {"stranger", by(certified(strange, "CN=dev1"))},
          {"nobody", [this](const PKIBody& body, const MessageOptions& options) {
             return leave_unprotected(first_header(ca, name("CN=dev1"), {}, options), body);
           }}};
}

}  // namespace cmpost
