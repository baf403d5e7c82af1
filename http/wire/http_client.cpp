#include "http/wire/http_client.h"

#include <algorithm>
#include <cstring>

#include "base/free_with.h"
#include "base/secret_line.h"
#include "net/curl.h"

namespace cmpost {

using EasyPtr = std::unique_ptr<CURL, FreeWith<curl_easy_cleanup>>;
using MultiPtr = std::unique_ptr<CURLM, FreeWith<curl_multi_cleanup>>;

// What is read anew for each group.
struct HttpClient::Prepared {
  CurlListPtr addresses;
  std::string password;
};

namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMostHeader = std::size_t{64} << 10U;
// Servers close what is idle for a minute, many sooner: what we close before meets no race.
constexpr long kIdleSeconds = 15;
constexpr Duration kLongestRetryAfter = 6h;  // newer libcurl does not tell of more

long millis_of(Duration duration) {
  return static_cast<long>(std::chrono::ceil<std::chrono::milliseconds>(duration).count());
}

Result<HttpClient::Prepared> prepare_for(const HttpSettings& settings, const Patience& patience) {
  HttpClient::Prepared prepared;
  if (const auto& file = settings.tls.key_password_file; !file.empty()) {
    ASSIGN_OR_RETURN(prepared.password, read_secret_line(file));
  }
  ASSIGN_OR_RETURN(prepared.addresses,
                   curl_addresses(settings.url.host, settings.url.port, patience));
  return prepared;
}

void set_server(CurlOptions& options, const HttpSettings& settings) {
  const auto& tls = settings.tls;
  set_common_options(options, tls.ca, tls.pins);
  options.set(CURLOPT_URL, to_string(settings.url).c_str());
  options.set(CURLOPT_PATH_AS_IS, 1L);
  options.set(CURLOPT_PROTOCOLS_STR, settings.url.tls ? "https" : "http");
  options.set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  options.set(CURLOPT_FOLLOWLOCATION, 0L);
  options.set(CURLOPT_CONNECTTIMEOUT_MS, millis_of(settings.connect_limit));
  options.set(CURLOPT_TIMEOUT_MS, millis_of(settings.time_limit));
  if (tls.certificate.empty()) return;
  options.set(CURLOPT_SSLCERT, tls.certificate.c_str());
  options.set(CURLOPT_SSLKEY, tls.key.c_str());
}

void set_prepared(CurlOptions& options, const HttpClient::Prepared& prepared) {
  options.set(CURLOPT_RESOLVE, prepared.addresses.get());
  // Without one, even an empty one, OpenSSL would ask at the terminal.
  options.set(CURLOPT_KEYPASSWD, prepared.password.c_str());
}

Result<void> accepted(const CurlOptions& options) {
  if (options.first() == CURLE_OK) return {};
  return hold(std::string("libcurl refused a setting: ") + ::curl_easy_strerror(options.first()));
}

}  // namespace

// One connection's worth: a message on its way, or none.
class HttpClient::Transfer {
 public:
  explicit Transfer(std::size_t max_answer) : max_answer_(max_answer) {}
  Transfer(const Transfer&) = delete;

  Result<void> open(const HttpSettings& settings, curl_slist* fields) {
    easy_.reset(::curl_easy_init());
    if (easy_ == nullptr) return curl_could_not_start("it makes no handle");
    CurlOptions options(easy_.get());
    set_server(options, settings);
    options.set(CURLOPT_PRIVATE, this);
    options.set(CURLOPT_ERRORBUFFER, error_text_);
    options.set(CURLOPT_POST, 1L);
    options.set(CURLOPT_HTTPHEADER, fields);
    options.set(CURLOPT_MAXAGE_CONN, kIdleSeconds);
    options.set(CURLOPT_MAXFILESIZE_LARGE, static_cast<curl_off_t>(max_answer_));
    options.set(CURLOPT_READFUNCTION, &Transfer::on_read);
    options.set(CURLOPT_READDATA, this);
    options.set(CURLOPT_WRITEFUNCTION, &Transfer::on_body);
    options.set(CURLOPT_WRITEDATA, this);
    options.set(CURLOPT_HEADERFUNCTION, &Transfer::on_header);
    options.set(CURLOPT_HEADERDATA, this);
    // libcurl sends again what got no answer on a kept connection, if only it can go back to the
    // beginning of the message.
    if (settings.on_unknown == OnUnknown::repeat) {
      options.set(CURLOPT_SEEKFUNCTION, &Transfer::on_seek);
      options.set(CURLOPT_SEEKDATA, this);
    }
    return accepted(options);
  }

