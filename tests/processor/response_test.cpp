// What is a response, an error or an announcement is never answered, however it is wrapped: an
// answer to an answer has no end.
#include "cmp/direction.h"
#include "tests/cmp/samples.h"
#include "tests/processor/office.h"

namespace cmpost {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr const char* kAtOnce = "out_of_order = \"0\"\n";

std::vector<PKIBody> bodies_that_ask_nothing() {
  std::vector<PKIBody> bodies;
  for (auto& body : sample_bodies()) {
    if (direction_of(body) != MessageDirection::request) bodies.push_back(std::move(body));
  }
  return bodies;
}

class Response : public ::testing::Test {
 protected:
  Response() { ca.ra_root.certify(ra, "CN=RA", ca.clock.now(), ca.random); }

  static MessageOptions with_tid(const Bytes& tid) {
    return {.implicit_confirm = false,
            .edit = [tid](PKIHeader& header) { header.transactionID = tid; }};
  }
  // By a holder of a secret, a registration authority, the CA itself, and nobody that is known.
  std::vector<Bytes> protected_by_each(const PKIBody& body, const MessageOptions& options) {
    auto header = first_header(ca, name("CN=Test CMP"), {}, options);
    header.senderKID = ca.authority->identity.key_identifier;
    return {with_mac(ca, body, options), signed_by(ca, ra, body, options),
            with_mac(ca, body, options, "guessed"),
            must(protect_with_signature(header, body, ca.authority->identity.signer,
                                        ca.authority->identity.chain)),
            leave_unprotected(first_header(ca, name("CN=dev1"), {}, options), body)};
  }
  // In messages of an RA and of a stranger.
  std::vector<Bytes> wrapped(const Bytes& message) {
    const auto header = decode(message)->header;
    const MessageOptions copied{.implicit_confirm = false, .edit = [header](PKIHeader& outer) {
                                  outer.transactionID = header.transactionID;
                                  outer.senderNonce = header.senderNonce;
                                }};
    const auto by_ra = [&](std::vector<Bytes> members, const MessageOptions& options = {}) {
      return signed_by(ca, ra, body::nested{std::move(members)}, options);
    };
    const auto added = by_ra({message}, copied);
    return {added,
            by_ra({message}),
            by_ra({message, message}),
            by_ra({added}),
            by_ra({by_ra({added})}),
            with_mac(ca, body::nested{{message}}),
            with_mac(ca, body::nested{{message}}, {}, "guessed")};
  }
  void expect_no_answer(const Bytes& message, const std::string& what) {
    EXPECT_THAT(ca.post(message), IsEmpty()) << what;
    EXPECT_THAT(ca.post(message), IsEmpty()) << what << ", again";
    const auto held = must(ca.spool->requests().list({JobState::held, {}}));
    EXPECT_THAT(held, IsEmpty()) << what;
  }

