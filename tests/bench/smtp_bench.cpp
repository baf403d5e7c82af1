// How fast answers become mails and are taken by a server, one connection:
//   tests/mail/fixtures/postfix.sh DIR 2525 2465 2424     (in another terminal, DIR is empty)
//   smtp_bench DIR smtps 2465 [MAILS]
#include <cstdio>
#include <cstdlib>
#include <string>

#include "base/files.h"
#include "mail/mail_egress.h"

namespace cmpost {
namespace {

constexpr std::size_t kOctets = 1500;

MailSettings bench_settings(const std::string& directory, const char* scheme, const char* port) {
  MailSettings settings;
  settings.send = {scheme, "127.0.0.1", std::atoi(port), "client.test"};
  settings.send_login.user = "ra@test";
  settings.send_login.password_file = directory + "/bench-password";
  settings.tls.ca = directory + "/ca.pem";
  settings.from = "ra@test";
  settings.domain = "test";
  return settings;
}

Lease bench_lease(std::size_t number) {
  const auto digits = std::to_string(number);
  Lease lease;
  lease.job.id = make_job_id({view_of(digits)});
  lease.job.envelope.reply = {"bench", "ee@test", "dev" + digits, "<1@site.test>", ""};
  lease.job.envelope.body = "ip";
  lease.job.payload = Bytes(kOctets, 0x30);
  lease.arrived = SystemClock().now();
  return lease;
}

int run(const std::string& directory, const char* scheme, const char* port, std::size_t count) {
  const auto settings = bench_settings(directory, scheme, port);
  if (!write_file(settings.send_login.password_file, view_of("secret\n"), 0600,
                  IfExists::replace)) {
    return 1;
  }
  std::vector<Lease> leases;
  for (std::size_t i = 0; i < count; ++i) leases.push_back(bench_lease(i));
  const SystemClock clock;
  MailEgress egress("bench", settings, "bench", Bytes(32, 1), clock);
  const auto start = std::chrono::steady_clock::now();
  const auto deliveries = egress.send(leases, {});
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  for (const auto& delivery : deliveries.each) {
    if (delivery.what == Delivery::What::sent) continue;
    std::fprintf(stderr, "%s\n", delivery.detail.c_str());
    return 1;
  }
  std::printf("%zu mails %.3f s %.0f mails/s\n", count, seconds.count(),
              static_cast<double>(count) / seconds.count());
  return 0;
}

}  // namespace
}  // namespace cmpost

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  return cmpost::run(argv[1], argv[2], argv[3],
                     argc > 4 ? static_cast<std::size_t>(std::atol(argv[4])) : 1000);
}
