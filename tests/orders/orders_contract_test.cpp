// The contracts of Ingress and Egress, where orders go out.
#include "asn1/pem.h"
#include "orders/orders_by_hand.h"
#include "orders/orders_by_program.h"
#include "tests/orders/program.h"
#include "tests/support/egress_contract.h"

namespace cmpost {
namespace {

std::string request_in_pem(const std::string& pem) {
  const auto blocks = pem_blocks(pem).value();
  return std::string(text_of(decode(blocks.at(0)).value()));
}

class ByHandSite {
 public:
  explicit ByHandSite(EgressSurroundings& around) : around_(around) {
    around.settings.direction = Direction::upstream;
    around.settings.transport = OrdersSettings{};
    around.settings.orders()->in = place_ + "/in";
    around.settings.orders()->out = place_ + "/out";
    std::filesystem::create_directories(place_ + "/out");
  }
  std::unique_ptr<Egress> make() {
    return std::make_unique<OrdersByHandEgress>(
        around_.settings, [](const Job&) { return OrderStanding::open; },
        under_way_in(around_.queue));
  }
  std::string address() const { return {}; }
  std::multiset<std::string> arrived() {
    std::multiset<std::string> found;
    for (const auto& name : names_in(place_ + "/out")) {
      EXPECT_TRUE(name.starts_with("010203040506") && name.ends_with(".csr")) << name;
      found.insert(request_in_pem(contents_of(place_ + "/out/" + name)));
    }
    return found;
  }
  void go_away() { std::filesystem::rename(place_, place_ + ".away"); }
  void come_back() { std::filesystem::rename(place_ + ".away", place_); }

 private:
  EgressSurroundings& around_;
  const std::string place_ = around_.directory / "place";
};

class ByProgramSite {
 public:
  explicit ByProgramSite(EgressSurroundings& around)
      : around_(around), program_(around.directory.path()) {
    around.settings.direction = Direction::upstream;
    around.settings.transport = OrdersSettings{};
    around.settings.orders()->command = program_.path();
    come_back();
  }
  std::unique_ptr<Egress> make() {
    const OrdersByProgramEgress::Queues queues{requests_, around_.queue,
                                               [](const Job&) { return OrderStanding::open; }};
    return std::make_unique<OrdersByProgramEgress>(around_.settings, queues, around_.clock,
                                                   steady_);
  }
  std::string address() const { return {}; }
  // The contract's jobs are in no queue, so that a new process takes them for forgotten ones and
  // places them again; the rest is in orders_by_program_test.cpp.
  std::multiset<std::string> arrived() {
    std::set<std::string> found;
    const auto file = program_.path() + ".orders";
    if (!std::filesystem::exists(file)) return {};
    const auto orders = contents_of(file);
    const auto blocks = pem_blocks(orders).value();
    for (const auto& block : blocks) found.emplace(text_of(decode(block).value()));
    return {found.begin(), found.end()};
  }
  void go_away() { program_.answer("exit 3"); }
  void come_back() { program_.answer(refusing_ + "echo \"$CSR\" >> $0.orders; echo x; exit 1"); }
  void refuse(const Lease& lease) {
    const auto pem = to_pem_text("CERTIFICATE REQUEST", lease.job.payload);
    const auto body = pem.substr(pem.find('\n') + 1, 8);
    refusing_ = "case \"$CSR\" in *" + body + "*) exit 9;; esac; ";
    come_back();
  }

 private:
  EgressSurroundings& around_;
  OrderProgram program_;
  FakeClock steady_;
  FakeJobQueue requests_{steady_};
  std::string refusing_;
};

INSTANTIATE_TYPED_TEST_SUITE_P(OrdersByHand, EgressContract, ByHandSite);
INSTANTIATE_TYPED_TEST_SUITE_P(OrdersByProgram, EgressContract, ByProgramSite);

}  // namespace
}  // namespace cmpost
