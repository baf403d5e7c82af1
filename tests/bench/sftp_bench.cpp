// How many files a second come in over SFTP, and how many answers go out: one channel, a real
// spool, no processor. tests/bench/sftp_bench.py brings the server.
//
//   sftp_bench in|out URL KEY KNOWN_HOSTS SESSIONS COUNT DIRECTORY
//
// `in` takes what lies below URL; `out` puts COUNT answers there. The spool is made in DIRECTORY.
#include <cstdio>
#include <cstdlib>
#include <string>

#include "base/log.h"
#include "queue/spool.h"
#include "sftp/sftp_egress.h"
#include "sftp/sftp_ingress.h"

using namespace cmpost;

namespace {

SftpUrl url_of(const std::string& text) {
  // sftp://USER@HOST:PORT/PATH, as sftp_bench.py writes it
  const auto user = text.find("//") + 2, at = text.find('@'), colon = text.find(':', at);
  const auto slash = text.find('/', colon);
  return {text.substr(user, at - user), text.substr(at + 1, colon - at - 1),
          std::stoi(text.substr(colon + 1)), text.substr(slash)};
}

void check(bool well, const std::string& what) {
  if (well) return;
  std::fprintf(stderr, "sftp_bench: %s\n", what.c_str());
  std::exit(1);
}

std::size_t take_in(const ChannelSettings& settings, Spool& spool) {
  const SystemClock wall;
  const SteadyClock steady;
  SftpIngress ingress(settings, spool.requests(), wall, steady);
  const auto intake = ingress.poll({});
  check(intake.has_value(), intake ? "" : intake.error().what);
  return intake->deposited;
}

std::size_t send_out(const ChannelSettings& settings, std::size_t count) {
  const SteadyClock steady;
  SftpEgress egress(settings, steady);
  std::size_t sent = 0;
  for (std::size_t begin = 0; begin < count; begin += egress.group()) {
    std::vector<Lease> leases;
    for (auto i = begin; i < std::min(count, begin + egress.group()); ++i) {
      Lease lease;
      const auto stem = "answer" + std::to_string(i);
      lease.job.id = make_job_id({view_of(stem)});
      lease.job.envelope.reply.name = stem;
      lease.job.envelope.body = "ip";
      lease.job.payload = Bytes(1500, 'x');
      leases.push_back(std::move(lease));
    }
    const auto deliveries = egress.send(leases, {});
    check(!deliveries.trouble, deliveries.trouble ? deliveries.trouble->what : "");
    sent += deliveries.each.size();
  }
  return sent;
}

}  // namespace

int main(int argc, char** argv) {
  check(argc == 8, "see the head of its source");
  log::configure({.level = log::Level::error});
  ChannelSettings settings;
  settings.name = "bench";
  settings.transport = SftpSettings{};
  auto& sftp = *settings.sftp();
  sftp.fetch = sftp.send = url_of(argv[2]);
  sftp.login.key_file = argv[3];
  sftp.known_hosts = argv[4];
  sftp.sessions = std::stoul(argv[5]);
  // What `stable` waits for is no speed: the files have been there for long enough.
  sftp.settle = Duration::zero();
  const SystemClock clock;
  auto spool = open_spool({"sqlite:spool.db", argv[7]}, clock);
  check(spool.has_value(), spool ? "" : spool.error().what);
  const auto begin = std::chrono::steady_clock::now();
  const auto count = std::string(argv[1]) == "in" ? take_in(settings, **spool)
                                                  : send_out(settings, std::stoul(argv[6]));
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  std::printf("%zu %.3f\n", count, took.count());
}
