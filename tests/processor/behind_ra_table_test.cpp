// What requesters get behind an RA of another maker: each of its ways to pass messages on, each
// kind of request, with implicit confirmation and with certConf.
#include <sstream>

#include "tests/processor/like_lightweight_cmp_ra.h"
#include "tests/processor/office.h"

namespace cmpost {
namespace {

struct RequestKind {
  std::string_view name;  // of the body
  bool has_mac;
  bool confirmed;  // by certConf, where not implicitly
};
constexpr std::array<RequestKind, 10> kRequestKinds = {{{"ir", true, true},
                                                        {"ir", false, true},
                                                        {"cr", true, true},
                                                        {"cr", false, true},
                                                        {"p10cr", true, true},
                                                        {"kur", false, true},
                                                        {"genm", true, false},
                                                        {"genm", false, false},
                                                        {"rr", false, false},
                                                        {"rr", true, false}}};

struct CellsOfAWay {
  std::string_view what;
  RaWay way;
  bool waits;  // for people, whom the requester asks again by pollReq
  std::string_view cells;
  friend void PrintTo(const CellsOfAWay& way, std::ostream* out) { *out << way.what; }
};
// Of each cell: how it ends with implicit confirmation / with certConf. The requester signs an ir
// by a vendor's certificate and names its issuer in the template, as OpenSSL does. "ok" when it has
// its certificate or answer. The rest is right to be refused:
// - ups, badMessageCheck: a message without protection, since it was changed and not signed anew
// - mac, wrongIntegrity: an rr with a MAC; a certConf with a MAC to a request that the RA signed
// - who, notAuthorized: a certConf that the requester signed, to a request that the RA signed
//
// Columns: ir MAC, ir, cr MAC, cr, p10cr MAC, kur; genm MAC, genm, rr, rr MAC
constexpr std::array<CellsOfAWay, 11> kWaysOfAnRa = {{
    {"unchanged", RaWay::keep, false,
     "ok/ok   ok/ok   ok/ok   ok/ok   ok/ok   ok/ok   ok   ok   ok   mac"},
    {"signed anew", RaWay::reprotect, false,
     "ok/ok   ok/ok   ok/ok   ok/ok   ok/ok   ok/ok   ok   ok   ok   ok"},
    {"nested", RaWay::nest, false,
     "ok/ok   ok/ok   ok/ok   ok/ok   ok/ok   ok/ok   ok   ok   ok   mac"},
    {"nested, signed anew", RaWay::nest_reprotected, false,
     "ok/ok   ok/ok   ok/ok   ok/ok   ok/ok   ok/ok   ok   ok   ok   ok"},
    {"raVerified, signed anew", RaWay::force, false,
     "ok/ok   ok/ok   ok/ok   ok/ok   ok/ok   ups/ups ok   ok   ok   ok"},
    {"raVerified", RaWay::force_keep, false,
     "ok/mac  ok/who  ok/mac  ok/who  ok/ok   ups/ups ok   ok   ok   mac"},
    {"raVerified, nested", RaWay::force_nest, false,
     "ok/mac  ok/who  ok/mac  ok/who  ok/ok   ups/ups ok   ok   ok   mac"},
    {"protection removed", RaWay::strip, false,
     "ups/ups ups/ups ups/ups ups/ups ups/ups ups/ups ups  ups  ups  ups"},
    {"unchanged", RaWay::keep, true,
     "ok/ok   ok/ok   ok/ok   ok/ok   ok/ok   ok/ok   ok   ok   ok   mac"},
    {"signed anew", RaWay::reprotect, true,
     "ok/ok   ok/ok   ok/ok   ok/ok   ok/ok   ok/ok   ok   ok   ok   ok"},
    {"nested", RaWay::nest, true,
     "ok/ok   ok/ok   ok/ok   ok/ok   ok/ok   ok/ok   ok   ok   ok   mac"},
}};

// A requester with the RA and the CA under test behind it.
class BehindAWay {
 public:
  explicit BehindAWay(const CellsOfAWay& row) : waits_(row.waits), ra_(ca_, row.way) {
    ca_.vendor.certify(of_vendor_, "CN=dev1", ca_.clock.now(), ca_.random);
  }

  // "ok", or what it hears instead.
  std::string outcome(const RequestKind& kind, bool confirms) {
    ca_.configure(settings(false));
    device_ = enrolled(ca_);
    ca_.configure(settings(waits_));
    auto answer = pass(send(kind, request(kind), {.implicit_confirm = !confirms}));
    if (is_waiting(answer)) answer = poll(kind, answer);
    if (const auto no = refusal(answer); !no.empty()) return no;
    if (!confirms) return "ok";
    const auto conf = cert_conf(certificate_in(answer));
    const auto end = pass(send(kind, conf, following(answer)));
    return body_name(end.body) == "pkiconf" ? "ok" : refusal(end);
  }

