// The contract of every Egress, on an HTTP server.
#include "http/http_egress.h"
#include "tests/http/scripted_http_server.h"
#include "tests/support/egress_contract.h"

namespace cmpost {
namespace {

template <OnUnknown rule>
class HttpSite {
 public:
  explicit HttpSite(EgressSurroundings& around) : around_(around) {
    around.settings.direction = Direction::upstream;
    around.settings.transport = HttpSettings{};
    auto& http = *around.settings.http();
    http.url = {false, "127.0.0.1", server_.port(), "/"};
    http.time_limit = std::chrono::seconds(20);
    http.on_unknown = rule;
  }
  std::unique_ptr<Egress> make() {
    const HttpEgress::Queues queues{requests_, around_.queue};
    return std::make_unique<HttpEgress>(around_.settings, queues, around_.clock, steady_);
  }
  std::string address() const { return {}; }
  // By what was answered: a peer that gets the same octets again knows them.
  std::multiset<std::string> arrived() {
    std::set<std::string> different;
    const auto jobs = requests_.list({.state = {}, .channel = {}}).value();
    for (const auto& body : server_.bodies()) {
      if (refused_ && body == text_of(refused_->job.payload)) continue;
      for (const auto& job : jobs) {
        if (text_of(requests_.payload(job.id).value()) == answer_for(body)) different.insert(body);
      }
    }
    return {different.begin(), different.end()};
  }
  void go_away() { server_.close(); }
  void come_back() {
    server_.open();
    server_.answer(cmp_answer);
  }
  void refuse(const Lease& lease) {
    refused_ = lease;
    server_.answer([lease](const HttpRequest& request) {
      const bool refused = request.body == text_of(lease.job.payload);
      return refused ? http_answer("400 Bad Request", "", "") : cmp_answer(request);
    });
  }

 protected:
  EgressSurroundings& around_;
  ScriptedHttpServer server_;
  FakeClock steady_;
  FakeJobQueue requests_{steady_};
  std::optional<Lease> refused_;
};

class RepeatingSite : public HttpSite<OnUnknown::repeat> {
 public:
  using HttpSite::HttpSite;
  void cut() {
    server_.answer([](const HttpRequest&) { return HttpReaction{"", true}; });
  }
};

INSTANTIATE_TYPED_TEST_SUITE_P(Http, EgressContract, RepeatingSite);

// A cut is for a person there (http_egress_test.cpp).
using NeverTwiceSite = HttpSite<OnUnknown::hold>;
INSTANTIATE_TYPED_TEST_SUITE_P(HttpNeverTwice, EgressContract, NeverTwiceSite);

}  // namespace
}  // namespace cmpost
