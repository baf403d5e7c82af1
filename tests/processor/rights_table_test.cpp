// The table of rights: who gets what, by every body and every kind of credential (R-047, R-062,
// R-095 to R-097, R-194). Each cell is a message that goes the whole way through the processor, as
// if it were the only one: nothing of a cell is committed.
#include <map>
#include <set>
#include <sstream>

#include "cmp/direction.h"
#include "processor/ra_role/ra_role.h"
#include "tests/processor/requesters.h"

namespace cmpost {
namespace {

// The columns are those of wishes.h: under the name of a body, one letter for what is asked for.
//   ir to kur  o own subject  f another's  m more than its own  n its common name as
//              subjectAltName  s that of its certificate  x another's  w a wildcard
//              d another profile  v one for RAs  k one of CAs  r one of a CMP role
//              2 the second of two certificates in one message
//   krr        o own keys  f another's  n and a certificate for a new key
//   cr         ccr: o for CN=Other CA  f for another CA
//   rr         o own certificate  f another's  l the release of another's  p own certificate, and
//              a new passphrase in the header
//   gm         genm: q a question  p a revocation passphrase
//   foll.      certConf of what it has begun itself; certConf, pollReq, popdecr, error into the
//              transactions of another
//   n, ann     nested around another's request; ckuann, cann, rann, crlann
// A cell says what comes of it:
//   +  granted, as asked   ~  granted, with something else in it   w  waits for people
//   k  kept, not answered  .  not answered, nothing happens        0  it has begun nothing
//   refused in the body that answers: n notAuthorized, i wrongIntegrity, t badCertTemplate,
//   c badMessageCheck, r certRevoked, s signerNotTrusted, b badRequest, p badPOP, d badCertId;
//   in capitals: by an error message.
constexpr std::size_t kNameWidth = 20;
constexpr std::string_view kTable = R"(
                    ir           cr           p10cr       kur          krr cr rr   gm foll. n ann
                    ofmnsxwdvkr2 ofmnsxwdvkr2 ofmnsxwdvkr ofmnsxwdvkr2 ofn of oflp qp ocpde n uarl
narrow secret       +nn+nnn+nnn+ +nn+nnn+nnn+ +nn+nnn+nnn IIIIIIIIIIII III II CCCC ++ +CCC. I ....
secret for dev*     +nnn+nn+nnn+ +nnn+nn+nnn+ +nnn+nn+nnn IIIIIIIIIIII III II CCCC +N +CCC. I ....
wide secret         ++++++t+nnn+ ++++++t+nnn+ ++++++t+nnn IIIIIIIIIIII III II CCCC +N +CCC. I ....
wide, elsewhere     ++++++t+nnn+ ++++++t+nnn+ ++++++t+nnn IIIIIIIIIIII III II CCCC +N 0CCC. I ....
for other-device    nnnnnnn+nnnn nnnnnnn+nnnn nnnnnnn+nnn IIIIIIIIIIII III II CCCC ++ +CCC. I ....
for sub-ca          nnnnnnnnn+nn nnnnnnnnn+nn nnnnnnnnn+n IIIIIIIIIIII III II CCCC ++ 0CCC. I ....
for one use         +nn+nnn+nnnn +nn+nnn+nnnn +nn+nnn+nnn IIIIIIIIIIII III II CCCC ++ 0CCC. I ....
used up             NNNNNNNNNNNN NNNNNNNNNNNN NNNNNNNNNNN NNNNNNNNNNNN NNN NN CCCC NN +CCC. I ....
expired             NNNNNNNNNNNN NNNNNNNNNNNN NNNNNNNNNNN NNNNNNNNNNNN NNN NN CCCC NN +CCC. I ....
of another channel  NNNNNNNNNNNN NNNNNNNNNNNN NNNNNNNNNNN NNNNNNNNNNNN NNN NN CCCC NN 0CCC. I ....
guessed             CCCCCCCCCCCC CCCCCCCCCCCC CCCCCCCCCCC CCCCCCCCCCCC CCC CC CCCC CC 0CCC. C ....
regToken            CCCCCCCCCCCC CCCCCCCCCCCC CCCCCCCCCCC CCCCCCCCCCCC CCC CC CCCC CC 0CCC. C ....
authenticator       CCCCCCCCCCCC CCCCCCCCCCCC CCCCCCCCCCC CCCCCCCCCCCC CCC CC CCCC CC 0CCC. C ....
passphrase          CCCCCCCCCCCC CCCCCCCCCCCC CCCCCCCCCCC CCCCCCCCCCCC CCC CC +CCN CC 0CCC. C ....
holder              +nnn+nn+nnn+ +nnn+nn+nnn+ +nnn+nn+nnn +ttn+nn+nnnb wnw nn +nn+ ++ +III. N ....
holder, updated     +nnn+nn+nnn+ +nnn+nn+nnn+ +nnn+nn+nnn +ttn+nn+nnnb wnw nn +nn+ ++ +III. N ....
holder, unconfirmed NNNNNNNNNNNN NNNNNNNNNNNN NNNNNNNNNNN NNNNNNNNNNNN NNN NN +nnN NN +III. N ....
holder, held        RRRRRRRRRRRR RRRRRRRRRRRR RRRRRRRRRRR RRRRRRRRRRRR RRR RR RRRR RR RRRR. R ....
holder, revoked     RRRRRRRRRRRR RRRRRRRRRRRR RRRRRRRRRRR RRRRRRRRRRRR RRR RR RRRR RR RRRR. R ....
holder, elsewhere   NNNNNNNNNNNN NNNNNNNNNNNN NNNNNNNNNNN NNNNNNNNNNNN NNN NN +nn+ ++ 0III. N ....
holder, liberal     ++++++t+nnn+ ++++++t+nnn+ ++++++t+nnn +ttn+nn+nnnb wnw nn +nn+ ++ +III. N ....
holder, DH          +nnn+nn+nnn+ +nnn+nn+nnn+ +nnn+nn+nnn +ttn+nn+nnnb III II +nn+ ++ +CCC. I ....
holder, KEM         +nnn+nn+nnn+ +nnn+nn+nnn+ +nnn+nn+nnn +ttn+nn+nnnb III II +nn+ ++ +CCC. I ....
vendor              +nnnnnn+nnn+ nnnnnnnnnnnn +nnnnnn+nnn nnnnnnnnnnnb nnn nn nnnN +N +III. N ....
vendor, liberal     ++++++t+nnn+ nnnnnnnnnnnn ++++++t+nnn nnnnnnnnnnnb nnn nn nnnN +N +III. N ....
vendor, DH          +nnnnnn+nnn+ nnnnnnnnnnnn +nnnnnn+nnn nnnnnnnnnnnb III II nnnN +N +CCC. I ....
RA by purpose       ++++++t++nn+ ++++++t++nn+ ++++++t++nn nnnnnnnnnnnb tww nn +++N +N +III. + ....
RA by name          ++++++t++nn+ ++++++t++nn+ ++++++t++nn nnnnnnnnnnnb tww nn +++N +N +III. + ....
its namesake        SSSSSSSSSSSS SSSSSSSSSSSS SSSSSSSSSSS SSSSSSSSSSSS SSS SS SSSS SS 0SSS. S ....
RA of a namesake    SSSSSSSSSSSS SSSSSSSSSSSS SSSSSSSSSSS SSSSSSSSSSSS SSS SS SSSS SS 0SSS. S ....
CA itself           SSSSSSSSSSSS SSSSSSSSSSSS SSSSSSSSSSS SSSSSSSSSSSS SSS wn SSSS SS 0IIS. S kkkk
CA by purpose       SSSSSSSSSSSS SSSSSSSSSSSS SSSSSSSSSSS SSSSSSSSSSSS SSS wn SSSS SS 0IIS. S kkkk
CA's namesake       SSSSSSSSSSSS SSSSSSSSSSSS SSSSSSSSSSS SSSSSSSSSSSS SSS SS SSSS SS 0SSS. S ....
and one of its own  SSSSSSSSSSSS SSSSSSSSSSSS SSSSSSSSSSS SSSSSSSSSSSS SSS SS SSSS SS 0SSS. S ....
stranger            SSSSSSSSSSSS SSSSSSSSSSSS SSSSSSSSSSS SSSSSSSSSSSS SSS SS SSSS SS 0SSS. S ....
nobody              CCCCCCCCCCCC CCCCCCCCCCCC CCCCCCCCCCC CCCCCCCCCCCC CCC CC CCCC CC 0CCC. C ....
)";

// Where an RA says something else than the CA whose rights it decides by: "+ is n, dos" is refused
// for the columns d, o and s of that body. What is under a MAC cannot go up where the CA has to
// know the requester (I is n, + is n); whose archived keys are asked for, what an unconfirmed
// certificate has become, how many a kur may ask for and whose passphrase it is, knows the CA
// alone.
constexpr std::string_view kOtherAtAnRa = R"(
ccr: I is n, fo
  narrow secret
  secret for dev*
  wide secret
  wide, elsewhere
  for other-device
  for sub-ca
  for one use
  holder, DH
  holder, KEM
  vendor, DH
ccr: n is w, f
  CA itself
  CA by purpose
cr: t is n, w
  wide secret
  wide, elsewhere
  holder, liberal
  RA by purpose
  RA by name
genm: N is u, p
  secret for dev*
  wide secret
  wide, elsewhere
  vendor
  vendor, liberal
  vendor, DH
  RA by purpose
  RA by name
ir: t is n, w
  wide secret
  wide, elsewhere
  holder, liberal
  vendor, liberal
  RA by purpose
  RA by name
krr: I is N, fno
  narrow secret
  secret for dev*
  wide secret
  wide, elsewhere
  for other-device
  for sub-ca
  for one use
  holder, DH
  holder, KEM
  vendor, DH
krr: n is N, fno
  vendor
  vendor, liberal
krr: n is w, f
  holder
  holder, updated
  holder, liberal
krr: t is w, o
  RA by purpose
  RA by name
kur: + is n, dos
  holder, DH
  holder, KEM
kur: I is n, 2dfkmnorsvwx
  narrow secret
  secret for dev*
  wide secret
  wide, elsewhere
  for other-device
  for sub-ca
  for one use
kur: N is n, knrvwx
  holder, unconfirmed
kur: N is t, fm
  holder, unconfirmed
kur: N is u, 2dos
  holder, unconfirmed
kur: b is n, 2
  holder, DH
  holder, KEM
  vendor
  vendor, liberal
  vendor, DH
  RA by purpose
  RA by name
kur: b is u, 2
  holder
  holder, updated
  holder, liberal
p10cr: t is n, w
  wide secret
  wide, elsewhere
  holder, liberal
  vendor, liberal
  RA by purpose
  RA by name
)";

