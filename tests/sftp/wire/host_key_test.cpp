// Keys in known_hosts, as ssh-keygen writes them.
#include "sftp/wire/host_key.h"

#include "tests/support/directory_tools.h"
#include "tests/support/matchers.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/unreadable.h"

namespace cmpost {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// ssh-keygen -t ed25519; the fingerprint is what `ssh-keygen -lf` says.
class KnownHosts : public ::testing::Test {
 protected:
  KnownHosts() {
    const auto make = [this](const std::string& name) {
      const auto file = directory_ / name;
      run("ssh-keygen -q -t ed25519 -N '' -C '' -f " + file);
      const auto text = contents_of(file + ".pub");
      return text.substr(0, text.find_last_not_of(" \n") + 1);
    };
    one_ = make("one");
    other_ = make("other");
    fingerprint_ = run("ssh-keygen -lf " + (directory_ / "one.pub") + " | cut -d' ' -f2");
    fingerprint_.pop_back();
  }
  static std::string run(const std::string& command) {
    std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command.c_str(), "r"), ::pclose);
    std::string printed;
    char chunk[256];
    while (::fgets(chunk, sizeof chunk, pipe.get()) != nullptr) printed += chunk;
    return printed;
  }
  HostKey new_key() const {
    HostKey key;
    key.server = "drop.example";
    key.line = "drop.example " + one_;
    return key;
  }

  TemporaryDirectory directory_;
  std::string one_, other_, fingerprint_;
};

TEST_F(KnownHosts, NameAServerAsOpensshDoes) {
  EXPECT_EQ(known_hosts_name({"u", "Drop.Example", 22, "/in"}), "drop.example");
  EXPECT_EQ(known_hosts_name({"u", "drop.example", 2222, "/in"}), "[drop.example]:2222");
}

TEST_F(KnownHosts, AreFoundInClearAndHashed) {
  const auto file = directory_ / "hosts";
  write_in_place(file, "# a remark\n\nother.example " + other_ + "\ndrop.example " + one_ + "\n");
  EXPECT_THAT(known_fingerprints(contents_of(file), "drop.example"),
              ElementsAre("ssh-ed25519 " + fingerprint_));
  run("ssh-keygen -q -H -f " + file + " 2>&1");
  EXPECT_THAT(contents_of(file), ::testing::Not(HasSubstr("drop.example")));
  EXPECT_THAT(known_fingerprints(contents_of(file), "drop.example"),
              ElementsAre("ssh-ed25519 " + fingerprint_));
  EXPECT_THAT(known_fingerprints(contents_of(file), "elsewhere.example"), IsEmpty());
}

TEST_F(KnownHosts, ANewKeyReplacesTheOldOnesOfThatServerOnly) {
  const auto before = "other.example " + other_ + "\ndrop.example " + other_ + "\n# remark\n";
  const auto after = with_host_key(before, new_key());
  ASSERT_THAT(after, IsOk());
  EXPECT_EQ(*after, "other.example " + other_ + "\n# remark\ndrop.example " + one_ + "\n");
}

TEST_F(KnownHosts, ALineForSeveralServersIsLeftToAPerson) {
  for (const std::string names : {"drop.example,other.example", "*.example"}) {
    const auto after = with_host_key(names + " " + other_ + "\n", new_key());
    ASSERT_FALSE(after.has_value());
    EXPECT_THAT(after.error().what, HasSubstr(names));
  }
}

TEST_F(KnownHosts, DamagedLinesCountForNothing) {
  for (const std::string line : {"drop.example", "drop.example ssh-ed25519", "|1|x drop.example",
                                 "drop.example ssh-ed25519 AAAA", "@revoked drop.example x"}) {
    EXPECT_THAT(known_fingerprints(line + "\n", "drop.example"), IsEmpty()) << line;
  }
}

TEST_F(KnownHosts, AreWrittenForTheUserThatTrusts) {
  SftpSettings settings;
  settings.known_hosts = directory_ / "known_hosts";
  ASSERT_THAT(trust_host_key(new_key(), settings), IsOk());
  EXPECT_EQ(contents_of(settings.known_hosts), "drop.example " + one_ + "\n");
}

TEST_F(KnownHosts, AreNotWrittenAnewWhereNobodyCanLookAtThem) {
  std::filesystem::create_directory(directory_ / "ssh");
  SftpSettings settings;
  settings.known_hosts = directory_ / "ssh/known_hosts";
  const Unreadable gone(directory_ / "ssh");
  EXPECT_THAT(trust_host_key(new_key(), settings), Fails(HasSubstr("examining")));
}

TEST_F(KnownHosts, AChangedKeyIsSaidInCapitals) {
  auto key = new_key();
  key.state = HostKey::State::changed;
  key.type = "ssh-ed25519";
  key.fingerprint = "SHA256:new";
  key.expected = {"ssh-ed25519 SHA256:old"};
  const auto error = host_key_error(key, "/etc/hosts");
  EXPECT_THAT(error.what, HasSubstr("HAS CHANGED"));
  EXPECT_THAT(error.what, HasSubstr("SHA256:new"));
  EXPECT_THAT(error.what, HasSubstr("SHA256:old"));
}

}  // namespace
}  // namespace cmpost
