#include "processor/admission/announcement.h"

#include "tests/processor/office.h"

namespace cmpost {
namespace {

using std::chrono::hours;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// Makes `root` the one CA whose announcements count here.
void listen_to(CaUnderTest& ca, const Certificate& root) {
  auto node = ca.channels.extract("drop");
  auto& old = node.mapped();
  ca.channels.emplace("drop", ChannelPolicy{.settings = std::move(old.settings),
                                            .first = old.first,
                                            .own = std::move(old.own),
                                            .vendors = std::move(old.vendors),
                                            .ras = std::move(old.ras),
                                            .cas = TrustStore({root}),
                                            .profiles = std::move(old.profiles),
                                            .limits = old.limits,
                                            .mac_limits = old.mac_limits});
}

// A CA elsewhere, whose announcements are believed here.
class Elsewhere {
 public:
  explicit Elsewhere(CaUnderTest& here)
      : here_(here), root("CN=Elsewhere", here.clock.now(), here.random) {
    root.purposes = {oid::id_kp_cmcCA};
    root.certify(signer, "CN=Elsewhere CMP", here.clock.now(), here.random);
    listen_to(here, root.certificate);
  }

  Bytes announce(const PKIBody& body, std::int64_t pvno = kCmp2021) {
    return signed_by(here_, signer, body, {.implicit_confirm = false, .edit = [pvno](auto& header) {
                                             header.pvno = pvno;
                                           }});
  }
  CaRollover rollover() {
    return must(make_rollover(
        root.certificate, root.credential.key,
        {next.key, here_.clock.now(), root.certificate.not_after() + hours(1)}, here_.random));
  }
  Bytes crl() {
    const auto issuer =
        must(Issuer::create(root.certificate, root.credential.key, here_.random, here_.clock));
    TBSCertList tbs;
    tbs.crlNumber = 5;
    tbs.thisUpdate = here_.clock.now();
    tbs.nextUpdate = here_.clock.now() + hours(24);
    return must(issuer.sign_crl(tbs));
  }

 private:
  CaUnderTest& here_;