  Result<void> begin(std::size_t tag, ByteView message, const Prepared& prepared) {
    tag_ = tag;
    message_ = message;
    read_ = header_ = 0;
    asked_ = too_large_ = header_too_large_ = false;
    body_.clear();
    error_text_[0] = '\0';
    CurlOptions options(easy_.get());
    set_prepared(options, prepared);
    options.set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(message.size()));
    TRY(accepted(options));
    busy_ = true;
    return {};
  }

  CURL* easy() const { return easy_.get(); }
  std::size_t tag() const { return tag_; }
  bool busy() const { return busy_; }
  void end() { busy_ = false; }

  HttpOutcome outcome(CURLcode code) {
    if (code == CURLE_FILESIZE_EXCEEDED) too_large_ = true;
    if (code == CURLE_OK) return {HttpOutcome::What::answered, answer(std::move(body_)), {}};
    if (too_large_) return {HttpOutcome::What::too_large, answer({}), {}};
    const auto what = asked_ ? HttpOutcome::What::unknown : HttpOutcome::What::not_sent;
    auto error = header_too_large_
                     ? Error{Recovery::retry, "its header fields have more than 64 KiB", {}}
                     : curl_error(code, error_text_);
    return {what, {}, std::move(error)};
  }
  HttpOutcome given_up(const std::string& why) const {
    const auto what = asked_ ? HttpOutcome::What::unknown : HttpOutcome::What::not_sent;
    return {what, {}, Error{Recovery::retry, why, {}}};
  }

 private:
  HttpAnswer answer(Bytes body) const {
    HttpAnswer answer;
    long status = 0;
    const char* text = nullptr;
    curl_off_t seconds = 0;
    ::curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
    answer.status = static_cast<int>(status);
    answer.body = std::move(body);
    ::curl_easy_getinfo(easy_.get(), CURLINFO_CONTENT_TYPE, &text);
    if (text != nullptr) answer.content_type = text;
    text = nullptr;
    ::curl_easy_getinfo(easy_.get(), CURLINFO_REDIRECT_URL, &text);
    if (text != nullptr) answer.location = text;
    ::curl_easy_getinfo(easy_.get(), CURLINFO_RETRY_AFTER, &seconds);
    if (seconds > 0) {
      const auto most = std::chrono::ceil<std::chrono::seconds>(kLongestRetryAfter).count();
      answer.retry_after = std::chrono::seconds(std::min<curl_off_t>(seconds, most));
    }
    return answer;
  }

  static std::size_t on_read(char* target, std::size_t size, std::size_t count, void* self) {
    auto& transfer = *static_cast<Transfer*>(self);
    // From here on nobody can say any more that nothing has left.
    transfer.asked_ = true;
    const auto rest = transfer.message_.subspan(transfer.read_);
    const auto octets = std::min(rest.size(), size * count);
    if (octets > 0) std::memcpy(target, rest.data(), octets);
    transfer.read_ += octets;
    return octets;
  }
  static int on_seek(void* self, curl_off_t offset, int origin) {
    auto& transfer = *static_cast<Transfer*>(self);
    if (origin != SEEK_SET || offset < 0 ||
        static_cast<std::size_t>(offset) > transfer.message_.size()) {
      return CURL_SEEKFUNC_CANTSEEK;
    }
    transfer.read_ = static_cast<std::size_t>(offset);
    return CURL_SEEKFUNC_OK;
  }
  static std::size_t on_body(char* octets, std::size_t size, std::size_t count, void* self) {
    auto& transfer = *static_cast<Transfer*>(self);
    const auto length = size * count;
    if (length > transfer.max_answer_ - transfer.body_.size()) {
      transfer.too_large_ = true;
      return 0;
    }
    append(transfer.body_, view_of(std::string_view(octets, length)));
    return length;
  }
  static std::size_t on_header(char*, std::size_t size, std::size_t count, void* self) {
    auto& transfer = *static_cast<Transfer*>(self);
    transfer.header_ += size * count;
    if (transfer.header_ <= kMostHeader) return size * count;
    transfer.header_too_large_ = true;
    return 0;
  }

  const std::size_t max_answer_;
  std::size_t tag_ = 0;
  ByteView message_;
  std::size_t read_ = 0, header_ = 0;
  bool busy_ = false;
  bool asked_ = false;  // libcurl has got some of the message
  bool too_large_ = false, header_too_large_ = false;
  Bytes body_;
  char error_text_[CURL_ERROR_SIZE] = {};
  EasyPtr easy_;
};

struct HttpClient::Handles {
  CurlListPtr fields;
  Prepared prepared;
  std::vector<std::unique_ptr<Transfer>> transfers;
  MultiPtr multi;  // first to go: it closes the connections

  ~Handles() {
    for (const auto& transfer : transfers) {
      if (transfer->busy()) ::curl_multi_remove_handle(multi.get(), transfer->easy());
    }
  }
};

HttpClient::HttpClient(const HttpSettings& settings, std::size_t max_answer)
    : settings_(settings), max_answer_(max_answer), handles_(std::make_unique<Handles>()) {}

