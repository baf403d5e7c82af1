#include "tests/processor/messages.h"

namespace cmpost {
namespace {

using std::chrono::hours;

struct HeaderFault {
  const char* what;
  std::function<void(PKIHeader&)> edit;
  PKIFailureInfo bit;
};

TEST(Header, FaultsAreNamedInAnErrorWithExactlyOneBit) {
  const auto now = FakeClock().now();
  const std::vector<HeaderFault> faults = {
      {"pvno 1", [](PKIHeader& h) { h.pvno = 1; }, PKIFailureInfo::unsupportedVersion},
      {"pvno 4", [](PKIHeader& h) { h.pvno = 4; }, PKIFailureInfo::unsupportedVersion},
      {"no transactionID", [](PKIHeader& h) { h.transactionID.reset(); },
       PKIFailureInfo::badDataFormat},
      {"no senderNonce", [](PKIHeader& h) { h.senderNonce.reset(); },
       PKIFailureInfo::badSenderNonce},
      {"short senderNonce", [](PKIHeader& h) { h.senderNonce = Bytes(15); },
       PKIFailureInfo::badSenderNonce},
      {"recipNonce", [](PKIHeader& h) { h.recipNonce = Bytes(16); },
       PKIFailureInfo::badRecipientNonce},
      {"too old", [&](PKIHeader& h) { h.messageTime = now - hours(24 * 15); },
       PKIFailureInfo::badTime},
      {"too new", [&](PKIHeader& h) { h.messageTime = now + hours(24 * 15); },
       PKIFailureInfo::badTime},
      {"implicitConfirm with a value",
       [](PKIHeader& h) {
         h.generalInfo = {{oid::id_it_implicitConfirm, Bytes{2, 1, 1}}};
       },
       PKIFailureInfo::badRequest},
      {"confirmWaitTime as UTCTime",
       [](PKIHeader& h) {
         h.generalInfo = {
             {oid::id_it_confirmWaitTime, to_bytes(std::string_view("\x17\x0d"
                                                                    "260101000000Z"))}};
       },
       PKIFailureInfo::badDataFormat},
  };
  CaUnderTest ca;
  for (const auto& fault : faults) {
    SCOPED_TRACE(fault.what);
    const auto answer = ca.ask(with_mac(ca, ir(Credential()), {.edit = fault.edit}));
    EXPECT_THAT(answer, Refuses("error", fault.bit));
  }
  EXPECT_EQ(ca.certificates(), 0);
}

TEST(Header, ErrorForAnUnsupportedVersionNamesTheNearestOne) {
  CaUnderTest ca;
  const auto answer_to = [&](int pvno) {
    return ca.ask(with_mac(ca, ir(Credential()), {.edit = [=](PKIHeader& h) { h.pvno = pvno; }}));
  };
  EXPECT_EQ(answer_to(1).header.pvno, 2);
  EXPECT_EQ(answer_to(99).header.pvno, 3);
}

TEST(Header, AnswerHasTheVersionOfTheRequest) {
  CaUnderTest ca;
  const auto answer =
      ca.ask(with_mac(ca, ir(Credential()), {.edit = [](PKIHeader& h) { h.pvno = kCmp2021; }}));
  EXPECT_EQ(answer.header.pvno, kCmp2021);
  EXPECT_EQ(status_in(answer).status, PKIStatus::accepted);
}

TEST(Header, MessagesOfWeeksAgoAreFineWhereTheChannelSaysSo) {
  CaUnderTest ca("age = \"60d\"\n");
  const auto old = ca.clock.now() - hours(24 * 50);
  const auto answer =
      ca.ask(with_mac(ca, ir(Credential()), {.edit = [&](PKIHeader& h) { h.messageTime = old; }}));
  EXPECT_EQ(status_in(answer).status, PKIStatus::accepted);
}

TEST(Header, MessageTimesOfAnswersHaveWholeSeconds) {
  CaUnderTest ca;
  ca.clock.advance(std::chrono::microseconds(123'456));
  for (const auto& body : {PKIBody(ir(Credential())), PKIBody(body::genm{})}) {
    const auto answer = ca.ask(with_mac(ca, body));
    ASSERT_TRUE(answer.header.messageTime);
    EXPECT_EQ(*answer.header.messageTime, std::chrono::floor<std::chrono::seconds>(ca.clock.now()));
  }
}

TEST(Header, WhileTheClockIsInDoubtAMessageMayBeOfEitherTime) {
  CaUnderTest ca;
  ca.doubted.emplace(ca.clock.now());
  const auto right = ca.clock.now();
  ca.clock.advance(hours(24 * 31));
  const auto status_of = [&](Time time) {
    return ca.ask(
        with_mac(ca, ir(Credential()), {.edit = [&](PKIHeader& h) { h.messageTime = time; }}));
  };
  EXPECT_EQ(status_in(status_of(right)).status, PKIStatus::accepted);
  EXPECT_EQ(status_in(status_of(ca.clock.now())).status, PKIStatus::accepted);
  EXPECT_THAT(status_of(right - hours(24 * 15)), Refuses("error", PKIFailureInfo::badTime));
}

TEST(Header, StrictChannelInsistsOnSixteenOctetsAndATime) {
  CaUnderTest ca("strict = true\n");
  const auto answer_to = [&](std::function<void(PKIHeader&)> edit) {
    return ca.ask(with_mac(ca, ir(Credential()), {.edit = std::move(edit)}));
  };
  EXPECT_THAT(answer_to([](PKIHeader& h) { h.transactionID = Bytes(8); }),
              Refuses("error", PKIFailureInfo::badRequest));
  EXPECT_THAT(answer_to([](PKIHeader& h) { h.senderNonce = Bytes(100); }),
              Refuses("error", PKIFailureInfo::badSenderNonce));
  EXPECT_THAT(answer_to([](PKIHeader& h) { h.messageTime.reset(); }),
              Refuses("error", PKIFailureInfo::badTime));
}

TEST(Protection, MissingIsRefusedWithASignedError) {
  CaUnderTest ca;
  auto header = first_header(ca, name("CN=dev1"), {}, {});
  const auto answer = ca.ask(leave_unprotected(header, ir(Credential())));
  EXPECT_THAT(answer, Refuses("error", PKIFailureInfo::badMessageCheck));
  EXPECT_TRUE(
      verify_signature_protection(answer, ca.authority->identity.signer.public_key()).has_value());
}

TEST(Protection, WrongSecretAndUnknownReferenceLookTheSameFromOutside) {
  CaUnderTest ca;
  const auto wrong = ca.ask(with_mac(ca, ir(Credential()), {}, "guessed"));
  const auto unknown =
      ca.ask(with_mac(ca, ir(Credential()),
                      {.edit = [](PKIHeader& h) { h.sender = GeneralName::of(name("CN=nobody")); }},
                      "x", "nobody"));
  EXPECT_THAT(wrong, Refuses("error", PKIFailureInfo::badMessageCheck));
  EXPECT_THAT(unknown, Refuses("error", PKIFailureInfo::badMessageCheck));
  EXPECT_EQ(status_in(wrong).statusString, status_in(unknown).statusString);
}

TEST(Protection, SecretIsFoundByTheCommonNameToo) {
  CaUnderTest ca;
  const auto answer = ca.ask(with_mac(ca, ir(Credential()), {}, CaUnderTest::kSecret, "1234"));
  EXPECT_EQ(status_in(answer).status, PKIStatus::accepted);
}

TEST(Protection, ForgedMessageLeavesNoTransactionBehind) {
  CaUnderTest ca;
  const auto forged = with_mac(ca, ir(Credential()), {}, "guessed");
  ca.ask(forged);
  const MessageOptions same_tid{.edit = [&](PKIHeader& header) {
    header.transactionID = decode(forged)->header.transactionID;
  }};
  EXPECT_EQ(status_in(ca.ask(with_mac(ca, ir(Credential()), same_tid))).status,
            PKIStatus::accepted);
}

TEST(Protection, TooManyIterationsAreRefusedBeforeTheyAreDone) {
  CaUnderTest ca;
  auto parameter = make_pbm_parameter(ca.random, 500);
  auto header = first_header(ca, name("CN=dev1"), to_bytes(std::string_view("dev1")), {});
  parameter.iterationCount = 1'000'000'000;
  header.protectionAlg = to_algorithm(parameter);
  const auto part = encode_protected_part(header, ir(Credential()));
  EXPECT_THAT(ca.ask(encode(part, Protection{Bytes(32), 0}, {})),
              Refuses("error", PKIFailureInfo::badAlg));
}

TEST(Protection, UnknownSignerIsNotTrusted) {
  CaUnderTest ca;
  const OtherRoot stranger("CN=Stranger", ca.clock.now(), ca.random);
  Credential device;
  stranger.certify(device, "CN=dev1", ca.clock.now(), ca.random);
  EXPECT_THAT(ca.ask(signed_by(ca, device, ir(Credential()))),
              Refuses("error", PKIFailureInfo::signerNotTrusted));
}

TEST(Protection, CertificateOfTheCaThatTheLedgerDoesNotKnowIsNotTrusted) {
  CaUnderTest ca;
  auto device = enrolled(ca);
  CaUnderTest emptied;
  emptied.authority = ca.authority;
  emptied.configure("");
  EXPECT_THAT(emptied.ask(signed_by(emptied, device, ir(Credential()))),
              Refuses("error", PKIFailureInfo::signerNotTrusted));
}

TEST(Protection, FlippedOctetsAreABadMessageCheck) {
  CaUnderTest ca;
  const auto device = enrolled(ca);
  auto request = decode(signed_by(ca, device, ir(Credential())));
  request->protection->bits[10] ^= 1;
  EXPECT_THAT(ca.ask(encode(*request)), Refuses("error", PKIFailureInfo::badMessageCheck));
}

TEST(Secret, OneTimeSecretIsRefusedAfterItsFirstSuccess) {
  CaUnderTest ca;
  Secret once;
  once.reference = "once";
  once.value = to_bytes(std::string_view("one time only"));
  once.max_uses = 1;
  ca.add(once);
  const auto ask = [&](std::string_view subject) {
    const MessageOptions anonymous{
        .edit = [](PKIHeader& h) { h.sender = GeneralName::of(Name()); }};
    return ca.ask(with_mac(ca, ir(Credential(), subject), anonymous, "one time only", "once"));
  };
  EXPECT_EQ(status_in(ask("CN=x")).status, PKIStatus::accepted);
  EXPECT_THAT(ask("CN=x"), Refuses("error", PKIFailureInfo::notAuthorized));
}

TEST(Secret, TwoRequestsAtOnceCannotBothUseAOneTimeSecret) {
  CaUnderTest ca;
  Secret once;
  once.reference = "once";
  once.value = to_bytes(std::string_view("one time only"));
  once.max_uses = 1;
  ca.add(once);
  const auto first = ca.decide(with_mac(ca, ir(Credential()), {}, "one time only", "once"));
  const auto second = ca.decide(with_mac(ca, ir(Credential()), {}, "one time only", "once"));
  EXPECT_TRUE(ca.commit(first));
  EXPECT_FALSE(ca.commit(second));
  EXPECT_EQ(ca.certificates(), 1) << "nothing of the second was kept";
}

TEST(Secret, ExpiredSecretIsRefused) {
  CaUnderTest ca;
  Secret old;
  old.reference = "old";
  old.value = to_bytes(std::string_view("expired"));
  old.expires = ca.clock.now() - hours(1);
  ca.add(old);
  EXPECT_THAT(ca.ask(with_mac(ca, ir(Credential()), {}, "expired", "old")),
              Refuses("error", PKIFailureInfo::notAuthorized));
}

TEST(Secret, RefusedRequestDoesNotUseItUp) {
  CaUnderTest ca;
  Secret once;
  once.reference = "once";
  once.value = to_bytes(std::string_view("one time only"));
  once.subject = "CN=mine";
  once.max_uses = 1;
  ca.add(once);
  ca.ask(with_mac(ca, ir(Credential(), "CN=yours"), {}, "one time only", "once"));
  const auto answer =
      ca.ask(with_mac(ca, ir(Credential(), "CN=mine"), {}, "one time only", "once"));
  EXPECT_EQ(status_in(answer).status, PKIStatus::accepted);
}

TEST(Unreadable, MessageWithAHeaderIsABadDataFormat) {
  CaUnderTest ca;
  auto request = with_mac(ca, ir(Credential()));
  const auto parts = split(request);
  ASSERT_TRUE(parts.has_value());
  const auto body_at = static_cast<std::size_t>(parts->body.data() - request.data());
  request[body_at + 4] = 0x04;  // the SEQUENCE OF CertReqMsg becomes an OCTET STRING
  EXPECT_THAT(ca.ask(request), Refuses("error", PKIFailureInfo::badDataFormat));
}

TEST(Unreadable, OctetsWithoutAHeaderAreHeldWithAReason) {
  CaUnderTest ca;
  const auto decision = ca.decide(Bytes{0x30, 0x03, 0x02, 0x01, 0x05});
  const auto* held = std::get_if<Decision::Hold>(&decision.what);
  ASSERT_NE(held, nullptr);
  EXPECT_THAT(held->reason, ::testing::HasSubstr("not a PKIMessage"));
}

}  // namespace
}  // namespace cmpost
