#include "orders/answer_file.h"

#include <algorithm>

#include "asn1/der_kind.h"
#include "asn1/pem.h"
#include "crypto/envelope/cms.h"
#include "queue/order_job.h"

namespace cmpost {
namespace {

constexpr std::size_t kMostCertificates = 32, kLongestReason = 2000;
constexpr auto kWhatIsTaken =
    "a certificate as PEM, DER or PKCS#7 is taken, and a refusal as ORDER.rejected.txt";

using Certificates = std::vector<Certificate>;

Result<Certificates> of_der(ByteView der) {
  const auto kind = der_kind(der);
  if (kind == DerKind::certificate) {
    ASSIGN_OR_RETURN(auto one, Certificate::from_der(der));
    return Certificates{std::move(one)};
  }
  if (kind == DerKind::cms) return cms_certificates(der);
  if (kind == DerKind::unknown) return hold("it does not hold a certificate", kWhatIsTaken);
  return hold("this is " + std::string(in_words(kind)) + ", not a certificate", kWhatIsTaken);
}

Result<Certificates> of_block(const PemBlock& block) {
  const bool cms =
      block.label == "PKCS7" || block.label == "CMS" || block.label == "PKCS #7 SIGNED DATA";
  const bool certificate = block.label == "CERTIFICATE" || block.label == "X509 CERTIFICATE" ||
                           block.label == "TRUSTED CERTIFICATE";
  if (!cms && !certificate) return Certificates{};
  ASSIGN_OR_RETURN(const auto der, decode(block));
  // Some portals write a PKCS#7 between the marks of a certificate.
  return of_der(der);
}

Result<Certificates> of_pem(std::string_view text) {
  ASSIGN_OR_RETURN(const auto blocks, pem_blocks(text));
  Certificates all;
  for (const auto& block : blocks) {
    ASSIGN_OR_RETURN(auto some, of_block(block));
    std::ranges::move(some, std::back_inserter(all));
    if (all.size() > kMostCertificates) break;
  }
  return all;
}

// "0a1b2c3d4e5f" of "0a1b2c3d4e5f.pem".
std::optional<std::string> named_order(std::string_view name) {
  const auto order = name.substr(0, name.find('.'));
  if (order.size() == name.size() || !is_order_name(order)) return std::nullopt;
  return std::string(order);
}

// "0a1b2c3d4e5f" of "0a1b2c3d4e5f.rejected.txt", and of a second file of that name.
std::optional<std::string> refused_order(std::string_view name) {
  const auto order = named_order(name);
  const auto rest = name.substr(order ? order->size() : 0);
  const bool refusal = rest.starts_with(".rejected") && rest.ends_with(".txt");
  return refusal ? order : std::nullopt;
}

Unwrapped read_reason(Bytes contents) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  auto text = text_of(contents);
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  auto reason = printable(text, kLongestReason);
  if (reason.find_first_not_of(" \t\r\n") == std::string::npos) reason = "no reason was given";
  return {Unwrapped::What::message, to_bytes(reason), {}, {}};
}

}  // namespace

Result<Certificates> certificates_in(ByteView contents) {
  constexpr std::uint8_t kSequence = 0x30;
  if (contents.empty()) return hold("the file is empty", kWhatIsTaken);
  ASSIGN_OR_RETURN(auto all,
                   contents[0] == kSequence ? of_der(contents) : of_pem(text_of(contents)));
  if (all.empty()) return hold("there is no certificate in it", kWhatIsTaken);
  if (all.size() > kMostCertificates) {
    return hold("there are more than " + std::to_string(kMostCertificates) + " certificates in it",
                "put each certificate with its chain into a file of its own");
  }
  return all;
}

// What cannot be read may be cut off: it is put aside when nothing more of it has come.
Unwrapped read_order_file(const std::string& name, Bytes contents) {
  if (refused_order(name)) return read_reason(std::move(contents));
  const auto certificates = certificates_in(contents);
  if (!certificates) {
    return {Unwrapped::What::incomplete, {}, certificates.error().what, certificates.error().hint};
  }
  return {Unwrapped::What::message, concatenated(*certificates), {}, {}};
}

void mark_order_job(const std::string& name, Job& job) {
  const auto refused = refused_order(name);
  job.envelope.body = to_string(refused ? OrderNews::refused : OrderNews::certificates);
  job.envelope.tid = named_order(name).value_or(std::string());
}

}  // namespace cmpost
