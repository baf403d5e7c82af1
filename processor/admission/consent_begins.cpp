// What people are shown first, whatever is asked for.
#include "base/joined.h"
#include "ca/serial_number.h"
#include "processor/admission/request.h"
#include "processor/admission/revocation_passphrase.h"

namespace cmpost {
namespace {

std::string role_of(const Requester& requester) {
  using Role = CertificateHolder::Role;
  const auto* holder = requester.certificate();
  if (holder == nullptr) {
    return requester.secret()->revokes ? "revocation passphrase" : "shared secret";
  }
  switch (holder->role) {
    case Role::end_entity:
      return "holder of a certificate of this CA";
    case Role::vendor:
      return "holder of a certificate of a vendor";
    case Role::ra:
      return "registration authority";
    case Role::ca:
      return "another CA";
  }
  return "unknown";
}

std::string in_a_row(const std::vector<std::string>& texts, std::string_view if_none) {
  return texts.empty() ? std::string(if_none) : joined(texts);
}

// What the operator has said when it was made; how often it has been used since would make another
// object of it each time.
void add_limits(const Secret& secret, ConsentObject& object) {
  object.add("secret is for", secret.subject.empty() ? "any subject" : secret.subject);
  object.add("secret is for names", in_words(secret.san));
  object.add("secret is for profiles", in_a_row(secret.profiles, "all that are for secrets"));
  object.add("secret counts on channels",
             secret.channels.any ? "any" : in_a_row(secret.channels.names, "the first"));
  if (secret.max_uses) {
    object.add("secret is good for", std::to_string(*secret.max_uses) + " certificates");
  }
  if (secret.expires) object.add("secret expires", to_iso8601(*secret.expires));
}

void add_requester(const Requester& requester, ConsentObject& object) {
  const auto credential = requester.credential();
  object.add("asked by", requester.text() + ", " + role_of(requester), view_of(credential));
  const auto* holder = requester.certificate();
  if (holder != nullptr) {
    const auto& certificate = holder->certificate;
    object.add("with certificate", serial_text(certificate.serial_number()) + " of " +
                                       certificate.issuer().text() + ", SHA-256 " +
                                       to_hex(certificate.fingerprint()));
  }
  const auto* secret = requester.secret();
  if (secret == nullptr || secret->revokes) return;
  add_limits(secret->secret, object);
}

std::string asked_for(const PKIBody& body) {
  const auto name = std::string(body_name(body));
  if (std::holds_alternative<body::rr>(body)) return name + ", a revocation";
  if (std::holds_alternative<body::krr>(body)) return name + ", the recovery of private keys";
  if (std::holds_alternative<body::kur>(body)) return name + ", a renewal";
  if (std::holds_alternative<body::ccr>(body)) return name + ", a cross certificate";
  if (std::holds_alternative<body::genm>(body)) return name + ", information";
  return name + ", a certificate";
}

void add_way(const Request& request, ConsentObject& object) {
  object.add("came as", request.source.empty() ? "?" : request.source);
  object.add("on channel", request.channel->settings.name);
  if (!request.peer.empty()) object.add("answers go to", request.peer);
}

}  // namespace

ConsentObject begin_object(const Request& request, const Requester& requester) {
  ConsentObject object;
  object.add("asked for", asked_for(request.message.body));
  add_requester(requester, object);
  add_way(request, object);
  object.add("message", "SHA-256 " + to_hex(request.digest));
  if (header_passphrase(request.message.header, *request.channel) != nullptr) {
    object.add("leaves", "a revocation passphrase of who asks, in the header");
  }
  return object;
}

}  // namespace cmpost
