// What a channel with a key and a trusted CA makes of S/MIME: a mail, or the octets as CMS alone.
#include "crypto/envelope/cms.h"
#include "fuzz.h"
#include "mail/smime_opener.h"

namespace {

using namespace cmpost;

SmimeSettings settings() {
  const std::string here = CMPOST_TEST_DATA "/smime/";
  SmimeSettings smime;
  smime.enabled = true;
  smime.certificate = here + "channel.pem";
  smime.key = here + "channel.key";
  smime.trust = {here + "ca.pem"};
  smime.require = SmimeSettings::Require::both;
  return smime;
}

const SmimeIdentity& identity() {
  static const SmimeIdentity kIdentity = read_smime_identity(settings()).value();
  return kIdentity;
}

void open_cms(ByteView cms) {
  if (const auto content = cms_decrypt(cms, identity().certificate, identity().key)) {
    CHECK(content->size() <= cms.size());
  }
  if (const auto is = cms_verify(cms, {})) CHECK(is->content.size() <= cms.size());
  if (const auto content = cms_unverified_content(cms)) CHECK(content->size() <= cms.size());
  (void)cms_verify(cms, view_of("Content-Type: text/plain\r\n\r\n"));
}

void open_mail(ByteView raw) {
  static const SystemClock kClock;
  static const auto kOpener = SmimeOpener::load(settings(), kClock).value();
  const MailLimits limits;
  const auto mail = read_mail(raw, limits, {});
  if (!mail) return;
  for (const bool trusted : {false, true}) {
    const auto opened = kOpener->open(raw, *mail, limits, {}, trusted);
    if (!opened) {
      CHECK(!opened.error().what.empty());
      continue;
    }
    CHECK(opened->messages.size() <= limits.messages);
    const bool refused = kOpener->refusal(*opened).has_value();
    CHECK(refused != (opened->encrypted && opened->vouched));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView input(data, size);
  size > 0 && data[0] == 0x30 ? open_cms(input) : open_mail(input);
  return 0;
}
