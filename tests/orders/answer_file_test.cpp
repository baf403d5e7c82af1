#include "orders/answer_file.h"

#include "asn1/pem.h"
#include "queue/order_job.h"
#include "tests/support/directory_tools.h"
#include "tests/support/matchers.h"

namespace cmpost {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

std::string golden(const std::string& name) {
  return contents_of(std::string(CMPOST_TEST_DATA) + "/crypto/" + name);
}
Unwrapped read_as(const std::string& name, const std::string& contents) {
  return read_order_file(name, to_bytes(contents));
}

TEST(OrderFiles, CertificatesComeInAnyForm) {
  const auto leaf = golden("leaf.pem"), above = golden("intermediate.pem");
  const auto certificate = Certificate::from_pem(leaf).value().at(0);
  EXPECT_THAT(certificates_in(view_of("Dear customer,\n" + leaf + above)).value(), SizeIs(2));
  EXPECT_EQ(certificates_in(certificate.der()).value().at(0), certificate);
  const auto file = read_as("any name", leaf + above);
  ASSERT_EQ(file.what, Unwrapped::What::message);
  EXPECT_THAT(read_concatenated(file.message).value(), SizeIs(2));
}

TEST(OrderFiles, WhatIsSomethingElseIsNamed) {
  const auto reason = [](const std::string& contents) { return read_as("x", contents).reason; };
  EXPECT_THAT(reason("no certificate"), HasSubstr("there is no certificate in it"));
  EXPECT_THAT(reason(""), HasSubstr("empty"));
  const auto blocks = golden("request.pem");
  const auto request = decode(pem_blocks(blocks).value().at(0)).value();
  EXPECT_THAT(reason(std::string(text_of(request))), HasSubstr("PKCS#10"));
  EXPECT_NE(read_as("x", golden("leaf.pem").substr(0, 200)).what, Unwrapped::What::message);
  std::string many;
  for (int i = 0; i < 40; ++i) many += golden("leaf.pem");
  EXPECT_THAT(reason(many), HasSubstr("more than 32"));
}

TEST(OrderFiles, ARefusalIsKnownByItsName) {
  Job job;
  mark_order_job("0a1b2c3d4e5f.rejected.txt", job);
  EXPECT_EQ(order_news(job.envelope.body), OrderNews::refused);
  EXPECT_EQ(job.envelope.tid, "0a1b2c3d4e5f");
  // As a second file of that name is called.
  mark_order_job("0a1b2c3d4e5f.rejected-1.txt", job);
  EXPECT_EQ(order_news(job.envelope.body), OrderNews::refused);
  for (const auto* name :
       {"0a1b.rejected.txt", "0A1B2C3D4E5G.rejected.txt", "rejected.txt", "0a1b2c3d4e5f.pem"}) {
    mark_order_job(name, job);
    EXPECT_EQ(order_news(job.envelope.body), OrderNews::certificates) << name;
  }
  EXPECT_EQ(job.envelope.tid, "0a1b2c3d4e5f") << "of orders for one key, this one";
  mark_order_job("rejected.txt", job);
  EXPECT_EQ(job.envelope.tid, "");
  const auto file = read_as("0a1b2c3d4e5f.rejected.txt", "too dear\n");
  EXPECT_THAT(std::string(text_of(file.message)), HasSubstr("too dear"));
  EXPECT_EQ(text_of(read_as("0a1b2c3d4e5f.rejected.txt", "").message), "no reason was given");
}

TEST(OrderFiles, NamesOfOrders) {
  EXPECT_EQ(order_name("0a1b2c3d4e5f6071"), "0a1b2c3d4e5f");
  EXPECT_TRUE(is_order_name("0a1b2c3d4e5f60"));
  EXPECT_FALSE(is_order_name("0a1b2c3d4e"));
  EXPECT_FALSE(is_order_name("0a1b2c3d4e5f6"));
}

}  // namespace
}  // namespace cmpost