char letter_of(const PKIStatusInfo& status) {
  using enum PKIFailureInfo;
  static const std::map<PKIFailureInfo, char> kLetters = {
      {notAuthorized, 'n'},   {wrongIntegrity, 'i'}, {badCertTemplate, 't'},
      {badMessageCheck, 'c'}, {certRevoked, 'r'},    {signerNotTrusted, 's'},
      {badRequest, 'b'},      {badPOP, 'p'},         {badCertId, 'd'}};
  for (const auto& [bit, letter] : kLetters) {
    if (status.failInfo == std::uint64_t{1} << static_cast<int>(bit)) return letter;
  }
  return '?';
}

class RightsTable : public Requesters {
 protected:
  // What becomes of a message.

  char outcome(const Asker& row, const Column& column, const Decision& decision) {
    const auto what = letter_of(column, decision);
    const bool happens = what == '+' || what == '~' || what == 'k' || column.letter == '2';
    EXPECT_TRUE(happens || !decision.effects.grants()) << row.who << " " << column.what;
    EXPECT_TRUE(happens || !decision.effects.announcement) << row.who << " " << column.what;
    EXPECT_TRUE(happens || !decision.effects.advance) << row.who << " " << column.what;
    return what;
  }
  static char letter_of(const Column& column, const Decision& decision) {
    if (std::holds_alternative<Decision::Silence>(decision.what)) {
      return decision.effects.announcement ? 'k' : '.';
    }
    const auto* reply = std::get_if<Decision::Reply>(&decision.what);
    const auto answer = reply == nullptr ? std::nullopt : decoded(reply->job.payload);
    if (!answer) return '!';
    const bool has_status = cert_response(answer->body) != nullptr ||
                            std::holds_alternative<body::rp>(answer->body) ||
                            std::holds_alternative<body::krp>(answer->body) ||
                            std::holds_alternative<body::error>(answer->body);
    if (!has_status) return '+';
    const auto* response = cert_response(answer->body);
    const auto status = response != nullptr ? response->response.back().status : status_in(*answer);
    if (status.status == PKIStatus::waiting) return 'w';
    if (status.status != PKIStatus::rejection) return is_as_asked(column, decision) ? '+' : '~';
    const char letter = cmpost::letter_of(status);
    const bool error = std::holds_alternative<body::error>(answer->body);
    return error ? static_cast<char>(std::toupper(letter)) : letter;
  }
  // Subject, names and profile, and nothing more.
  static bool is_as_asked(const Column& column, const Decision& decision) {
    const auto* asked = certificate_asked(column);
    const auto& made = decision.effects.certificates;
    if (asked == nullptr) return true;
    if (std::ssize(made) != asked->count) return false;
    const auto certificate = must(Certificate::from_der(made.back().der));
    const auto wanted = san_of(asked->san);
    const auto* san = find(certificate.extensions(), oid::id_ce_subjectAltName);
    const bool renews = column.body == tag_of<body::kur>();  // keeps its names
    const bool same_san = wanted.empty() ? san == nullptr || renews
                                         : san != nullptr && san->extnValue == wanted[0].extnValue;
    const auto profile = asked->profile.empty() ? "device" : asked->profile;
    return certificate.subject().same(name(asked->subject)) && same_san &&
           (made.back().profile == profile || asked->profile.empty()) &&
           certificate.is_ca() == (profile == "sub-ca");
  }

