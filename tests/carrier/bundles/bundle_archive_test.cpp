#include "carrier/bundles/bundle_archive.h"

#include <fstream>

#include "carrier/bundles/sent_bundles.h"
#include "tests/support/bundle_people.h"
#include "tests/support/fake_random.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Bundles : public ::testing::Test {
 protected:
  Bundles() { std::filesystem::create_directories(stick_); }

  BundleArchive archive() { return BundleArchive::open(directory_ / "out").value(); }
  using Contents = std::map<std::string, std::string>;
  std::uint64_t make(const Contents& contents, const BundleSeal* seal = nullptr) {
    const auto archive = this->archive();
    auto draft = archive.begin(seal, random_).value();
    for (const auto& [name, text] : contents) {
      EXPECT_THAT(draft.add("id of " + name, name, BundleFileKind::answers, view_of(text)), IsOk());
    }
    const auto number =
        archive.publish(std::move(draft), {"vault", "gateway", BundlePurpose::answers, {}, {}},
                        vault_.signer(), clock_.now(), 1, random_);
    EXPECT_THAT(number, IsOk());
    return number.value_or(0);
  }
  bool write(std::uint64_t number, std::uint64_t copy = 1) {
    const auto bundle = archive().read(number).value();
    return write_copy(archive().directory_of(number), bundle, stick_, copy).value();
  }
  // What the other side says of the stick.
  ManifestVerdict judge(BundleParties parties, std::vector<std::string>* mistakes = nullptr,
                        std::vector<std::string>* contents = nullptr) {
    const auto inbox = BundleInbox::open(stick_).value();
    EXPECT_EQ(inbox.all().size(), 1U);
    const auto& arrived = inbox.all().begin()->second;
    auto verdict = inbox.judge(arrived, parties, clock_.now()).value();
    if (!verdict.believed) return verdict;
    BundleInbox::Places places;
    const auto found = inbox.check_files(arrived, verdict.believed->shown, places);
    if (mistakes != nullptr) *mistakes = found;
    if (contents == nullptr || !found.empty()) return verdict;
    for (std::size_t i = 0; i < verdict.believed->manifest.files.size(); ++i) {
      const auto octets = inbox.read(*verdict.believed, i, places, parties.opener);
      EXPECT_THAT(octets, IsOk());
      contents->emplace_back(text_of(*octets));
    }
    return verdict;
  }
  BundleParties gateway() { return {"gateway", {}, {{"vault", {vault_.certificate}, {}}}, {}}; }
  std::string on_stick(const std::string& part) {
    for (const auto& entry : std::filesystem::directory_iterator(stick_)) {
      if (entry.path().string().ends_with(part)) return entry.path();
    }
    return {};
  }
  std::vector<std::string> names_on_stick() {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(stick_)) {
      names.push_back(entry.path().filename());
    }
    std::ranges::sort(names);
    return names;
  }

  TemporaryDirectory directory_;
  const std::string stick_ = directory_ / "stick";
  FakeClock clock_;
  FakeRandom random_;
  const BundlePerson vault_ = make_bundle_person("vault", "ec:P-256");
};

TEST_F(Bundles, AreNumberedWithoutAGapAndKeepTheirOctets) {
  EXPECT_EQ(make({{"0001.pki", "one"}}), 1U);
  EXPECT_EQ(make({{"0001.pki", "two"}}), 2U);
  const auto first = archive().read(1).value(), second = archive().read(2).value();
  EXPECT_EQ(first.manifest.stream, second.manifest.stream);
  EXPECT_EQ(first.manifest.previous, Sha256{});
  EXPECT_EQ(second.manifest.previous, sha256(view_of(first.shown_text)));
  EXPECT_THAT(second.ids, ElementsAre("id of 0001.pki"));
  EXPECT_EQ(archive().newest().value().number, 2U);
}

TEST_F(Bundles, ADraftThatNobodyEndedIsNothing) {
  const auto archive = this->archive();
  {
    auto draft = archive.begin(nullptr, random_).value();
    ASSERT_THAT(draft.add("", "0001.pki", BundleFileKind::answers, view_of("lost")), IsOk());
  }
  EXPECT_EQ(make({{"0002.pki", "kept"}}), 1U);
  EXPECT_FALSE(std::filesystem::exists(archive.directory_of(1) + "/0001.pki"));
}

TEST_F(Bundles, HaveLimits) {
  auto draft = archive().begin(nullptr, random_).value();
  EXPECT_TRUE(draft.has_room(kLargestBundleFile));
  EXPECT_FALSE(draft.has_room(kLargestBundleFile + 1));
  for (std::size_t i = 0; i < kMostBatchFiles; ++i) {
    ASSERT_TRUE(draft.has_room(1)) << i;
    ASSERT_THAT(draft.add("", std::to_string(i), BundleFileKind::other, view_of("x")), IsOk());
  }
  EXPECT_FALSE(draft.has_room(1));
  EXPECT_FALSE(draft.may_be_called("7"));
  for (const auto* name : {"ids", "manifest", "manifest.p7s", "SHA256SUMS", ".x", "a/b"}) {
    EXPECT_FALSE(draft.may_be_called(name)) << name;
  }
}

