#include <algorithm>

#include "base/bytes.h"
#include "config/text/spelling.h"
#include "config/transport/readers.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;

BundlePeerSettings read_peer(Section table) {
  BundlePeerSettings peer;
  peer.name = table.name("name");
  peer.certificates = table.paths("certificate", NamedFile::Use::readable);
  peer.trust = table.paths("trust", NamedFile::Use::readable);
  peer.seal = table.paths("seal", NamedFile::Use::readable);
  if (peer.certificates.empty() && peer.trust.empty()) {
    table.complain("trust", table.where() + " does not say how its signature is known",
                   "certificate = [\"its CMP certificate.pem\"] or trust = [\"its CA.pem\"]");
  }
  if (peer.seal.size() > 16) {
    table.complain("seal", "a bundle is sealed for 16 certificates at most");
  }
  table.finish();
  return peer;
}

void read_opener(Section& table, BundleSettings& bundle) {
  bundle.seal_certificate = table.path("seal_certificate", NamedFile::Use::readable);
  bundle.seal_key = table.path("seal_key", NamedFile::Use::secret);
  if (auto path = table.path("seal_key_password_file", NamedFile::Use::secret); !path.empty()) {
    bundle.seal_key_password_file = std::move(path);
  }
  if (bundle.seal_certificate.empty() != bundle.seal_key.empty()) {
    table.complain(bundle.seal_key.empty() ? "seal_certificate" : "seal_key",
                   "'seal_certificate' and 'seal_key' belong together");
  }
}

}  // namespace

CourierSettings read_courier_settings(Section& table) {
  CourierSettings courier;
  table.require("peer", "the name of a peer in [bundle]");
  courier.peer = table.text("peer");
  return courier;
}

BundleSettings read_bundle(Section table, const std::string& instance) {
  BundleSettings bundle;
  bundle.name = table.has("name") ? table.name("name") : instance;
  for (const auto* item : table.items("peer", Value::Kind::table)) {
    auto peer = read_peer(Section(*item, "a peer of [bundle]", table.reading()));
    const bool twice =
        std::ranges::find(bundle.peers, peer.name, &BundlePeerSettings::name) != bundle.peers.end();
    if (twice || (!peer.name.empty() && peer.name == bundle.name)) {
      table.reading().complain(
          item->at, "the name '" + printable(peer.name, 60) + "' is that of another in [bundle]");
    }
    bundle.peers.push_back(std::move(peer));
  }
  read_opener(table, bundle);
  bundle.receipt_within = table.duration("receipt_within", bundle.receipt_within, {1h, 24h * 3650});
  bundle.keep = table.duration("keep", bundle.keep, {0s, 24h * 3650});
  bundle.copies = static_cast<std::size_t>(table.integer("copies", 1, {1, 100}));
  bundle.extras = table.path("extras", NamedFile::Use::directory);
  bundle.received = table.path("received", NamedFile::Use::directory);
  table.finish();
  return bundle;
}

}  // namespace cmpost
