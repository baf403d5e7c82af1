#include "watcher/media/bundle_import.h"

#include <fstream>

#include "base/log.h"
#include "tests/support/bundle_people.h"
#include "tests/support/fake_job_queue.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using What = ImportedBundle::What;

// What a vault takes in of a gateway.
class BroughtByCourier : public ::testing::Test {
 protected:
  BroughtByCourier() {
    log::configure({.level = log::Level::error});
    for (const auto* name : {"stick", "pages"}) {
      std::filesystem::create_directories(directory_ / name);
    }
    channel_.name = "courier";
    channel_.state = directory_ / "state";
    channel_.limits.min_free = 0;
    CourierSettings courier;
    courier.peer = "gateway";
    courier.bundle.name = "vault";
    courier.bundle.received = directory_ / "pages";
    channel_.transport = courier;
  }
  // Packs a bundle and puts it on the stick.
  std::uint64_t bring(const std::vector<BundleFile>& kinds, const std::vector<Bytes>& contents,
                      const StreamRanges& received = {}) {
    const auto archive = BundleArchive::open(directory_ / "gateway").value();
    auto draft = archive.begin(nullptr, random_).value();
    for (std::size_t i = 0; i < kinds.size(); ++i) {
      EXPECT_THAT(draft.add("", kinds[i].name, kinds[i].kind, contents[i]), IsOk());
    }
    const auto number =
        archive
            .publish(std::move(draft), {"gateway", "vault", BundlePurpose::requests, received, {}},
                     gateway_.signer(), clock_.now(), 1, random_)
            .value();
    EXPECT_TRUE(write_copy(archive.directory_of(number), archive.read(number).value(),
                           directory_ / "stick", 1)
                    .value());
    return number;
  }
  std::uint64_t bring_request(std::uint8_t octet) {
    return bring({{"0001.pki", 0, {}, BundleFileKind::requests}}, {{0x04, 1, octet}});
  }
  std::vector<ImportedBundle> take() {
    BundleParties parties{"vault", {}, {{"gateway", {gateway_.certificate}, {}}}, {}};
    auto import = BundleImport::begin({&channel_}, parties, queue_, clock_, clock_);
    EXPECT_THAT(import, IsOk());
    auto taken = import->take(directory_ / "stick");
    EXPECT_THAT(taken, IsOk());
    return taken.value_or(std::vector<ImportedBundle>());
  }
  std::size_t jobs() { return queue_.list({})->size(); }
  std::string page(const std::string& name) {
    return std::string(text_of(read_file(directory_ / ("pages/" + name), 100).value()));
  }

  TemporaryDirectory directory_;
  FakeClock clock_;
  SystemRandom random_;
  FakeJobQueue queue_{clock_};
  ChannelSettings channel_;
  const BundlePerson gateway_ = make_bundle_person("gateway", "ec:P-256");
};

TEST_F(BroughtByCourier, MessagesBecomeRequestsOnce) {
  bring_request(1);
  bring_request(2);
  const auto first = take();
  ASSERT_THAT(first, SizeIs(2));
  EXPECT_EQ(first[0].what, What::taken);
  EXPECT_EQ(first[0].from, "gateway");
  const auto job = queue_.list({})->front();
  EXPECT_EQ(job.envelope.channel, "courier");
  EXPECT_EQ(job.envelope.reply.channel, "courier");
  EXPECT_EQ(job.envelope.source, "bundle 1, 0001.pki");
  EXPECT_EQ(take()[1].what, What::known);
  std::filesystem::remove(received_bundles_file(channel_));
  EXPECT_EQ(take()[1].what, What::taken);
  EXPECT_EQ(jobs(), 2U);
  EXPECT_EQ(heard_of(ReceivedBatches::read(received_bundles_file(channel_)).value())
                .received.begin()
                ->second.text(),
            "1-2");
}

TEST_F(BroughtByCourier, WhatIsTooLargeOrNoMessageIsPutAside) {
  channel_.max_message = 1024;
  Bytes large = {0x04, 0x82, 0x08, 0x00};
  large.resize(4 + 0x800);
  bring({{"0001.pki", 0, {}, BundleFileKind::requests},
         {"0002.pki", 0, {}, BundleFileKind::requests}},
        {large, to_bytes(view_of("a letter"))});
  const auto taken = take();
  EXPECT_EQ(taken[0].what, What::taken);
  EXPECT_EQ(taken[0].put_aside, 2U);
  const auto held = queue_.list({}).value();
  ASSERT_THAT(held, SizeIs(2));
  for (const auto& job : held) EXPECT_EQ(job.state, JobState::held);
  for (const auto& job : held) {
    const auto name = job.id.text() + job.envelope.source.substr(std::string("bundle 1,").size());
    EXPECT_TRUE(std::filesystem::exists(channel_.state + "/quarantine/" + name)) << name;
  }
}