 public:
  OtherRoot root;
  Credential signer, next;
};

std::vector<ReceivedAnnouncement> kept(CaUnderTest& ca) {
  std::vector<ReceivedAnnouncement> all;
  must(AnnouncementTable(ca.reader->connection())
           .for_each({.newest = true}, [&](const ReceivedAnnouncement& one) -> Result<void> {
             all.push_back(one);
             return {};
           }));
  return all;
}

PKIBody key_update(const CaRollover& rollover) { return ca_key_announcement(rollover).body; }

// Taken in without an answer; whether it was kept.
bool is_kept(CaUnderTest& ca, Bytes der) {
  const auto before = kept(ca).size();
  const auto decision = ca.decide(std::move(der));
  EXPECT_TRUE(std::holds_alternative<Decision::Silence>(decision.what)) << decision.outcome;
  EXPECT_TRUE(ca.commit(decision));
  return kept(ca).size() > before;
}

// Each member of a batch has an answer.
TEST(Announcement, InABatchIsKeptAndAcknowledged) {
  Office ca;
  Elsewhere other(ca);
  Credential ra;
  ca.ra_root.certify(ra, "CN=RA", ca.clock.now(), ca.random);
  const auto batch =
      body::nested{{other.announce(body::crlann{{other.crl()}}), with_mac(ca, ir(Credential()))}};
  const auto answer = ca.talk(signed_by(ca, ra, batch));
  const auto* members = std::get_if<body::nested>(&answer.body);
  ASSERT_NE(members, nullptr) << body_name(answer.body);
  EXPECT_EQ(body_name(decode(members->messages.at(0))->body), "pkiconf");
  EXPECT_THAT(kept(ca), SizeIs(1));
  const auto audit = must(ca.reader->audit(0, 100));
  EXPECT_EQ(std::ranges::count_if(audit,
                                  [](const auto& one) {
                                    return one.event == "message.answered" &&
                                           one.detail.find("crlann") != std::string::npos;
                                  }),
            1);
}

TEST(Announcement, OfAKnownCaIsKeptAndNotAnswered) {
  CaUnderTest ca;
  Elsewhere other(ca);
  const auto rollover = other.rollover();
  const auto update = other.announce(key_update(rollover));
  EXPECT_TRUE(is_kept(ca, update));
  EXPECT_TRUE(is_kept(ca, other.announce(body::cann{{to_bytes(other.signer.certificate->der())}})));
  EXPECT_TRUE(is_kept(ca, other.announce(body::crlann{{other.crl()}})));
  EXPECT_TRUE(is_kept(ca, other.announce(revocation_announcement(
                                             *other.signer.certificate, ca.clock.now(),
                                             ca.clock.now(), std::nullopt, CRLReason::superseded)
                                             .body)));
  const auto all = kept(ca);
  ASSERT_THAT(all, SizeIs(4));
  EXPECT_EQ(all.back().body, "ckuann");
  EXPECT_EQ(all.back().sender, "CN=Elsewhere CMP");
  EXPECT_EQ(all.back().der, update);
}

TEST(Announcement, SameOctetsAgainAreKeptOnce) {
  CaUnderTest ca;
  Elsewhere other(ca);
  const auto crls = other.announce(body::crlann{{other.crl()}});
  EXPECT_TRUE(is_kept(ca, crls));
  ca.open();
  EXPECT_FALSE(is_kept(ca, crls));
}

TEST(Announcement, OfAStrangerIsNeitherKeptNorAnswered) {
  CaUnderTest ca;
  Elsewhere other(ca);
  Elsewhere stranger(ca);
  listen_to(ca, other.root.certificate);
  EXPECT_FALSE(is_kept(ca, stranger.announce(body::crlann{{other.crl()}})));
  EXPECT_FALSE(is_kept(ca, with_mac(ca, body::crlann{{other.crl()}})));
  auto forged = other.announce(body::crlann{{other.crl()}});
  auto message = decode(forged).value();
  message.protection->bits.back() ^= 1;
  EXPECT_FALSE(is_kept(ca, encode(message)));
  const auto device = enrolled(ca);
  EXPECT_FALSE(is_kept(ca, signed_by(ca, device, body::crlann{{other.crl()}})))
      << "a requester of this CA is no CA";
}

TEST(Announcement, ContentThatLeadsNowhereIsNotKept) {
  CaUnderTest ca;
  Elsewhere other(ca);
  Elsewhere stranger(ca);
  listen_to(ca, other.root.certificate);
  EXPECT_FALSE(is_kept(ca, other.announce(key_update(stranger.rollover()))));
  EXPECT_FALSE(is_kept(ca, other.announce(body::crlann{{stranger.crl()}})));
  EXPECT_FALSE(
      is_kept(ca, other.announce(body::cann{{to_bytes(stranger.signer.certificate->der())}})));
  auto rann = revocation_announcement(ca.vendor.certificate, ca.clock.now(), ca.clock.now(),
                                      std::nullopt, CRLReason::unspecified);
  EXPECT_FALSE(is_kept(ca, other.announce(rann.body)));
  // RFC 9810 5.3.13: "When using RootCaKeyUpdateContent in the ckuann message, the pvno cmp2021
  // MUST be used."
  EXPECT_FALSE(is_kept(ca, other.announce(key_update(other.rollover()), kCmp2000)));
  EXPECT_TRUE(
      is_kept(ca, other.announce(ca_key_announcement(other.rollover(), kCmp2000).body, kCmp2000)));
}

TEST(Announcement, MalformedHeaderGetsNoAnswerEither) {
  CaUnderTest ca;
  Elsewhere other(ca);
  const MessageOptions old{
      .edit = [&](PKIHeader& header) { header.messageTime = ca.clock.now() - hours(24 * 1000); }};
  EXPECT_FALSE(is_kept(ca, signed_by(ca, other.signer, body::crlann{{other.crl()}}, old)));
}

TEST(Announcement, OursIsSignedByTheCmpKeyAndNamesWhatItIsAbout) {
  CaUnderTest ca;
  const auto crl = must(issue_crl(*ca.ledger, ca.authority->issuer, {}, ca.clock));
  const auto& channel = ca.channels.at("drop").settings;
  const auto announcement = crl_announcement(*crl.crlNumber, crl.der);
  const auto job = must(
      announcement_job(announcement, channel, ca.authority->identity, ca.random, ca.clock.now()));
  const auto again = must(
      announcement_job(announcement, channel, ca.authority->identity, ca.random, ca.clock.now()));
  EXPECT_EQ(job.id, again.id) << "so that the queue takes it once";
  EXPECT_EQ(job.envelope.reply.name, "crl-1");
  EXPECT_EQ(job.envelope.body, "crlann");
  const auto message = decode(job.payload).value();
  EXPECT_EQ(std::get<body::crlann>(message.body).crls.at(0), crl.der);
  EXPECT_THAT(
      verify_signature_protection(message, must(ca.authority->identity.certificate.public_key())),
      IsOk());
  EXPECT_TRUE(message.header.recipient.directory_name()->is_null_dn());
}

TEST(Announcement, DeltaCrlHasANameOfItsOwn) {
  CaUnderTest ca;
  const auto& channel = ca.channels.at("drop").settings;
  const auto complete = crl_announcement(7, {}), delta = delta_crl_announcement(7, {});
  EXPECT_EQ(delta.occasion, "delta-crl-7");
  EXPECT_NE(announcement_id(complete, channel), announcement_id(delta, channel));
}

TEST(Announcement, RevocationSaysWhetherItIsDoneOrPlanned) {
  CaUnderTest ca;
  const auto now = ca.clock.now();
  const auto status = [&](Time when) {
    const auto body = revocation_announcement(ca.vendor.certificate, when, now, std::nullopt,
                                              CRLReason::keyCompromise)
                          .body;
    return std::get<body::rann>(body).content.status;
  };
  EXPECT_EQ(status(now), PKIStatus::revocationNotification);
  EXPECT_EQ(status(now + hours(1)), PKIStatus::revocationWarning);
}

}  // namespace
}  // namespace cmpost