  char cell(const Asker& row, const Column& column) {
    const auto wish = message_for(column, ca, others, row.mine.value_or(*others.dev1), row.open);
    if (!wish) return '0';
    return outcome(row, column, decide(row, row.send(wish->body, wish->options)));
  }
  template <typename CellOf>
  static std::string in_groups(CellOf&& cell_of) {
    std::string line;
    std::size_t group = 0;
    for (const auto& column : all_columns()) {
      if (group != 0 && group_of(column.body) != group) line += ' ';
      group = group_of(column.body);
      line += cell_of(column);
    }
    return line;
  }
  static std::size_t group_of(std::size_t body) {
    if (body >= tag_of<body::certConf>() || body == tag_of<body::popdecr>() ||
        body == tag_of<body::error>()) {
      return 100;
    }
    const bool announces = direction_of(body) == MessageDirection::announcement;
    return announces ? 101 : body + 1;
  }
};

// The same requesters before an RA in front of that CA, which knows their secrets and certificates
// as the CA does: `u` for what goes up.
class RightsAtAnRa : public RightsTable {
 protected:
  RightsAtAnRa() {
    auto settings = parse_settings(
        "[instance]\nname = \"ra\"\n"
        "[ra]\ncmp_certificate = \"c\"\ncmp_key = \"k\"\nupstream = \"vault\"\n"
        "[[profile]]\nname = \"device\"\n"
        "extensions = { subjectAltName = \"copy\", other = \"ignore\" }\n" +
            std::string(kProfilesOfTheTable) + channel_of_the_table("drop", "") +
            channel_of_the_table("other", "") +
            channel_of_the_table("liberal",
                                 "holders_of = \"any\"\nadditional = \"any\"\n"
                                 "trusted_subject = \"any\"\ntrusted_san = \"any\"\n") +
            "[[channel]]\nname = \"vault\"\nkind = \"directory\"\nin = \"in-v\"\nout = "
            "\"out-v\"\ndirection = \"upstream\"\ntrust = [\"ra.pem\"]\n",
        ca.directory / "cmpost.toml");
    if (!settings) ADD_FAILURE() << to_string(settings.error().front());
    settings_ = *settings->ra;
    channels_ = must(load_channel_policies(*settings, {ca.authority->issuer.certificate()}));
    role_.emplace(settings_, ca.authority->identity, channels_);
  }
  char cell_at_ra(const Asker& row, const Column& column) {
    const auto wish = message_for(column, ca, others, row.mine.value_or(*others.dev1), row.open);
    if (!wish) return '0';
    auto lease = ca.arrival(row.send(wish->body, wish->options));
    lease.job.envelope.channel = row.channel;
    const ProcessorServices services{ca.authority->identity,
                                     *role_,
                                     channels_,
                                     ca.sealing_key,
                                     ca.random,
                                     ca.clock,
                                     ca.clock,
                                     ca.clock};
    const auto decision = must(respond_alone(lease, *ca.reader, services, Turn::again));
    return decision.effects.send_up.empty() ? letter_of(column, decision) : 'u';
  }
  static bool is_granted(char cell) { return cell == '+' || cell == '~' || cell == 'w'; }