TEST_F(BroughtByCourier, WhatIsPutAsideOfAnotherStreamHasAnotherName) {
  const auto letter = [&](const std::string& name, std::string_view text) {
    bring({{name, 0, {}, BundleFileKind::requests}}, {to_bytes(view_of(text))});
  };
  letter("0001.pki", "a letter");
  std::filesystem::remove_all(directory_ / "gateway");
  letter("0001.pki", "another letter");
  letter(std::string(200, 'x'), "a third");
  EXPECT_THAT(take(), SizeIs(3));
  const std::filesystem::directory_iterator quarantine(channel_.state + "/quarantine");
  EXPECT_EQ(std::distance(begin(quarantine), end(quarantine)), 3);
  for (const auto& file : std::filesystem::directory_iterator(channel_.state + "/quarantine")) {
    EXPECT_LE(file.path().filename().string().size(), 140U);
  }
}

TEST_F(BroughtByCourier, AnOldPageDoesNotReplaceANewerOne) {
  const std::vector<BundleFile> crl = {{"grid.crl", 0, {}, BundleFileKind::crl}};
  bring(crl, {to_bytes(view_of("old"))});
  std::filesystem::create_directories(directory_ / "late");
  for (const auto& file : std::filesystem::directory_iterator(directory_ / "stick")) {
    std::filesystem::rename(file, directory_ / "late/" + file.path().filename().string());
  }
  clock_.advance(1h);
  bring(crl, {to_bytes(view_of("new"))});
  take();
  EXPECT_EQ(page("grid.crl"), "new");
  for (const auto& file : std::filesystem::directory_iterator(directory_ / "late")) {
    std::filesystem::copy_file(file, directory_ / "stick/" + file.path().filename().string());
  }
  EXPECT_EQ(take()[0].what, What::taken);
  EXPECT_EQ(page("grid.crl"), "new");
}

TEST_F(BroughtByCourier, AnswersDoNotComeWhereRequestsAreTaken) {
  bring({{"0001.pki", 0, {}, BundleFileKind::answers}}, {{0x04, 1, 1}});
  EXPECT_THAT(take()[0].text, HasSubstr("it carries answers"));
  EXPECT_EQ(jobs(), 0U);
  channel_.direction = Direction::upstream;
  EXPECT_EQ(take()[0].what, What::taken);
}

TEST_F(BroughtByCourier, WhatIsTornStaysNotedUntilItIsWhole) {
  bring_request(1);
  std::string name;
  for (const auto& file : std::filesystem::directory_iterator(directory_ / "stick")) {
    if (file.path().string().ends_with("0001.pki")) name = file.path();
  }
  std::filesystem::rename(name, directory_ / "away");
  EXPECT_EQ(take()[0].what, What::torn);
  const auto noted = ReceivedBatches::read(received_bundles_file(channel_)).value();
  EXPECT_THAT(noted.complaints(CarriedAs::bundle),
              ElementsAre("bundle 1 torn: 0 of 1 files are whole; 0001.pki is missing"));
  std::filesystem::rename(directory_ / "away", name);
  EXPECT_EQ(take()[0].what, What::taken);
  EXPECT_THAT(ReceivedBatches::read(received_bundles_file(channel_))->complaints(CarriedAs::bundle),
              SizeIs(0));
}

TEST_F(BroughtByCourier, OneThatCannotBeTakenDoesNotKeepTheOthersFromIt) {
  bring_request(1);
  bring({{"grid.crl", 0, {}, BundleFileKind::crl}}, {to_bytes(view_of("a list"))});
  bring_request(3);
  std::filesystem::remove_all(directory_ / "pages");
  const auto taken = take();
  ASSERT_THAT(taken, SizeIs(3));
  EXPECT_EQ(taken[0].what, What::taken);
  EXPECT_EQ(taken[1].what, What::failed);
  EXPECT_EQ(taken[1].number, 2U);
  EXPECT_EQ(taken[1].from, "gateway");
  EXPECT_THAT(taken[1].text, HasSubstr("pages"));
  EXPECT_TRUE(taken[1].complains());
  EXPECT_EQ(taken[2].what, What::taken);
  std::filesystem::create_directories(directory_ / "pages");
  EXPECT_EQ(take()[1].what, What::taken);
}

TEST_F(BroughtByCourier, WhatTheQueueDoesNotTakeHasNotCome) {
  bring_request(1);
  bring_request(2);
  queue_.fail_with({Recovery::retry, "the disk is full", ""});
  BundleParties parties{"vault", {}, {{"gateway", {gateway_.certificate}, {}}}, {}};
  {
    auto import = BundleImport::begin({&channel_}, parties, queue_, clock_, clock_);
    const auto taken = import->take(directory_ / "stick");
    ASSERT_THAT(taken, IsOk());
    ASSERT_THAT(*taken, SizeIs(1)) << "the others would wait for the same";
    EXPECT_EQ(taken->front().what, What::failed);
    EXPECT_TRUE(taken->front().complains());
    EXPECT_EQ(taken->front().text, "the disk is full");
    EXPECT_THAT(taken->front().remarks, ElementsAre("1 more were not looked at"));
  }
  queue_.go_on();
  EXPECT_EQ(take()[0].what, What::taken);
  EXPECT_EQ(jobs(), 2U);
}

}  // namespace
}  // namespace cmpost
