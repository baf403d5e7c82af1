// What a list of things and the certificates in force say of one another.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "app/assets/asset_list.h"
#include "processor/devices/certificates_in_force.h"

namespace cmpost {

enum class AssetFinding {
  missing,        // nothing in force for it
  expiring,       // what it has ends soon
  on_hold,        // what it has is held (certificateHold)
  wrong_profile,  // what it has is of another profile than the list wants
  twice,          // the list has it more than once
  orphaned,       // a certificate in force for what is not in the list
};
std::string_view to_string(AssetFinding finding);

struct AssetNews {
  AssetFinding finding = AssetFinding::missing;
  std::string name;
  std::optional<CertificateInForce> certificate;
  std::string detail;  // for people; may be empty
};

// The name of a certificate is that of the device whose row it was got by, and its common names,
// compared as values of names are (RFC 5280 7.1); a dot at the end does not count.
class AssetDiff {
 public:
  AssetDiff(const std::vector<Asset>& assets, Time soon);

  // Of each certificate in force. An orphan is told at once.
  void look_at(const CertificateInForce& certificate,
               const std::function<void(const AssetNews&)>& tell);
  // All others, in the order of the list.
  void finish(const std::function<void(const AssetNews&)>& tell) const;

 private:
  struct Known {
    const Asset* asset = nullptr;
    std::size_t times = 1;  // in the list
    std::optional<CertificateInForce> best;
  };
  Known* find(const CertificateInForce& certificate);

  const std::vector<Asset>& assets_;
  const Time soon_;
  std::unordered_map<std::string, Known> known_;
};

}  // namespace cmpost
