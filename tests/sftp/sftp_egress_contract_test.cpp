// The contract of every Egress, on an SFTP server in memory.
#include "outbox/answer_name.h"
#include "sftp/sftp_egress.h"
#include "tests/sftp/memory_server.h"
#include "tests/support/egress_contract.h"

namespace cmpost {
namespace {

class SftpOutSite {
 public:
  explicit SftpOutSite(EgressSurroundings& around) : around_(around) {
    around.settings.transport = SftpSettings{};
    around.settings.sftp()->send.path = "/out";
  }
  std::unique_ptr<Egress> make() {
    return std::make_unique<SftpEgress>(around_.settings, around_.clock, server_.dial(),
                                        under_way_in(around_.queue));
  }
  std::string address() const { return {}; }
  std::multiset<std::string> arrived() {
    std::multiset<std::string> found;
    for (const auto& name : server_.names("/out")) {
      const auto contents = server_.contents("/out/" + name).value_or("");
      EXPECT_FALSE(name.starts_with(".")) << name;
      if (contents != kOthers) found.insert(contents);
    }
    return found;
  }
  void go_away() {
    server_.refusal = DialFailure{{Recovery::retry, "there is no server", ""}};
    server_.break_after = 0;
  }
  void come_back() {
    server_.refusal.reset();
    server_.break_after = -1;
    around_.clock.advance(std::chrono::hours(1));  // it is not asked again at once
  }
  void refuse(const Lease& lease) {
    for (const auto& name : answer_names(around_.settings.sftp()->name_template, lease)) {
      server_.put("/out/" + name, kOthers);
    }
  }
  void cut() { server_.mute_rename = true; }

 private:
  static constexpr auto kOthers = "somebody else's";
  EgressSurroundings& around_;
  MemoryServer server_;
};

INSTANTIATE_TYPED_TEST_SUITE_P(Sftp, EgressContract, SftpOutSite);

}  // namespace
}  // namespace cmpost