 private:
  RaSettings settings_;
  ChannelPolicies channels_;
  std::optional<RaRole> role_;
};

PKIBody answer_with_tag(std::size_t tag, const PKIBody& popdecc) {
  const CertRepMessage waits{std::nullopt, {waiting_response(0)}};
  switch (tag) {
    case tag_of<body::ip>():
      return body::ip{waits};
    case tag_of<body::cp>():
      return body::cp{waits};
    case tag_of<body::kup>():
      return body::kup{waits};
    case tag_of<body::ccp>():
      return body::ccp{waits};
    case tag_of<body::krp>():
      return body::krp{{waiting_response(0).status, {}, {}, {}}};
    case tag_of<body::rp>():
      return body::rp{{{waiting_response(0).status}, {}, {}}};
    case tag_of<body::pkiconf>():
      return body::pkiconf{};
    case tag_of<body::genp>():
      return body::genp{};
    case tag_of<body::pollRep>():
      return body::pollRep{{{0, 10, {}}}};
    default:
      return popdecc;
  }
}

std::string padded(std::string text) {
  text.resize(std::max<std::size_t>(kNameWidth, text.size()), ' ');
  return text;
}

TEST_F(RightsTable, SaysWhoGetsWhat) {
  std::vector<std::string> table;
  std::istringstream lines{std::string(kTable)};
  for (std::string line; std::getline(lines, line);) table.push_back(line);
  std::vector<std::string> actual = {
      "", table.at(1), padded("") + in_groups([](const Column& one) { return one.letter; })};
  for (const auto& row : rows) {
    actual.push_back(padded(row.who) +
                     in_groups([&](const Column& column) { return cell(row, column); }));
  }
  std::string whole;
  for (const auto& line : actual) whole += line + "\n";
  ASSERT_EQ(table.size(), actual.size()) << whole;
  for (std::size_t i = 0; i < table.size(); ++i) EXPECT_EQ(table[i], actual[i]);
}

