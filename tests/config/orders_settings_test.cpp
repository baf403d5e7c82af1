#include "config/transport/orders_settings.h"

#include "config/settings.h"
#include "tests/support/matchers.h"
#include "tests/support/temporary_directory.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

Loaded parse_orders(const std::string& keys, const std::string& directory = "/etc/cmpost") {
  return parse_settings(
      "[instance]\nname = \"grid\"\n[ra]\ncmp_certificate = \"m\"\ncmp_key = \"n\"\n"
      "upstream = \"portal\"\n[[profile]]\nname = \"device\"\n[[channel]]\nname = \"portal\"\n"
      "kind = \"orders\"\n" +
          keys,
      directory + "/cmpost.toml");
}

const std::string kAbove = "direction = \"upstream\"\ntrust = [\"ca.pem\"]\n";
const std::string kDirectories = "in = \"certs\"\nout = \"orders\"\n";

OrdersSettings read_orders(const std::string& keys) {
  const auto loaded = parse_orders(kAbove + keys);
  if (loaded) return *loaded->channels.at(0).orders();
  for (const auto& complaint : loaded.error()) ADD_FAILURE() << to_string(complaint);
  return {};
}

std::string complaints_of(const Loaded& loaded) {
  if (loaded) return "none";
  std::string texts;
  for (const auto& one : loaded.error()) texts += to_string(one) + "\n";
  return texts;
}

TEST(OrdersConfiguration, TwoDirectoriesOrAProgram) {
  const auto by_hand = read_orders(kDirectories);
  EXPECT_EQ(by_hand.in, "/etc/cmpost/certs");
  EXPECT_EQ(by_hand.out, "/etc/cmpost/orders");
  EXPECT_EQ(by_hand.changes, ChangedNames::hold);
  EXPECT_EQ(by_hand.poll, 1min);
  const auto program = read_orders("command = \"/usr/lib/cmpost/order-x\"\ntime_limit = \"5m\"\n");
  EXPECT_EQ(program.command, "/usr/lib/cmpost/order-x");
  EXPECT_EQ(program.time_limit, 5min);
  EXPECT_EQ(read_orders(kDirectories + "changes = \"grantedWithMods\"\n").changes,
            ChangedNames::grantedWithMods);
}

TEST(OrdersConfiguration, EachMistakeIsNamed) {
  EXPECT_THAT(complaints_of(parse_orders(kAbove)), HasSubstr("'in'"));
  EXPECT_THAT(complaints_of(parse_orders(kAbove + kDirectories + "command = \"/x\"\n")),
              HasSubstr("cannot stand beside 'command'"));
  EXPECT_THAT(complaints_of(parse_orders(kAbove + kDirectories + "time_limit = \"1m\"\n")),
              HasSubstr("'time_limit' is for a program"));
  EXPECT_THAT(complaints_of(parse_orders(kAbove + "in = \"x\"\nout = \"x\"\n")),
              HasSubstr("is the same directory as"));
  EXPECT_THAT(complaints_of(parse_orders("direction = \"upstream\"\n" + kDirectories)),
              HasSubstr("does not say who issues its certificates"));
  EXPECT_THAT(complaints_of(parse_orders("trust = [\"ca.pem\"]\n" + kDirectories)),
              HasSubstr("direction = \"upstream\""));
  EXPECT_THAT(complaints_of(parse_orders(kAbove + kDirectories + "secret = \"ra\"\n")),
              HasSubstr("unknown key 'secret'"));
}

TEST(OrdersConfiguration, AProgramMustBeExecutableAndNobodyElsesToChange) {
  const TemporaryDirectory directory;
  const auto program = directory / "order";
  const auto said = [&] {
    const auto loaded = parse_orders(kAbove + "command = \"order\"\n", directory.path());
    std::string texts;
    for (const auto& one : check_files(*loaded)) texts += to_string(one) + "\n";
    return texts;
  };
  EXPECT_THAT(said(), HasSubstr("order does not exist"));
  EXPECT_THAT(write_file(program, view_of("#!/bin/sh\n"), 0600, IfExists::fail), IsOk());
  EXPECT_THAT(said(), HasSubstr("cannot be executed"));
  std::filesystem::permissions(program, std::filesystem::perms(0775));
  EXPECT_THAT(said(), HasSubstr("may be changed by others"));
  std::filesystem::permissions(program, std::filesystem::perms(0755));
  EXPECT_THAT(said(), ::testing::Not(HasSubstr("command")));
}

}  // namespace
}  // namespace cmpost
