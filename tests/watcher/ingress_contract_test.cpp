// The contract of every Ingress, on all that look at directories.
#include "tests/support/ingress_contract.h"

#include "carrier/batch_sender.h"
#include "tests/support/directory_tools.h"
#include "tests/support/fake_random.h"
#include "watcher/directory_ingress.h"
#include "watcher/media/media_ingress.h"
#include "watcher/media/one_way_ingress.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;

constexpr auto kNonsense = "no request";

std::string name_of(int number) { return "dev" + std::to_string(number) + ".pki"; }
std::string line_of(const std::string& contents, const std::string& name) {
  return to_hex(sha256(view_of(contents))) + "  " + name + "\n";
}

// A directory that is watched.
class DirectorySite {
 public:
  explicit DirectorySite(IngressSurroundings& around) : around_(around) {
    auto& settings = *around.settings.directory();
    settings.in = around.directory / "in";
    settings.settle = settle;
    settings.poll = settle;
    std::filesystem::create_directories(settings.in);
  }
  std::unique_ptr<Ingress> make() {
    return std::make_unique<DirectoryIngress>(around_.settings, around_.queue, around_.wall,
                                              around_.steady);
  }

  static constexpr Duration settle = 60min;  // nothing grows that old in a test

 protected:
  void put(const std::string& name, const std::string& contents) {
    write_and_rename(around_.settings.directory()->in, name, contents);
  }
  IngressSurroundings& around_;
};

template <ReadyRule rule>
class PlainSite : public DirectorySite {
 public:
  explicit PlainSite(IngressSurroundings& around) : DirectorySite(around) {
    around.settings.directory()->ready = rule;
  }
  void offer(int number) { put(name_of(number), contract_request(number)); }
  void offer_nonsense() { put("nonsense.pki", kNonsense); }
};
using RenameSite = PlainSite<ReadyRule::rename>;
using StableSite = PlainSite<ReadyRule::stable>;

class MarkerSite : public DirectorySite {
 public:
  explicit MarkerSite(IngressSurroundings& around) : DirectorySite(around) {
    around.settings.directory()->ready = ReadyRule::marker;
  }
  void offer(int number) { put_marked(name_of(number), contract_request(number)); }
  void offer_nonsense() { put_marked("nonsense.pki", kNonsense); }

 private:
  void put_marked(const std::string& name, const std::string& contents) {
    put(name, contents);
    put(name + ".done", to_hex(sha256(view_of(contents))));
  }
};

class ListSite : public DirectorySite {
 public:
  explicit ListSite(IngressSurroundings& around) : DirectorySite(around) {
    around.settings.directory()->ready = ReadyRule::manifest;
  }
  void offer(int number) { put_listed(name_of(number), contract_request(number)); }
  void offer_nonsense() { put_listed("nonsense.pki", kNonsense); }

 private:
  void put_listed(const std::string& name, const std::string& contents) {
    put(name, contents);
    put(name + ".manifest", line_of(contents, name));
  }
};

class OneWaySite : public DirectorySite {
 public:
  using DirectorySite::DirectorySite;
  std::unique_ptr<Ingress> make() {
    return std::make_unique<OneWayIngress>(around_.settings, around_.queue, around_.wall,
                                           around_.steady);
  }
  void offer(int number) { send(name_of(number), contract_request(number)); }
  void offer_nonsense() { send("nonsense.pki", kNonsense); }

 private:
  void send(const std::string& name, const std::string& contents) {
    const BatchItem item{name, name, view_of(contents)};
    ASSERT_THAT(sender_.add({&item, 1}), IsOk());
    ASSERT_THAT(sender_.emit(), IsOk());
  }
  SystemRandom random_;
  BatchSender sender_{{.state = around_.directory / "sender",
                       .out = around_.settings.directory()->in,
                       .staging = {}},
                      around_.wall,
                      random_};
};

class MediaSite : public DirectorySite {
 public:
  explicit MediaSite(IngressSurroundings& around) : DirectorySite(around) {
    around.settings.directory()->media = true;
  }
  std::unique_ptr<Ingress> make() {
    return std::make_unique<MediaIngress>(around_.settings, around_.queue, around_.wall,
                                          around_.steady, random_);
  }
  void offer(int number) { put(name_of(number), contract_request(number)); }
  void offer_nonsense() { put("nonsense.pki", kNonsense); }

 private:
  SystemRandom random_;
};

INSTANTIATE_TYPED_TEST_SUITE_P(Rename, IngressContract, RenameSite);
INSTANTIATE_TYPED_TEST_SUITE_P(Stable, IngressContract, StableSite);
INSTANTIATE_TYPED_TEST_SUITE_P(Marker, IngressContract, MarkerSite);
INSTANTIATE_TYPED_TEST_SUITE_P(List, IngressContract, ListSite);
INSTANTIATE_TYPED_TEST_SUITE_P(OneWay, IngressContract, OneWaySite);
INSTANTIATE_TYPED_TEST_SUITE_P(Media, IngressContract, MediaSite);

}  // namespace
}  // namespace cmpost
