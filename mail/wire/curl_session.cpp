#include "mail/wire/curl_session.h"

#include <algorithm>

namespace cmpost {
namespace {

constexpr std::size_t kMaxWords = 200;

const char* login_options(LoginSettings::Mechanism mechanism) {
  switch (mechanism) {
    case LoginSettings::Mechanism::automatic:
      return nullptr;
    case LoginSettings::Mechanism::plain:
      return "AUTH=PLAIN";
    case LoginSettings::Mechanism::login:
      return "AUTH=LOGIN";
    case LoginSettings::Mechanism::xoauth2:
      return "AUTH=XOAUTH2";
    case LoginSettings::Mechanism::oauthbearer:
      return "AUTH=OAUTHBEARER";
  }
  return nullptr;
}

constexpr CurlDiagnosis kDiagnoses[] = {
    {CURLE_USE_SSL_FAILED, Recovery::hold, "it offers no STARTTLS",
     "use imaps, pop3s or smtps, or tls.required = false for a server on this host"},
    {CURLE_LOGIN_DENIED, Recovery::hold, "it refused the login", "see login"},
};

// Words of a server that repeat what was sent to it must not bring a token into the log.
std::string without_long_words(std::string_view line) {
  constexpr std::size_t kLongest = 30;
  std::string result;
  while (!line.empty()) {
    const auto word = line.substr(0, line.find(' '));
    result += word.size() > kLongest ? std::string_view("...") : word;
    line.remove_prefix(word.size());
    for (; line.starts_with(' '); line.remove_prefix(1)) result += ' ';
  }
  return result;
}

}  // namespace

std::string server_name(const MailUrl& url) {
  const bool address = url.host.find(':') != std::string::npos;
  const auto host = address ? "[" + url.host + "]" : url.host;
  return url.scheme + "://" + host + ":" + std::to_string(url.port);
}

CurlSession::CurlSession() : easy_(::curl_easy_init()), multi_(::curl_multi_init()) {}

CurlSession::~CurlSession() {
  // What was connected by a multi handle is closed with it.
  if (multi_ != nullptr && easy_ != nullptr) ::curl_multi_remove_handle(multi_, easy_);
  if (easy_ != nullptr) ::curl_easy_cleanup(easy_);
  if (multi_ != nullptr) ::curl_multi_cleanup(multi_);
}

Result<std::unique_ptr<CurlSession>> CurlSession::open(const MailUrl& url,
                                                       const LoginSettings& login,
                                                       const std::string& secret,
                                                       const TlsSettings& tls,
                                                       const Patience& patience) {
  TRY(start_curl());
  std::unique_ptr<CurlSession> session(new CurlSession());
  if (session->easy_ == nullptr || session->multi_ == nullptr) {
    return curl_could_not_start("it makes no handle");
  }
  auto code = session->set_options(url, tls);
  if (code == CURLE_OK && !login.user.empty()) code = session->set_login(login, secret);
  if (code != CURLE_OK) {
    return hold(std::string("libcurl refused a setting: ") + ::curl_easy_strerror(code));
  }
  TRY(session->find_server(url, patience));
  ASSIGN_OR_RETURN(code, session->connect(patience));
  // libcurl goes on without a login where an SMTP server offers none that it could use. That
  // server would refuse each mail for good.
  const bool smtp = url.scheme.starts_with("smtp");
  if (code == CURLE_OK && smtp && !login.user.empty() && !session->welcome_) {
    return hold("it offers no login of the kind that is set", "see login, and STARTTLS");
  }
  if (code == CURLE_OK) return session;
  auto error = session->error_of(code);
  // The server may repeat what it was told.
  if (!secret.empty() && error.what.find(secret) != std::string::npos) {
    session->last_words_.clear();
    session->error_text_[0] = '\0';
    error = session->error_of(code);
  }
  return failure(std::move(error));
}

CURLcode CurlSession::set_options(const MailUrl& url, const TlsSettings& tls) {
  CurlOptions options(easy_);
  set_common_options(options, tls.ca, tls.pins);
  const bool smtp = url.scheme.starts_with("smtp");
  const auto address = server_name(url) + "/" + (smtp ? url.path : "");
  options.set(CURLOPT_URL, address.c_str());
  options.set(CURLOPT_PROTOCOLS_STR, url.scheme.c_str());
  options.set(CURLOPT_CONNECT_ONLY, 1L);
  options.set(CURLOPT_ERRORBUFFER, error_text_);
  options.set(CURLOPT_VERBOSE, 1L);
  options.set(CURLOPT_DEBUGFUNCTION, &CurlSession::on_debug);
  options.set(CURLOPT_DEBUGDATA, this);
  // A scheme with TLS from the first octet needs no STARTTLS, and the option does no harm there.
  options.set(CURLOPT_USE_SSL, static_cast<long>(tls.required ? CURLUSESSL_ALL : CURLUSESSL_NONE));
  return options.first();
}

CURLcode CurlSession::set_login(const LoginSettings& login, const std::string& secret) {
  CurlOptions options(easy_);
  options.set(CURLOPT_USERNAME, login.user.c_str());
  if (login.token_command.empty()) {
    options.set(CURLOPT_PASSWORD, secret.c_str());
  } else {
    options.set(CURLOPT_XOAUTH2_BEARER, secret.c_str());
  }
  if (const char* words = login_options(login.mechanism)) {
    // A token makes libcurl 7.88 want OAUTHBEARER and XOAUTH2 whatever LOGIN_OPTIONS says, unless
    // this has its default.
    options.set(CURLOPT_HTTPAUTH, static_cast<long>(CURLAUTH_BASIC));
    options.set(CURLOPT_LOGIN_OPTIONS, words);
  }
  return options.first();
}

Result<void> CurlSession::find_server(const MailUrl& url, const Patience& patience) {
  ASSIGN_OR_RETURN(addresses_, curl_addresses(url.host, url.port, patience));
  if (addresses_ == nullptr) return {};
  const auto code = ::curl_easy_setopt(easy_, CURLOPT_RESOLVE, addresses_.get());
  if (code != CURLE_OK) return curl_could_not_start(::curl_easy_strerror(code));
  return {};
}

Result<CURLcode> CurlSession::connect(const Patience& patience) {
  // A multi handle, since a stop must interrupt it.
  if (const auto code = ::curl_multi_add_handle(multi_, easy_); code != CURLM_OK) {
    return curl_could_not_start(::curl_multi_strerror(code));
  }
  for (;;) {
    int running = 0, queued = 0;
    if (const auto code = ::curl_multi_perform(multi_, &running); code != CURLM_OK) {
      return retry(std::string("libcurl gave up: ") + ::curl_multi_strerror(code));
    }
    if (const auto* message = ::curl_multi_info_read(multi_, &queued)) return message->data.result;
    if (const auto end = patience.over()) {
      if (*end == Patience::End::late) return CURLE_OPERATION_TIMEDOUT;
      return retry("a stop was requested");
    }
    TRY(wait_for_curl(multi_, patience.left(), patience));
  }
}

Error CurlSession::error_of(CURLcode code) const {
  auto error = curl_error(code, error_text_, kDiagnoses);
  if (!last_words_.empty()) error.what += "; its last words: " + printable(last_words_, kMaxWords);
  return error;
}

void CurlSession::listen(std::string_view line) {
  while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
  // A challenge is nothing that a person could read.
  if (line.size() < 2 || line.starts_with('+') || line.starts_with("334")) return;
  welcome_ |= line.starts_with("235");  // RFC 4954 4
  last_words_ = without_long_words(line.substr(0, kMaxWords));
}

int CurlSession::on_debug(CURL* /*handle*/, curl_infotype type, char* data, std::size_t size,
                          void* self) {
  if (type == CURLINFO_HEADER_IN) {
    static_cast<CurlSession*>(self)->listen(std::string_view(data, size));
  }
  return 0;
}

CurlSession::Moved CurlSession::send(std::string_view octets) {
  std::size_t count = 0;
  const auto code = ::curl_easy_send(easy_, octets.data(), octets.size(), &count);
  return {code, count};
}

CurlSession::Moved CurlSession::receive(std::span<char> target) {
  std::size_t count = 0;
  const auto code = ::curl_easy_recv(easy_, target.data(), target.size(), &count);
  return {code, count};
}

int CurlSession::socket() const {
  curl_socket_t socket = -1;
  return ::curl_easy_getinfo(easy_, CURLINFO_ACTIVESOCKET, &socket) == CURLE_OK ? socket : -1;
}

}  // namespace cmpost
