// What a certificate costs the ledger, alone and behind many others:
//
//   ledger_bench DIRECTORY FILL GROUPS
//
// Brings the ledger in DIRECTORY up to FILL certificates, then writes GROUPS groups of 500 (a
// certificate and an audit record each, as the processor does) and looks up 2000 of all. Prints one
// `key=value` line; CPU is user and system time of this process.
#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "ca/issuer.h"
#include "ca/ledger/ledger.h"
#include "ca/profile/profile.h"
#include "tests/support/synthetic_certificates.h"

namespace cmpost {
namespace {

constexpr int kGroup = 500, kLookUps = 2000;

struct Moment {
  std::chrono::steady_clock::time_point wall = std::chrono::steady_clock::now();
  double cpu = 0;  // microseconds

  static Moment now() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto micros = [](const timeval& t) {
      return static_cast<double>(t.tv_sec) * 1e6 + static_cast<double>(t.tv_usec);
    };
    return {std::chrono::steady_clock::now(), micros(usage.ru_utime) + micros(usage.ru_stime)};
  }
};

struct Cost {
  double cpu = 0;   // microseconds each
  double wall = 0;  // microseconds each
  Cost(const Moment& from, const Moment& to, int count)
      : cpu((to.cpu - from.cpu) / count),
        wall(std::chrono::duration<double, std::micro>(to.wall - from.wall).count() / count) {}
};

Result<Certificate> make_model(Random& random, const Clock& clock) {
  ASSIGN_OR_RETURN(const PrivateKey key, PrivateKey::generate("ec:P-256"));
  ASSIGN_OR_RETURN(const Name subject, Name::from_text("CN=Model,OU=Meters,O=Grid Operator"));
  return make_root(key, subject, clock.now(), clock.now() + std::chrono::hours(24), random);
}

class Bench {
 public:
  Bench(Ledger& ledger, SyntheticCertificates& synthetic, const Clock& clock)
      : ledger_(ledger), synthetic_(synthetic), clock_(clock) {}

  Result<void> fill(std::int64_t target) {
    ASSIGN_OR_RETURN(const auto reader, ledger_.reader());
    while (true) {
      ASSIGN_OR_RETURN(const std::int64_t count, reader->count());
      if (count >= target) return {};
      TRY(write(make(static_cast<std::size_t>(std::min<std::int64_t>(10'000, target - count)))));
    }
  }

  Result<Cost> measure_writes(int groups) {
    Moment spent_making;
    double making_cpu = 0;
    const Moment begin = Moment::now();
    for (int i = 0; i < groups; ++i) {
      spent_making = Moment::now();
      const auto records = make(kGroup);
      making_cpu += Moment::now().cpu - spent_making.cpu;
      TRY(write(records));
    }
    Moment end = Moment::now();
    end.cpu -= making_cpu;
    return Cost(begin, end, groups * kGroup);
  }

  // Certificates from all over the ledger, in no order.
  template <typename LookUp>
  Result<Cost> measure_look_ups(LedgerReader& reader, LookUp&& look_up) {
    ASSIGN_OR_RETURN(const std::int64_t count, reader.count());
    std::vector<CertificateRecord> wanted;
    for (std::int64_t i = 0; i < kLookUps; ++i) {
      const auto keep = [&](const CertificateRecord& record) -> Result<void> {
        wanted.push_back(record);
        return {};
      };
      TRY(reader.for_each({.after_row = i * 7919 * 31 % count, .limit = 1}, keep));
    }
    const Moment begin = Moment::now();
    for (const auto& record : wanted) TRY(look_up(record));
    return Cost(begin, Moment::now(), kLookUps);
  }

 private:
  std::vector<CertificateRecord> make(std::size_t count) {
    std::vector<CertificateRecord> records;
    records.reserve(count);
    while (records.size() < count) records.push_back(synthetic_.next(clock_.now()));
    return records;
  }

  Result<void> write(const std::vector<CertificateRecord>& records) {
    return ledger_.write([&](LedgerWriter& writer) -> Result<void> {
      for (const auto& record : records) {
        TRY(writer.add(record));
        TRY(writer.audit("certificate.issued", R"({"tid":")" + record.tid + R"(","serial":")" +
                                                   to_hex(record.serial) + R"("})"));
      }
      return {};
    });
  }

  Ledger& ledger_;
  SyntheticCertificates& synthetic_;
  const Clock& clock_;
};

long peak_memory_mib() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss / 1024;
}

Result<void> run(const std::string& directory, std::int64_t fill, int groups) {
  SystemRandom random;
  const SystemClock clock;
  ASSIGN_OR_RETURN(const Certificate model, make_model(random, clock));
  SyntheticCertificates synthetic(model, random);
  ASSIGN_OR_RETURN(const auto ledger, Ledger::open("sqlite:ledger.db", directory, clock));
  Bench bench(*ledger, synthetic, clock);
  TRY(bench.fill(fill));
  ASSIGN_OR_RETURN(const Cost write, bench.measure_writes(groups));
  ASSIGN_OR_RETURN(const auto reader, ledger->reader());
  // The first look-up by key reads the filter.
  const Moment first = Moment::now();
  TRY(reader->with_key(Bytes{0}, clock.now()));
  const Cost filter(first, Moment::now(), 1);
  ASSIGN_OR_RETURN(const Cost absent, bench.measure_look_ups(*reader, [&](const auto& record) {
    return reader->with_key(record.serial, clock.now());
  }));
  ASSIGN_OR_RETURN(const Cost serial, bench.measure_look_ups(*reader, [&](const auto& record) {
    return reader->find(record.serial);
  }));
  ASSIGN_OR_RETURN(const Cost key, bench.measure_look_ups(*reader, [&](const auto& record) {
    return reader->with_key(Certificate::from_der(record.der)->spki(), clock.now());
  }));
  ASSIGN_OR_RETURN(const std::int64_t count, reader->count());
  std::printf(
      "certificates=%lld write_cpu_us=%.1f write_wall_us=%.1f find_serial_us=%.1f "
      "with_key_us=%.1f with_no_key_us=%.1f first_with_key_ms=%.1f peak_memory_mib=%ld\n",
      static_cast<long long>(count), write.cpu, write.wall, serial.cpu, key.cpu, absent.cpu,
      filter.wall / 1000, peak_memory_mib());
  return {};
}

}  // namespace
}  // namespace cmpost

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: ledger_bench DIRECTORY FILL GROUPS\n");
    return 64;
  }
  const auto done = cmpost::run(argv[1], std::atoll(argv[2]), std::atoi(argv[3]));
  if (done) return 0;
  std::fprintf(stderr, "ledger_bench: %s\n", cmpost::to_string(done.error()).c_str());
  return 1;
}