TEST_F(Bundles, AreBelievedAndReadByTheOtherSide) {
  make({{"0001.pki", "one"}, {"0002.pki", "two"}});
  ASSERT_TRUE(write(1));
  std::vector<std::string> contents, mistakes;
  const auto verdict = judge(gateway(), &mistakes, &contents);
  ASSERT_TRUE(verdict.believed) << verdict.why;
  EXPECT_THAT(contents, ElementsAre("one", "two"));
  EXPECT_EQ(*verdict.believed->signer, vault_.certificate);
}

TEST_F(Bundles, TheSameCopyWrittenAgainChangesNothing) {
  make({{"0001.pki", "one"}, {"0002.pki", "two"}});
  ASSERT_TRUE(write(1));
  const auto names = names_on_stick();
  std::filesystem::remove(on_stick("0002.pki"));
  std::filesystem::remove(on_stick(".manifest"));
  ASSERT_TRUE(write(1));
  EXPECT_EQ(names_on_stick(), names);
  EXPECT_EQ(find_copy(archive().read(1).value(), stick_).value(), 1U);
}

TEST_F(Bundles, AFileOfSomebodyElseIsNotTouched) {
  make({{"0001.pki", "one"}});
  ASSERT_TRUE(write(1));
  std::ofstream(on_stick("0001.pki")) << "another";
  EXPECT_FALSE(write(1));
  EXPECT_EQ(find_copy(archive().read(1).value(), stick_).value(), 0U);
  EXPECT_TRUE(write(1, 2));
  EXPECT_EQ(find_copy(archive().read(1).value(), stick_).value(), 2U);
}

TEST_F(Bundles, DamageInTheArchiveDoesNotLeave) {
  make({{"0001.pki", "one"}});
  std::ofstream(archive().directory_of(1) + "/0001.pki") << "0ne";
  const auto written = write_copy(archive().directory_of(1), archive().read(1).value(), stick_, 1);
  ASSERT_FALSE(written);
  EXPECT_THAT(written.error().what, HasSubstr("damaged"));
  EXPECT_THAT(names_on_stick(), IsEmpty());
}

TEST_F(Bundles, WhatIsTornIsNamed) {
  make({{"0001.pki", "one"}, {"0002.pki", "two"}, {"0003.pki", "three"}});
  ASSERT_TRUE(write(1));
  std::filesystem::remove(on_stick("0001.pki"));
  std::ofstream(on_stick("0002.pki")) << "twO";
  std::ofstream(on_stick("0003.pki")) << "thr";
  std::vector<std::string> mistakes;
  judge(gateway(), &mistakes);
  EXPECT_THAT(mistakes, ElementsAre("0001.pki is missing", "0002.pki is damaged",
                                    "0003.pki is cut off: 3 of 5 octets"));
}

TEST_F(Bundles, WhatIsNotForUsIsNotBelieved) {
  using What = ManifestVerdict::What;
  make({{"0001.pki", "one"}});
  ASSERT_TRUE(write(1));
  auto other = gateway();
  other.own_name = "elsewhere";
  EXPECT_EQ(judge(other).what, What::for_others);
  auto self = gateway();
  self.own_name = "vault";
  EXPECT_EQ(judge(self).what, What::ours);
  auto nobody = gateway();
  nobody.peers.clear();
  EXPECT_EQ(judge(nobody).what, What::refused);
  std::filesystem::remove(on_stick("manifest.p7s"));
  EXPECT_EQ(judge(gateway()).what, What::torn);
}

TEST_F(Bundles, ThatAreSealedShowNothing) {
  const auto reader = make_bundle_person("reader", "ec:P-256");
  const auto seal = seal_for(std::vector{reader.certificate}).value();
  make({{"0001.pki", "one"}, {"0002.pki", "two"}}, &seal);
  ASSERT_TRUE(write(1));
  EXPECT_EQ(judge(gateway()).what, ManifestVerdict::What::for_others);
  auto parties = gateway();
  parties.opener = BundleOpener{reader.certificate, reader.key};
  std::vector<std::string> contents;
  const auto verdict = judge(parties, nullptr, &contents);
  ASSERT_TRUE(verdict.believed) << verdict.why;
  EXPECT_THAT(contents, ElementsAre("one", "two"));
  EXPECT_EQ(verdict.believed->manifest.from, "vault");
  EXPECT_TRUE(verdict.believed->shown.is_stub());
  for (const auto& name : names_on_stick()) EXPECT_THAT(name, Not(HasSubstr(".pki")));
}