HttpClient::~HttpClient() = default;

Result<void> HttpClient::prepare(const std::stop_token& stop) {
  TRY(start_curl());
  auto& handles = *handles_;
  if (handles.multi == nullptr) {
    handles.multi.reset(::curl_multi_init());
    if (handles.multi == nullptr) return curl_could_not_start("it makes no handle");
    ::curl_multi_setopt(handles.multi.get(), CURLMOPT_MAXCONNECTS,
                        static_cast<long>(settings_.sessions));
  }
  if (handles.fields == nullptr) {
    // The last one takes libcurl's own away: it would wait for a word before it sends the message.
    for (const auto* field : {"Content-Type: application/pkixcmp", "Accept: application/pkixcmp",
                              "User-Agent: cmpost", "Expect:"}) {
      auto* longer = ::curl_slist_append(handles.fields.get(), field);
      if (longer == nullptr) return curl_could_not_start("no memory");
      (void)handles.fields.release();
      handles.fields.reset(longer);
    }
  }
  const Patience patience(settings_.connect_limit, stop);
  ASSIGN_OR_RETURN(handles.prepared, prepare_for(settings_, patience));
  return {};
}

std::size_t HttpClient::under_way() const {
  return static_cast<std::size_t>(std::ranges::count_if(
      handles_->transfers, [](const auto& transfer) { return transfer->busy(); }));
}

std::size_t HttpClient::free() const { return settings_.sessions - under_way(); }

Result<void> HttpClient::add_transfer() {
  auto transfer = std::make_unique<Transfer>(max_answer_);
  TRY(transfer->open(settings_, handles_->fields.get()));
  handles_->transfers.push_back(std::move(transfer));
  return {};
}

Result<void> HttpClient::start(std::size_t tag, ByteView message) {
  auto& transfers = handles_->transfers;
  const auto idle = [](const auto& transfer) { return !transfer->busy(); };
  if (std::ranges::none_of(transfers, idle)) TRY(add_transfer());
  auto& transfer = **std::ranges::find_if(transfers, idle);
  TRY(transfer.begin(tag, message, handles_->prepared));
  const auto code = ::curl_multi_add_handle(handles_->multi.get(), transfer.easy());
  if (code == CURLM_OK) return {};
  transfer.end();
  return curl_could_not_start(::curl_multi_strerror(code));
}

std::vector<HttpClient::Finished> HttpClient::finished() {
  std::vector<Finished> all;
  int queued = 0;
  while (const auto* message = ::curl_multi_info_read(handles_->multi.get(), &queued)) {
    if (message->msg != CURLMSG_DONE) continue;
    auto* const easy = message->easy_handle;
    const auto code = message->data.result;
    Transfer* transfer = nullptr;
    ::curl_easy_getinfo(easy, CURLINFO_PRIVATE, &transfer);
    all.push_back({transfer->tag(), transfer->outcome(code)});
    ::curl_multi_remove_handle(handles_->multi.get(), easy);
    transfer->end();
  }
  return all;
}

Result<std::vector<HttpClient::Finished>> HttpClient::wait(const Patience& patience) {
  for (;;) {
    int running = 0;
    if (const auto code = ::curl_multi_perform(handles_->multi.get(), &running); code != CURLM_OK) {
      return retry(std::string("libcurl gave up: ") + ::curl_multi_strerror(code));
    }
    auto all = finished();
    if (!all.empty() || under_way() == 0 || patience.over()) return all;
    TRY(wait_for_curl(handles_->multi.get(), patience.left(), patience));
  }
}

std::vector<HttpClient::Finished> HttpClient::abandon(const std::string& why) {
  std::vector<Finished> all;
  for (const auto& transfer : handles_->transfers) {
    if (!transfer->busy()) continue;
    all.push_back({transfer->tag(), transfer->given_up(why)});
    ::curl_multi_remove_handle(handles_->multi.get(), transfer->easy());
    transfer->end();
  }
  return all;
}

Result<void> connect_by_http(const HttpSettings& settings) {
  TRY(start_curl());
  const EasyPtr easy(::curl_easy_init());
  if (easy == nullptr) return curl_could_not_start("it makes no handle");
  ASSIGN_OR_RETURN(const auto prepared,
                   prepare_for(settings, Patience(settings.connect_limit, {})));
  char error_text[CURL_ERROR_SIZE] = {};
  CurlOptions options(easy.get());
  set_server(options, settings);
  set_prepared(options, prepared);
  options.set(CURLOPT_CONNECT_ONLY, 1L);
  options.set(CURLOPT_ERRORBUFFER, error_text);
  TRY(accepted(options));
  const auto code = ::curl_easy_perform(easy.get());
  if (code != CURLE_OK) return failure(curl_error(code, error_text));
  return {};
}

}  // namespace cmpost
