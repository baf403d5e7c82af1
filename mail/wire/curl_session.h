// libcurl's part of a connection: from the name of a server to a stream that is logged in. Only
// connection.cpp needs this.
#pragma once

#include <memory>
#include <span>

#include "config/transport/mail_settings.h"
#include "net/curl.h"
#include "net/patience.h"

namespace cmpost {

class CurlSession {
 public:
  // As MailConnection::open(); `secret` is the password or the token.
  static Result<std::unique_ptr<CurlSession>> open(const MailUrl& url, const LoginSettings& login,
                                                   const std::string& secret,
                                                   const TlsSettings& tls,
                                                   const Patience& patience);
  CurlSession(const CurlSession&) = delete;
  CurlSession& operator=(const CurlSession&) = delete;
  ~CurlSession();

  // How many octets were moved; CURLE_AGAIN when none can be now. Zero received: the end.
  struct Moved {
    CURLcode code;
    std::size_t octets;
  };
  Moved send(std::string_view octets);
  Moved receive(std::span<char> target);
  int socket() const;

 private:
  CurlSession();

  CURLcode set_options(const MailUrl& url, const TlsSettings& tls);
  CURLcode set_login(const LoginSettings& login, const std::string& secret);
  Result<void> find_server(const MailUrl& url, const Patience& patience);
  Result<CURLcode> connect(const Patience& patience);
  Error error_of(CURLcode code) const;
  void listen(std::string_view line);
  static int on_debug(CURL* handle, curl_infotype type, char* data, std::size_t size, void* self);

  CurlListPtr addresses_;  // outlives easy_
  CURL* easy_;
  CURLM* multi_;
  char error_text_[CURL_ERROR_SIZE] = {};
  std::string last_words_;  // of the server, bounded
  bool welcome_ = false;    // SMTP: the server has said 235
};

// "imaps://mail.example:993"
std::string server_name(const MailUrl& url);

}  // namespace cmpost
