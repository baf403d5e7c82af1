// The contract of every Ingress, on an SFTP server in memory.
#include "sftp/sftp_ingress.h"
#include "tests/sftp/memory_server.h"
#include "tests/support/ingress_contract.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;

// A server and what becomes there of files that were taken.
template <SftpReady ready, SftpAfter after>
class SftpSite {
 public:
  explicit SftpSite(IngressSurroundings& around) : around_(around) {
    around.settings.transport = SftpSettings{};
    auto& settings = *around.settings.sftp();
    settings.fetch.path = "/in";
    settings.send.path = "/out";
    settings.ready = ready;
    settings.after = after;
    settings.settle = settle;
    settings.poll = settle;
    settings.ledger = around.directory / "ledger";
  }
  std::unique_ptr<Ingress> make() {
    return std::make_unique<SftpIngress>(around_.settings, around_.queue, around_.wall,
                                         around_.steady, server_.dial());
  }
  void offer(int number) { put("dev" + std::to_string(number) + ".pki", contract_request(number)); }
  void offer_nonsense() { put("nonsense.pki", "no request"); }

  static constexpr Duration settle = 60min;

 private:
  void put(const std::string& name, const std::string& contents) {
    server_.put("/in/" + name, contents);
    if (ready == SftpReady::marker) server_.put("/in/" + name + ".done", "");
  }

  IngressSurroundings& around_;
  MemoryServer server_;
};

using MovedSite = SftpSite<SftpReady::rename, SftpAfter::move>;
using DeletedSite = SftpSite<SftpReady::stable, SftpAfter::remove>;
using LeftSite = SftpSite<SftpReady::rename, SftpAfter::leave_alone>;
using MarkedSite = SftpSite<SftpReady::marker, SftpAfter::move>;

INSTANTIATE_TYPED_TEST_SUITE_P(SftpMoved, IngressContract, MovedSite);
INSTANTIATE_TYPED_TEST_SUITE_P(SftpDeleted, IngressContract, DeletedSite);
INSTANTIATE_TYPED_TEST_SUITE_P(SftpLeft, IngressContract, LeftSite);
INSTANTIATE_TYPED_TEST_SUITE_P(SftpMarked, IngressContract, MarkedSite);

}  // namespace
}  // namespace cmpost
