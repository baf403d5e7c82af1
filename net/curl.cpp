#include "net/curl.h"

#include <signal.h>

#include <algorithm>

#include "base/bytes.h"
#include "net/server_addresses.h"

namespace cmpost {
namespace {

CURLcode initialise_curl() {
  ::signal(SIGPIPE, SIG_IGN);
  return ::curl_global_init(CURL_GLOBAL_DEFAULT);
}

std::string joined_pins(const std::vector<std::string>& pins) {
  std::string all;
  for (const auto& pin : pins) all += (all.empty() ? "" : ";") + pin;
  return all;
}

constexpr CurlDiagnosis kDiagnoses[] = {
    {CURLE_COULDNT_RESOLVE_HOST, Recovery::retry, "its name is not known", ""},
    {CURLE_COULDNT_CONNECT, Recovery::retry, "it cannot be reached", ""},
    {CURLE_OPERATION_TIMEDOUT, Recovery::retry, "it took too long", ""},
    {CURLE_PEER_FAILED_VERIFICATION, Recovery::hold, "its certificate is not trusted",
     "see tls.ca and the host in the URL"},
    {CURLE_SSL_PINNEDPUBKEYNOTMATCH, Recovery::hold, "its key is none of the pinned ones",
     "see tls.pins"},
    {CURLE_SSL_CACERT_BADFILE, Recovery::hold, "the trusted certificates cannot be read",
     "see tls.ca"},
    {CURLE_SSL_CERTPROBLEM, Recovery::hold, "our own certificate and key cannot be used",
     "see tls.certificate, tls.key and tls.key_password_file"},
    {CURLE_SSL_CONNECT_ERROR, Recovery::retry, "the TLS handshake failed", ""},
};

}  // namespace

tl::unexpected<Error> curl_could_not_start(const char* why) {
  return retry(std::string("libcurl could not start: ") + why);
}

Result<void> start_curl() {
  static const CURLcode initialised = initialise_curl();
  if (initialised == CURLE_OK) return {};
  return curl_could_not_start(::curl_easy_strerror(initialised));
}

void set_common_options(CurlOptions& options, const std::string& ca,
                        const std::vector<std::string>& pins) {
  options.set(CURLOPT_PROXY, "");
  options.set(CURLOPT_NOSIGNAL, 1L);
  options.set(CURLOPT_QUICK_EXIT, 1L);  // no waiting for a look-up of its own
  options.set(CURLOPT_TCP_KEEPALIVE, 1L);
  options.set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  options.set(CURLOPT_SSL_VERIFYPEER, 1L);
  options.set(CURLOPT_SSL_VERIFYHOST, 2L);
  if (!ca.empty()) {
    options.set(CURLOPT_CAINFO, ca.c_str());
    options.set(CURLOPT_CAPATH, static_cast<const char*>(nullptr));
  }
  if (!pins.empty()) options.set(CURLOPT_PINNEDPUBLICKEY, joined_pins(pins).c_str());
}

Result<CurlListPtr> curl_addresses(const std::string& host, int port, const Patience& patience) {
  const auto found = server_addresses(host, port, patience);
  if (!found) {
    const auto end = patience.over();
    if (end == Patience::End::late) return failure(curl_error(CURLE_OPERATION_TIMEDOUT, {}));
    if (end) return retry("a stop was requested");
    return failure(found.error());
  }
  if (found->empty()) return CurlListPtr();
  CurlListPtr list(::curl_slist_append(nullptr, found->c_str()));
  if (list == nullptr) return curl_could_not_start(::curl_easy_strerror(CURLE_OUT_OF_MEMORY));
  return list;
}

Error curl_error(CURLcode code, std::string_view detail, std::span<const CurlDiagnosis> own) {
  Error error{Recovery::retry, ::curl_easy_strerror(code), ""};
  for (const auto& diagnoses : {std::span<const CurlDiagnosis>(kDiagnoses), own}) {
    for (const auto& one : diagnoses) {
      if (one.code == code) error = {one.recovery, one.what, one.hint};
    }
  }
  if (!detail.empty()) error.what += ": " + printable(detail);
  return error;
}

Result<void> wait_for_curl(CURLM* multi, Duration time_out, const Patience& patience) {
  curl_waitfd stop = {patience.stop_fd(), CURL_WAIT_POLLIN, 0};
  const auto left = std::min(time_out, patience.left());
  const auto millis = std::chrono::ceil<std::chrono::milliseconds>(left).count();
  const auto polled =
      ::curl_multi_poll(multi, &stop, patience.stop_fd() < 0 ? 0 : 1,
                        static_cast<int>(std::min<std::int64_t>(millis, 60'000)), nullptr);
  if (polled == CURLM_OK) return {};
  return retry(std::string("libcurl gave up: ") + ::curl_multi_strerror(polled));
}

}  // namespace cmpost
