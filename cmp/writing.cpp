#include "cmp/writing.h"

#include <string>

namespace cmpost::codec {

void retagged(Writer& writer, ByteView whole, der::Tag tag) {
  CHECK(!whole.empty());
  writer.raw(ByteView(&tag, 1));
  writer.raw(whole.subspan(1));
}

void write_time(Writer& writer, Time time) {
  const auto second = std::chrono::floor<std::chrono::seconds>(time);
  const auto micros = (time - second).count();
  if (micros == 0) return writer.generalized_time(time);
  Writer plain;
  plain.generalized_time(second);
  // X.690 11.7.3: "the fractional-seconds elements, if present, shall omit all trailing 0's".
  auto digits = std::to_string(1'000'000 + micros).substr(1);
  digits.erase(digits.find_last_not_of('0') + 1);
  std::string text(text_of(plain.bytes()).substr(2));
  text.insert(text.size() - 1, "." + digits);
  writer.primitive(der::kGeneralizedTime, view_of(text));
}

void write_certificate(Writer& writer, const CMPCertificate& certificate) {
  writer.raw(certificate.der);
}

void write_general_name(Writer& writer, const GeneralName& name) {
  writer.raw(name.der.empty() ? GeneralName::of(Name()).der : name.der);
}

}  // namespace cmpost::codec
