// An RA with its queues in front of the CA under test; what goes between the two is in the hands of
// the test.
#pragma once

#include "processor/ra_role/ra_role.h"
#include "tests/processor/office.h"

namespace cmpost {

// The requesters' side of it is like that of the CA under test: channel "drop", secret "dev1".
class RaOffice : public Office {
 public:
  RaOffice(Office& above, const std::string& ra_settings = "", const std::string& of_vault = "",
           const std::string& of_drop = "")
      : above_(above) {
    above.ra_root.certify(own, "CN=RA", above.clock.now(), above.random);
    const auto& certificate = *own.certificate;
    identity.emplace(Identity{
        .certificate = certificate,
        .signer = own.signer,
        .key_identifier = own.key.public_key().key_identifier(),
        .chain = {{to_bytes(certificate.der())}, {to_bytes(above.ra_root.certificate.der())}}});
    must(write_file(directory / "above.pem",
                    view_of(above.authority->issuer.certificate().to_pem()), 0644, IfExists::fail));
    set(ra_settings, of_vault, of_drop);
  }

  void set(const std::string& ra_settings, const std::string& of_vault,
           const std::string& of_drop) {
    const auto text =
        "[instance]\nname = \"ra\"\n"
        "[ra]\ncmp_certificate = \"c\"\ncmp_key = \"k\"\nupstream = \"vault\"\n" +
        ra_settings +
        "[[profile]]\nname = \"device\"\nmax_requests = 5\n"
        "extensions = { subjectAltName = \"copy\", other = \"ignore\" }\n"
        "[[channel]]\nname = \"drop\"\nkind = \"directory\"\nin = \"in\"\nout = \"out\"\n"
        "trust = [\"vendor.pem\"]\nroles = { ra = [\"ra.pem\"] }\ntrusted_subject = \"any\"\n" +
        of_drop +
        "[[channel]]\nname = \"vault\"\nkind = \"directory\"\nin = \"in-v\"\nout = \"out-v\"\n"
        "direction = \"upstream\"\ntrust = [\"above.pem\"]\n" +
        of_vault;
    auto settings = parse_settings(text, directory / "cmpost.toml");
    if (!settings) ADD_FAILURE() << to_string(settings.error().front());
    ra = *settings->ra;
    channels = must(load_channel_policies(*settings, {above_.authority->issuer.certificate()}));
    ra_role.emplace(ra, *identity, channels);
  }

  ProcessorServices services() override {
    const Clock& sure = doubted ? *doubted : clock;
    return {*identity, *ra_role, channels, sealing_key, random, clock, sure, sure};
  }

  // A requester's message, until nothing is left to do: what comes down at once.
  std::vector<Bytes> ask_all(const Bytes& der) {
    put(der);
    return settle();
  }
  std::vector<Bytes> settle() {
    work();
    std::vector<Bytes> down;
    for (auto& job : sent()) {
      (job.envelope.reply.channel == "vault" ? up : down).push_back(std::move(job.payload));
    }
    return down;
  }
  // An answer from above: what comes down then.
  std::vector<Bytes> hear(const Bytes& der, const std::string& channel = "vault") {
    auto job = arrival(der).job;
    job.envelope.channel = job.envelope.reply.channel = channel;
    must(spool->requests().put({&job, 1}));
    return settle();
  }
  // What has gone up is answered by the CA, and its answers are heard.
  std::vector<Bytes> carry() {
    std::vector<Bytes> down;
    for (const auto& answer : above_answers()) {
      for (auto& one : hear(answer)) down.push_back(std::move(one));
    }
    return down;
  }
  std::vector<Bytes> above_answers() {
    std::vector<Bytes> answers;
    for (const auto& message : std::exchange(up, {})) {
      for (auto& one : above_.post(message)) answers.push_back(std::move(one));
    }
    return answers;
  }
  // The answer that a request gets in the end.
  PKIMessage through(const Bytes& der) {
    EXPECT_THAT(ask_all(der), ::testing::IsEmpty());
    return only(carry());
  }
  // Timers, and what comes of them.
  std::vector<Bytes> tick() {
    timers();
    return settle();
  }
  std::vector<std::string> held() {
    std::vector<std::string> reasons;
    for (const auto& job : must(spool->requests().list({.state = JobState::held}))) {
      reasons.push_back(job.reason);
    }
    return reasons;
  }
  std::vector<UpstreamMessage> messages(const Bytes& tid) {
    return must(UpstreamTable(reader->connection()).of_transaction(transaction(tid).id));
  }

  Credential own;
  std::optional<Identity> identity;
  RaSettings ra;
  std::optional<RaRole> ra_role;
  std::vector<Bytes> up;  // what has left for the CA

 private:
  Office& above_;
};

}  // namespace cmpost
