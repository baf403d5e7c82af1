// Writes N prepared requests as files 000001.pki ..., for the crash test and the measurements.
//
//   make_requests DIR N signature DEVICES        also writes DIR/vendor.pem, their trust anchor
//   make_requests DIR N mac REFERENCE SECRET
//   make_requests DIR N fleet FILE               FILE has N lines "name secret key": a request of
//   each
//                                                device as NAME.pki; a word for its key, lines with
//                                                the same one share it
//   make_requests DIR N nested DEVICES           one file with a batch of N, and DIR/ra.pem
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/files.h"
#include "request_factory.h"

namespace cmpost {
namespace {

// Prepared work may be lost with the machine: no sync, unlike base/files.h.
void write_plainly(const std::string& path, ByteView contents) {
  std::FILE* const file = std::fopen(path.c_str(), "wb");
  CHECK(file != nullptr);
  CHECK(std::fwrite(contents.data(), 1, contents.size(), file) == contents.size());
  CHECK(std::fclose(file) == 0);
}

std::string file_name(std::size_t number) {
  const auto digits = std::to_string(number);
  return std::string(digits.size() < 6 ? 6 - digits.size() : 0, '0') + digits + ".pki";
}

Result<void> write_requests(const std::string& directory, std::size_t count,
                            const std::function<Result<Bytes>(std::size_t)>& make) {
  for (std::size_t i = 0; i < count; ++i) {
    ASSIGN_OR_RETURN(const Bytes request, make(i));
    write_plainly(directory + "/" + file_name(i + 1), request);
  }
  return {};
}

Result<void> write_signed(const std::string& directory, std::size_t count, std::size_t devices) {
  SystemRandom random;
  const Time now = SystemClock().now();
  ASSIGN_OR_RETURN(const Vendor vendor, Vendor::create(devices, random, now));
  write_plainly(directory + "/vendor.pem", view_of(vendor.root().to_pem()));
  return write_requests(directory, count, [&](std::size_t i) {
    return make_signed_request(vendor.device(i), random, now);
  });
}

Result<void> write_nested(const std::string& directory, std::size_t count, std::size_t devices) {
  SystemRandom random;
  const Time now = SystemClock().now();
  ASSIGN_OR_RETURN(const Vendor vendor, Vendor::create(devices, random, now));
  ASSIGN_OR_RETURN(const Vendor ras, Vendor::create(1, random, now, "CN=RA Root,O=Fleet"));
  write_plainly(directory + "/vendor.pem", view_of(vendor.root().to_pem()));
  write_plainly(directory + "/ra.pem", view_of(ras.device(0).certificate.to_pem()));
  std::vector<Bytes> members;
  for (std::size_t i = 0; i < count; ++i) {
    ASSIGN_OR_RETURN(auto member, make_signed_request(vendor.device(i), random, now));
    members.push_back(std::move(member));
  }
  ASSIGN_OR_RETURN(const Bytes batch, make_batch(std::move(members), ras.device(0), random, now));
  write_plainly(directory + "/" + file_name(1), batch);
  return {};
}

Result<void> write_mac(const std::string& directory, std::size_t count,
                       const SharedSecret& secret) {
  SystemRandom random;
  const Time now = SystemClock().now();
  return write_requests(directory, count, [&](std::size_t i) -> Result<Bytes> {
    ASSIGN_OR_RETURN(const Name subject,
                     Name::from_text("CN=device-" + std::to_string(i) + ",O=Fleet"));
    return make_mac_request(secret, subject, random, now);
  });
}

Result<void> write_fleet(const std::string& directory, std::size_t count, const std::string& list) {
  SystemRandom random;
  const Time now = SystemClock().now();
  std::ifstream lines(list);
  std::map<std::string, PrivateKey> keys;
  std::string name, secret, word;
  for (; count > 0 && lines >> name >> secret >> word; --count) {
    auto found = keys.find(word);
    if (found == keys.end()) {
      ASSIGN_OR_RETURN(auto key, PrivateKey::generate("ec:P-256"));
      found = keys.emplace(word, std::move(key)).first;
    }
    ASSIGN_OR_RETURN(const Name subject, Name::from_text("CN=" + name));
    ASSIGN_OR_RETURN(const Bytes request,
                     make_mac_request({name, secret}, subject, found->second, random, now));
    write_plainly(directory + "/" + name + ".pki", request);
  }
  if (count > 0) return hold(list + " has too few lines");
  return {};
}

Result<void> run(const std::vector<std::string>& words) {
  const std::string& directory = words[0];
  const std::size_t count = std::strtoul(words[1].c_str(), nullptr, 10);
  TRY(make_directories(directory));
  if (words.size() == 4 && words[2] == "signature") {
    return write_signed(directory, count, std::strtoul(words[3].c_str(), nullptr, 10));
  }
  if (words.size() == 4 && words[2] == "nested") {
    return write_nested(directory, count, std::strtoul(words[3].c_str(), nullptr, 10));
  }
  if (words.size() == 4 && words[2] == "fleet") return write_fleet(directory, count, words[3]);
  if (words.size() == 5 && words[2] == "mac") {
    return write_mac(directory, count, {words[3], words[4]});
  }
  return hold(
      "usage: make_requests DIR N signature DEVICES | mac REFERENCE SECRET | nested DEVICES | "
      "fleet "
      "FILE");
}

}  // namespace
}  // namespace cmpost

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  const auto done = words.size() < 4 ? cmpost::hold("too few arguments; see the file's head")
                                     : cmpost::run(words);
  if (done) return 0;
  std::fprintf(stderr, "make_requests: %s\n", cmpost::to_string(done.error()).c_str());
  return 1;
}
