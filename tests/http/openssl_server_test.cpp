// The mock server of `openssl cmp`, asked by a whole dispatcher.
#include <thread>

#include "http/http_egress.h"
#include "outbox/dispatcher.h"
#include "queue/spool.h"
#include "tests/http/child_process.h"
#include "tests/http/scripted_http_server.h"
#include "tests/support/temporary_directory.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

// A port that was free a moment ago.
int free_port() { return ScriptedHttpServer().port(); }

class OpensslServer : public ::testing::Test {
 protected:
  void SetUp() override {
    log::configure({.level = log::Level::error});
    ASSERT_EQ(run_command({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                           "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=issued", "-days", "2",
                           "-keyout", file("key.pem"), "-out", file("issued.pem")}),
              0);
    ASSERT_EQ(run_command({"openssl", "x509", "-in", file("issued.pem"), "-outform", "DER", "-out",
                           file("issued.der")}),
              0);
  }
  std::string file(const std::string& name) const { return directory_ / name; }
  std::string contents(const std::string& name) const {
    return std::string(text_of(read_file(file(name), 1 << 20).value()));
  }

  // The client writes its request, and is content with no answer.
  Job request() {
    run_command({"openssl",
                 "cmp",
                 "-config",
                 "",
                 "-cmd",
                 "ir",
                 "-newkey",
                 file("key.pem"),
                 "-subject",
                 "/CN=dev",
                 "-recipient",
                 "/CN=CA",
                 "-ref",
                 "ra",
                 "-secret",
                 "pass:secret",
                 "-implicit_confirm",
                 "-certout",
                 file("unused.pem"),
                 "-rspin",
                 "/dev/null",
                 "-reqout",
                 file("ir.der")});
    Job job;
    job.payload = to_bytes(contents("ir.der"));
    job.id = make_job_id({job.payload});
    job.envelope.reply.channel = "above";
    job.envelope.body = "ir";
    return job;
  }

  ChannelSettings settings(int port) {
    ChannelSettings settings;
    settings.name = "above";
    settings.state = file("state");
    settings.direction = Direction::upstream;
    settings.transport = HttpSettings{};
    settings.http()->url = {false, "localhost", port, "/pkix/"};
    return settings;
  }

  TemporaryDirectory directory_;
};

TEST_F(OpensslServer, GetsARequestAndItsAnswerComesIntoTheQueue) {
  const int port = free_port();
  const ChildProcess server(
      {"openssl", "cmp", "-config", "", "-port", std::to_string(port), "-srv_ref", "ra",
       "-srv_secret", "pass:secret", "-rsp_cert", file("issued.pem")},
      file("server.log"));
  const SystemClock clock;
  SystemRandom random;
  const auto spool = open_spool({"sqlite:spool.db", directory_.path()}, clock).value();
  ASSERT_THAT(spool->replies().put(std::vector{request()}), IsOk());
  WayBook ways(file("state"), clock);
  const auto above = settings(port);
  for (int i = 0; i < 1000 && !connect_by_http(*above.http()); ++i) {
    std::this_thread::sleep_for(20ms);
  }
  HttpEgress egress(above, {spool->requests(), spool->replies()}, clock, clock);
  Dispatcher dispatcher(spool->replies(), {&egress}, clock, clock, random, ways);
  const auto sent = send_all(dispatcher, {});
  ASSERT_THAT(sent, IsOk());
  EXPECT_EQ(sent->sent, 1U) << contents("server.log");
  const auto leases = spool->requests().take(10).value();
  ASSERT_EQ(leases.size(), 1U);
  EXPECT_EQ(leases[0].job.envelope.channel, "above");
  EXPECT_THAT(std::string(text_of(leases[0].job.payload)), HasSubstr(contents("issued.der")));
}

}  // namespace
}  // namespace cmpost
