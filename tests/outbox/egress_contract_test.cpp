// The contract of every Egress, on all that write into directories.
#include "tests/support/egress_contract.h"

#include "carrier/batch_assembly.h"
#include "outbox/answer_name.h"
#include "outbox/media_egress.h"
#include "outbox/named_directory_egress.h"
#include "outbox/one_way_egress.h"
#include "tests/support/directory_tools.h"
#include "tests/support/fake_random.h"

namespace cmpost {
namespace {

const std::string kMediumId(32, '1');

// A directory that can be taken away with all that is in it.
class OutSite {
 public:
  explicit OutSite(EgressSurroundings& around) : around_(around) {
    auto& settings = *around.settings.directory();
    settings.in = place_ + "/in";
    settings.out = place_ + "/out";
    std::filesystem::create_directories(settings.in);
    std::filesystem::create_directories(settings.out);
    write_in_place(settings.in + "/.cmpost-medium", kMediumId + "\n");
  }
  std::string address() const { return {}; }
  void go_away() { std::filesystem::rename(place_, place_ + ".away"); }
  void come_back() { std::filesystem::rename(place_ + ".away", place_); }

 protected:
  EgressSurroundings& around_;
  const std::string place_ = around_.directory / "place";
};

class DirectorySite : public OutSite {
 public:
  using OutSite::OutSite;
  std::unique_ptr<Egress> make() {
    return std::make_unique<DirectoryEgress>(around_.settings, around_.clock,
                                             under_way_in(around_.queue));
  }
  std::multiset<std::string> arrived() {
    std::multiset<std::string> found;
    const auto& out = around_.settings.directory()->out;
    for (const auto& name : names_in(out)) {
      const auto contents = contents_of(out + "/" + name);
      EXPECT_FALSE(name.starts_with(".")) << name;
      if (contents != kOthers) found.insert(contents);
    }
    return found;
  }
  // Somebody else's files have all the names that it may have.
  void refuse(const Lease& lease) {
    const auto& settings = *around_.settings.directory();
    for (const auto& name : answer_names(settings.name_template, lease)) {
      write_in_place(settings.out + "/" + name, kOthers);
    }
  }

 private:
  static constexpr auto kOthers = "somebody else's";
};

// Each answer says itself where.
class NamedSite : public DirectorySite {
 public:
  explicit NamedSite(EgressSurroundings& around) : DirectorySite(around) {
    around.settings.name = kNamedDirectory;
  }
  std::unique_ptr<Egress> make() {
    return std::make_unique<NamedDirectoryEgress>(under_way_in(around_.queue));
  }
  std::string address() const { return around_.settings.directory()->out; }
};

class StagingSite : public DirectorySite {
 public:
  explicit StagingSite(EgressSurroundings& around) : DirectorySite(around) {
    around.settings.directory()->staging = place_ + "/staging";
    std::filesystem::create_directories(around.settings.directory()->staging);
  }
};

class MediumSite : public DirectorySite {
 public:
  explicit MediumSite(EgressSurroundings& around) : DirectorySite(around) {
    around.settings.directory()->media = true;
  }
  std::unique_ptr<Egress> make() {
    return std::make_unique<MediaEgress>(around_.settings, under_way_in(around_.queue));
  }
  std::string address() const { return kMediumId; }
};

class OneWaySite : public OutSite {
 public:
  using OutSite::OutSite;
  std::unique_ptr<Egress> make() {
    return std::make_unique<OneWayEgress>(around_.settings, around_.queue, around_.clock, random_);
  }
  std::multiset<std::string> arrived() {
    const auto& out = around_.settings.directory()->out;
    ArrivedBatches batches;
    for (const auto& name : names_in(out)) batches.add(name);
    std::multiset<std::string> found;
    for (const auto& [key, batch] : batches.all()) {
      const auto whole = assemble(open_directory(out).value(), batch).batch;
      EXPECT_TRUE(whole) << key.second;
      if (!whole) continue;
      for (const auto& contents : whole->contents) found.emplace(text_of(contents));
    }
    return found;
  }

 private:
  SystemRandom random_;
};

INSTANTIATE_TYPED_TEST_SUITE_P(Directory, EgressContract, DirectorySite);
INSTANTIATE_TYPED_TEST_SUITE_P(Named, EgressContract, NamedSite);
INSTANTIATE_TYPED_TEST_SUITE_P(Staging, EgressContract, StagingSite);
INSTANTIATE_TYPED_TEST_SUITE_P(Medium, EgressContract, MediumSite);
INSTANTIATE_TYPED_TEST_SUITE_P(OneWay, EgressContract, OneWaySite);

}  // namespace
}  // namespace cmpost
