// An RA between requesters and the CA under test, for each test anew.
#pragma once

#include "tests/processor/ra_office.h"

namespace cmpost {

inline MessageOptions explicitly() { return {.implicit_confirm = false}; }

inline PKIMessage read(const Bytes& der) {
  auto message = decode(der);
  if (!message) ADD_FAILURE() << message.error().text();
  return message.value_or(PKIMessage{});
}

class Ra : public ::testing::Test {
 protected:
  void start(const std::string& ra_settings = "", const std::string& of_vault = "",
             const std::string& of_drop = "", const std::string& of_ca = "") {
    office_ = std::make_unique<RaOffice>(ca_start(of_ca), ra_settings, of_vault, of_drop);
  }
  Office& ca() { return *ca_; }
  RaOffice& ra() { return *office_; }
  // Of another PKI that both trust.
  Credential vendor_device() {
    Credential device;
    ca().vendor.certify(device, "CN=V1", ca().clock.now(), ca().random);
    must(write_file(ra().directory / "vendor.pem", view_of(ca().vendor.certificate.to_pem()), 0644,
                    IfExists::replace));
    ra().set(settings_[0], settings_[1], settings_[2]);
    return device;
  }
  void start_with_vendor(const std::string& mode) {
    settings_ = {"mode = \"" + mode + "\"\n", "", ""};
    start(settings_[0], "", "", "trusted_subject = \"any\"\n");
  }

  Credential key_;

 private:
  Office& ca_start(const std::string& settings) {
    ca_ = std::make_unique<Office>("");
    ca_->configure(settings);
    return *ca_;
  }
  std::unique_ptr<Office> ca_;
  std::unique_ptr<RaOffice> office_;
  std::array<std::string, 3> settings_;
};

}  // namespace cmpost
