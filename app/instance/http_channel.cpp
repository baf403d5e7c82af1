#include "app/instance/http_channel.h"

#include "app/terminal/output.h"
#include "http/http_egress.h"
#include "http/http_ingress.h"
#include "http/wire/http_client.h"

namespace cmpost {

Result<std::unique_ptr<Ingress>> make_http_ingress(const Surroundings&,
                                                   const ChannelSettings& channel) {
  return std::make_unique<HttpIngress>(channel.name);
}

Result<std::unique_ptr<Egress>> make_http_egress(const Surroundings& around,
                                                 const ChannelSettings& channel) {
  const HttpEgress::Queues queues{around.spool.requests(), around.spool.replies()};
  return std::make_unique<HttpEgress>(channel, queues, around.instance.sure_clock(), around.steady);
}

std::string http_host(const ChannelSettings& channel, Way) { return channel.http()->url.host; }

Result<void> log_in_by_http(const ChannelSettings& channel) {
  const auto& http = *channel.http();
  auto connected = connect_by_http(http);
  if (!connected) return failure(std::move(connected).error().within(to_string(http.url)));
  return {};
}

Result<std::string> connect_for_a_test(Instance&, const ChannelSettings& channel) {
  const SteadyClock clock;
  const auto start = clock.now();
  TRY(log_in_by_http(channel));
  const auto& url = channel.http()->url;
  return "a connection" + std::string(url.tls ? " with TLS" : "") + " to " + url.host +
         " was made within " + in_words(clock.now() - start) +
         "; nothing was asked, so that url may still have a wrong path";
}

}  // namespace cmpost