  Office ca{kAtOnce};
  Credential ra;
};

TEST_F(Response, ToNothingIsNotAnsweredInAnyWrapping) {
  for (const auto& body : bodies_that_ask_nothing()) {
    for (const auto& message : protected_by_each(body, {})) {
      expect_no_answer(message, std::string(body_name(body)));
      for (const auto& outer : wrapped(message)) {
        expect_no_answer(outer, "nested " + std::string(body_name(body)));
      }
    }
  }
}

TEST_F(Response, InATransactionOfOursIsNotAnswered) {
  Office waits(std::string(kAtOnce) + "approve = \"one\"\nwaiting = \"always\"\n");
  for (const auto& body : bodies_that_ask_nothing()) {
    if (direction_of(body) == MessageDirection::error) continue;  // ends it
    const auto ended = ca.talk(with_mac(ca, ir(Credential())));
    const auto open = ca.talk(with_mac(ca, ir(Credential()), {.implicit_confirm = false}));
    for (const auto& answer : {ended, open}) {
      for (const auto& options : {following(answer), with_tid(*answer.header.transactionID)}) {
        for (const auto& message : protected_by_each(body, options)) {
          expect_no_answer(message, std::string(body_name(body)));
        }
      }
    }
    const auto told = waits.talk(with_mac(waits, ir(Credential())));
    EXPECT_THAT(waits.post(with_mac(waits, body, following(told))), IsEmpty());
  }
}

TEST_F(Response, ErrorEndsItsTransactionOnceAndIsNotAnsweredAfterThat) {
  const PKIBody error = body::error{{status_info({PKIFailureInfo::badAlg, "no"}), {}, {}}};
  const auto open = ca.talk(with_mac(ca, ir(Credential()), {.implicit_confirm = false}));
  const auto stranger = with_mac(ca, error, following(open), "guessed");
  EXPECT_THAT(ca.post(stranger), IsEmpty());
  const auto pkiconf = ca.talk(with_mac(ca, error, following(open)));
  EXPECT_EQ(body_name(pkiconf.body), "pkiconf");
  EXPECT_THAT(ca.post(with_mac(ca, error, following(open))), IsEmpty());
  EXPECT_THAT(ca.post(with_mac(ca, error, following(pkiconf))), IsEmpty());
}

TEST_F(Response, ErrorsInABatchEndTransactionsToo) {
  const PKIBody error = body::error{{status_info({PKIFailureInfo::badAlg, "no"}), {}, {}}};
  const auto open = ca.talk(with_mac(ca, ir(Credential()), {.implicit_confirm = false}));
  const auto other = ca.talk(with_mac(ca, ir(Credential()), {.implicit_confirm = false}));
  const std::vector<Bytes> errors = {with_mac(ca, error, following(open)),
                                     with_mac(ca, error, following(other))};
  const auto answer = ca.talk(signed_by(ca, ra, body::nested{errors}));
  EXPECT_EQ(body_name(answer.body), "nested");
  EXPECT_EQ(ca.record(certificate_in(open))->state, CertificateState::revoked);
  EXPECT_THAT(ca.post(signed_by(ca, ra, body::nested{errors})), IsEmpty());
}

TEST_F(Response, ThatCannotBeReadIsNotAnswered) {
  for (const auto& body : bodies_that_ask_nothing()) {
    // A second element in the body's choice, which no type allows.
    auto header = first_header(ca, name("CN=dev1"), {}, {});
    der::Writer writer;
    const auto sound = leave_unprotected(header, body);
    const auto parts = *split(sound);
    writer.constructed(der::kSequence, [&] {
      writer.raw(parts.header);
      writer.constructed(der::context_constructed(parts.body_tag), [&] {
        writer.null();
        writer.null();
      });
    });
    ASSERT_FALSE(decode(writer.bytes()));
    expect_no_answer(writer.bytes(), "unreadable " + std::string(body_name(body)));
  }
}

TEST_F(Response, OursThatComesBackIsNotAnswered) {
  const auto members =
      std::vector<Bytes>{with_mac(ca, ir(Credential())), with_mac(ca, body::genm{})};
  const std::vector<Bytes> requests = {
      with_mac(ca, ir(Credential())), with_mac(ca, ir(Credential()), {}, "guessed"),
      with_mac(ca, body::genm{}), signed_by(ca, ra, body::nested{members})};
  for (const auto& request : requests) {
    auto answers = ca.post(request);
    ASSERT_THAT(answers, SizeIs(1));
    EXPECT_THAT(ca.post(answers.front()), IsEmpty());
    for (const auto& outer : wrapped(answers.front())) EXPECT_THAT(ca.post(outer), IsEmpty());
  }
}

// Each answer is put in again, at the other side or at the same: it ends after one round.
TEST_F(Response, TwoInstancesThatWriteToEachOtherComeToRest) {
  Office other(kAtOnce);
  std::size_t answered = 0;
  for (const auto& body : sample_bodies()) {
    std::vector<Bytes> underway = {with_mac(ca, body)};
    for (int round = 0; round < 10 && !underway.empty(); ++round) {
      std::vector<Bytes> next;
      auto& side = round % 2 == 0 ? ca : other;
      for (const auto& message : underway) {
        for (auto& answer : side.post(message)) next.push_back(std::move(answer));
      }
      answered += next.size();
      EXPECT_LE(next.size(), round == 0 ? 1U : 0U) << body_name(body);
      underway = std::move(next);
    }
  }
  EXPECT_GT(answered, 10U) << "the requests among them";
}

}  // namespace
}  // namespace cmpost