// A sealed bundle for `reader`, and how its side sees it.
class SealedBundles : public Bundles {
 protected:
  SealedBundles() { parties_.opener = BundleOpener{reader_.certificate, reader_.key}; }
  std::string inner(std::uint64_t number) {
    const auto file = archive().directory_of(number) + "/manifest.inner";
    return std::string(text_of(read_file(file, kLargestManifest).value()));
  }
  // What whoever finds the stick can do.
  void change(const std::function<void(BundleManifest&)>& how) {
    const auto path = on_stick(".manifest");
    auto shown = parse_bundle_manifest(read_file(path, kLargestManifest).value()).value();
    how(shown);
    std::ofstream(path) << format(shown);
  }

  const BundlePerson reader_ = make_bundle_person("reader", "ec:P-256");
  const BundleSeal seal_ = seal_for(std::vector{reader_.certificate}).value();
  BundleParties parties_ = gateway();
};

TEST_F(SealedBundles, AreRememberedByWhatIsSigned) {
  make({{"0001.pki", "one"}}, &seal_);
  make({{"0001.pki", "two"}}, &seal_);
  EXPECT_EQ(archive().newest()->hash, sha256(view_of(inner(2))));
  EXPECT_EQ(archive().read(2)->manifest.previous, sha256(view_of(inner(1))));
  ASSERT_TRUE(write(2));
  const auto verdict = judge(parties_);
  ASSERT_TRUE(verdict.believed) << verdict.why;
  EXPECT_EQ(verdict.believed->hash, sha256(view_of(inner(2))));
  const auto inbox = BundleInbox::open(stick_).value();
  const auto& arrived = inbox.all().begin()->second;
  const auto& name = arrived.manifests.begin()->second;
  EXPECT_EQ(inbox.hash_of(arrived, name, parties_.opener), sha256(view_of(inner(2))));
  EXPECT_EQ(inbox.hash_of(arrived, name, {}), std::nullopt);
  change([](BundleManifest& shown) { shown.created += 1h; });
  EXPECT_THAT(judge(parties_).why, HasSubstr("another bundle"));
}

TEST_F(SealedBundles, ForUsThatDoNotOpenAreRefused) {
  make({{"0001.pki", "one"}}, &seal_);
  ASSERT_TRUE(write(1));
  std::ofstream(on_stick("0000.p7m")) << "no envelope";
  EXPECT_EQ(judge(parties_).what, ManifestVerdict::What::torn);
  change([](BundleManifest& shown) {
    shown.files[0].size = 11;
    shown.files[0].sha256 = sha256(view_of("no envelope"));
  });
  const auto verdict = judge(parties_);
  EXPECT_EQ(verdict.what, ManifestVerdict::What::refused);
  EXPECT_THAT(verdict.why, HasSubstr("it is sealed for us and cannot be opened"));
  change([](BundleManifest& shown) { shown.files[0].size = kLargestBundleFile; });
  EXPECT_THAT(judge(parties_).why, HasSubstr("no manifest inside"));
}

TEST_F(SealedBundles, ForOthersAreNotRead) {
  const auto other = make_bundle_person("other", "ec:P-256");
  parties_.opener = BundleOpener{other.certificate, other.key};
  make({{"0001.pki", "one"}}, &seal_);
  ASSERT_TRUE(write(1));
  std::filesystem::remove(on_stick("0000.p7m"));
  EXPECT_EQ(judge(parties_).what, ManifestVerdict::What::for_others);
}

TEST_F(Bundles, OfSomeCopiesOneIsBelieved) {
  make({{"0001.pki", "one"}});
  ASSERT_TRUE(write(1, 900));
  const auto stem = on_stick("-900.manifest");
  ASSERT_FALSE(stem.empty());
  const auto add = [&](std::uint64_t copy, const std::string& ending) {
    auto name = stem.substr(0, stem.size() - std::string("900.manifest").size());
    std::ofstream(name + std::to_string(copy) + ending) << "somebody's";
  };
  for (std::uint64_t copy = 1; copy <= 15; ++copy) add(copy, ".manifest");
  for (std::uint64_t copy = 1; copy <= 40; ++copy) add(copy, "-manifest.p7s");
  EXPECT_TRUE(judge(gateway()).believed) << "its own signature comes first";
  add(16, ".manifest");
  EXPECT_FALSE(judge(gateway()).believed) << "so many are not looked at";
}