TEST_F(RightsAtAnRa, AreThoseAtACaButForWhatItCannotKnow) {
  struct Where {
    std::set<char> columns;
    std::vector<std::string> rows;
  };
  std::map<std::string, Where> differs;
  for (const auto& column : all_columns()) {
    // What they have begun, they have begun at the CA.
    if (column.body == tag_of<body::certConf>() && column.letter == 'o') continue;
    for (const auto& row : rows) {
      const char above = cell(row, column), here = cell_at_ra(row, column);
      if (above == here || (is_granted(above) && here == 'u')) continue;
      auto& where = differs[std::string(body_name(column.body)) + ": " + above + " is " + here];
      where.columns.insert(column.letter);
      if (std::ranges::find(where.rows, row.who) == where.rows.end()) where.rows.push_back(row.who);
    }
  }
  std::string actual = "\n";
  for (const auto& [what, where] : differs) {
    actual += what + ", " + std::string(where.columns.begin(), where.columns.end()) + "\n";
    for (const auto& row : where.rows) actual += "  " + row + "\n";
  }
  EXPECT_EQ(actual, kOtherAtAnRa);
}

TEST_F(RightsTable, AnswersAreAnsweredToNobody) {
  for (const auto tag : kNeverAnswered) {
    const auto body = answer_with_tag(tag, others.challenged.body);
    ASSERT_EQ(body.index(), tag);
    for (const auto& row : rows) {
      const auto decision = decide(row, row.send(body, pvno3(following(others.open))));
      EXPECT_TRUE(std::holds_alternative<Decision::Silence>(decision.what))
          << row.who << " " << body_name(tag);
      EXPECT_FALSE(decision.effects.grants() || decision.effects.advance);
    }
  }
}

}  // namespace
}  // namespace cmpost