  LikeLightweightCmpRa& ra() { return ra_; }

 private:
  static std::string settings(bool waits) {
    const std::string all =
        "quirks = [\"p10cr_zero\"]\nout_of_order = \"0s\"\nadditional = \"any\"\n";
    return waits ? all +
                       "waiting = \"always\"\napprove = \"one\"\napproval_by_ra = \"none\"\n"
                       "approve_for = [\"ir\", \"cr\", \"p10cr\", \"kur\"]\n"
                 : all;
  }
  PKIBody request(const RequestKind& kind) {
    if (kind.name == "p10cr") return body::p10cr{certification_request(next_, "CN=dev1")};
    if (kind.name == "genm") return body::genm{{{oid::id_it_signKeyPairTypes, {}}}};
    if (kind.name == "rr") return revocation(*device_.certificate);
    const auto wanted = cert_request(next_, "CN=dev1", {.edit = [&](CertTemplate& one) {
                                       if (!kind.has_mac)
                                         one.issuer = signer(kind).certificate->issuer();
                                     }});
    if (kind.name == "ir") return body::ir{{wanted}};
    if (kind.name == "cr") return body::cr{{wanted}};
    return body::kur{{wanted}};
  }
  const Credential& signer(const RequestKind& kind) {
    return kind.name == "ir" ? of_vendor_ : device_;
  }
  Bytes send(const RequestKind& kind, const PKIBody& body, const MessageOptions& options) {
    return kind.has_mac ? with_mac(ca_, body, options)
                        : signed_by(ca_, signer(kind), body, options);
  }

  // Through the RA, and back.
  PKIMessage pass(const Bytes& der) {
    const auto asked = decode(der)->header;
    const auto answer = ca_.talk(ra_.up(der));
    EXPECT_EQ(answer.header.transactionID, asked.transactionID);
    EXPECT_EQ(answer.header.recipNonce, asked.senderNonce);
    EXPECT_EQ(LikeLightweightCmpRa::complaint(answer), "");
    return answer;
  }
  static bool is_waiting(const PKIMessage& answer) {
    const auto* response = cert_response(answer.body);
    return response != nullptr && response->response.at(0).status.status == PKIStatus::waiting;
  }
  PKIMessage poll(const RequestKind& kind, const PKIMessage& interim) {
    const auto told = pass(send(kind, poll_req(0), following(interim)));
    EXPECT_EQ(body_name(told.body), "pollRep");
    ca_.say(*interim.header.transactionID, true);
    ca_.work();
    return pass(send(kind, poll_req(0), following(told)));
  }
  static std::string refusal(const PKIMessage& answer) {
    if (body_name(answer.body) == "genp") return "";
    const auto status = status_in(answer);
    if (status.status == PKIStatus::accepted) return "";
    const std::map<PKIFailureInfo, std::string> names = {{PKIFailureInfo::badMessageCheck, "ups"},
                                                         {PKIFailureInfo::wrongIntegrity, "mac"},
                                                         {PKIFailureInfo::notAuthorized, "who"}};
    for (const auto& [bit, name] : names) {
      if (status.failInfo == std::uint64_t{1} << static_cast<int>(bit)) return name;
    }
    return ::testing::PrintToString(status.statusString);
  }

  bool waits_;
  Office ca_;
  LikeLightweightCmpRa ra_;
  Credential of_vendor_, device_, next_;
};

class BehindAnRaOfAnotherMaker : public ::testing::TestWithParam<CellsOfAWay> {};

TEST_P(BehindAnRaOfAnotherMaker, EveryCellEndsAsItShould) {
  BehindAWay requester(GetParam());
  std::istringstream cells{std::string(GetParam().cells)};
  for (const auto& kind : kRequestKinds) {
    std::string expected, seen = requester.outcome(kind, false);
    if (kind.confirmed) seen += "/" + requester.outcome(kind, true);
    cells >> expected;
    EXPECT_EQ(seen, expected) << GetParam().what << ": " << kind.name
                              << (kind.has_mac ? " MAC" : " signature");
  }
}
INSTANTIATE_TEST_SUITE_P(EachWay, BehindAnRaOfAnotherMaker, ::testing::ValuesIn(kWaysOfAnRa));

// What it does to save octets.
TEST(BehindAnRaThatSaves, CertConfWithoutExtraCertsIsKnownByItsKey) {
  BehindAWay requester({"", RaWay::reprotect, false, ""});
  requester.ra().suppresses_extra_certs = true;
  EXPECT_EQ(requester.outcome({"ir", false, true}, true), "ok");
  EXPECT_EQ(requester.outcome({"cr", true, true}, true), "ok");
}

}  // namespace
}  // namespace cmpost