TEST_F(Bundles, ReceiptsCountForOurStreamAloneAndAreNotTakenBack) {
  make({{"0001.pki", "one"}});
  make({{"0001.pki", "two"}});
  BundleManifest theirs;
  theirs.created = clock_.now();
  theirs.received[archive().newest().value().stream] = *NumberRanges::parse("1");
  theirs.received["00000000000000aa"] = *NumberRanges::parse("1-9");
  ASSERT_THAT(archive().note_receipts(theirs), IsOk());
  theirs.received.begin()->second = *NumberRanges::parse("9");
  theirs.received[archive().newest().value().stream] = *NumberRanges::parse("2");
  ASSERT_THAT(archive().note_receipts(theirs), IsOk());
  const auto receipts = archive().receipts().value();
  ASSERT_EQ(receipts.received.size(), 1U);
  EXPECT_EQ(receipts.received.begin()->second.text(), "1-2");
}

TEST_F(Bundles, StandAsFarAsTheOtherSideSays) {
  for (int i = 0; i < 4; ++i) make({{"0001.pki", "one"}});
  for (const std::uint64_t number : {1, 2, 3}) {
    ASSERT_THAT(archive().set_copies(number, {1, {{1, clock_.now(), "4f", "/media/stick"}}}),
                IsOk());
  }
  BundleManifest theirs;
  theirs.created = clock_.now();
  theirs.received[archive().newest().value().stream] = *NumberRanges::parse("1,3");
  ASSERT_THAT(archive().note_receipts(theirs), IsOk());
  clock_.advance(24h * 15);
  const auto sent = look_at_sent(archive(), 24h * 14, clock_.now()).value();
  ASSERT_EQ(sent.all.size(), 4U);
  EXPECT_EQ(sent.all[0].state, BundleState::received);
  EXPECT_EQ(sent.all[1].state, BundleState::written);
  EXPECT_TRUE(sent.all[1].passed);
  EXPECT_TRUE(sent.all[1].overdue);
  EXPECT_EQ(sent.all[3].state, BundleState::made);
  EXPECT_FALSE(sent.all[3].overdue);
  EXPECT_TRUE(sent.all[3].stays());
  EXPECT_FALSE(sent.all[1].stays());
  EXPECT_THAT(describe(sent.all[1], sent, "gateway"),
              testing::MatchesRegex("bundle 2 was written on .* to medium 4f; gateway has 1,3"));
  theirs.given_up[theirs.received.begin()->first] = *NumberRanges::parse("2");
  ASSERT_THAT(archive().note_receipts(theirs), IsOk());
  EXPECT_EQ(look_at_sent(archive(), 24h, clock_.now())->all[1].state, BundleState::lost);
}

TEST_F(Bundles, WithoutFilesMayStay) {
  make({});
  EXPECT_FALSE(look_at_sent(archive(), 24h, clock_.now())->all[0].stays());
}

TEST_F(Bundles, ThatHaveComeAreForgottenAndTheNewestIsNot) {
  for (int i = 0; i < 3; ++i) make({{"0001.pki", "one"}});
  EXPECT_EQ(archive().purge(clock_.now() + 1h).value(), 0U);  // nobody has them
  BundleManifest theirs;
  theirs.received[archive().newest().value().stream] = *NumberRanges::parse("1,3");
  ASSERT_THAT(archive().note_receipts(theirs), IsOk());
  EXPECT_EQ(archive().purge(clock_.now()).value(), 0U);  // too young
  EXPECT_EQ(archive().purge(clock_.now() + 1h).value(), 1U);
  EXPECT_THAT(archive().numbers().value(), ElementsAre(2, 3));
  EXPECT_EQ(make({{"0001.pki", "one"}}), 4U);
}

TEST_F(Bundles, OfANewStreamBeginWithOne) {
  make({{"0001.pki", "one"}});
  const auto stream = archive().newest().value().stream;
  ASSERT_THAT(archive().begin_new_stream(), IsOk());
  EXPECT_EQ(make({{"0001.pki", "two"}}), 1U);
  EXPECT_NE(archive().newest().value().stream, stream);
  EXPECT_TRUE(std::filesystem::exists(directory_ / ("out/bundles-" + stream + "/0000000001")));
}

TEST_F(Bundles, AreRemovedFromAMediumManifestsFirstAndNothingElse) {
  make({{"0001.pki", "one"}});
  make({{"0001.pki", "two"}});
  ASSERT_TRUE(write(1));
  ASSERT_TRUE(write(1, 2));
  ASSERT_TRUE(write(2));
  std::ofstream(stick_ + "/letter.txt") << "a letter";
  const auto stream = archive().newest().value().stream;
  EXPECT_EQ(remove_copies(stick_, stream, 1).value(), 8U);
  EXPECT_EQ(names_on_stick().size(), 5U);
  EXPECT_TRUE(std::filesystem::exists(stick_ + "/letter.txt"));
}

}  // namespace
}  // namespace cmpost
