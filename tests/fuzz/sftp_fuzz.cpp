// What an SFTP server may send: packets one by one, and a whole dialogue.
#include "fuzz.h"
#include "sftp/remote_files.h"
#include "sftp/remote_name.h"
#include "sftp/wire/host_key.h"

using namespace cmpost;

namespace {

// Says what it was given, whatever it is asked.
class Recording final : public SftpStream {
 public:
  explicit Recording(ByteView octets) : octets_(octets) {}
  Result<void> write(ByteView) override { return {}; }
  Result<Bytes> read() override {
    if (octets_.empty()) return retry("the end");
    const auto count = std::min<std::size_t>(octets_.size(), 100);
    auto part = to_bytes(octets_.first(count));
    octets_ = octets_.subspan(count);
    return part;
  }
  bool keep_alive() override { return true; }
  const std::string& peer() const override { return peer_; }

 private:
  ByteView octets_;
  const std::string peer_ = "sftp://fuzz";
};

void talk(ByteView octets) {
  auto dialogue = SftpDialogue::open(std::make_unique<Recording>(octets));
  if (!dialogue) return;
  auto listing = RemoteListing::open(**dialogue, "/in");
  if (listing) {
    if (const auto entries = listing->next(10)) {
      for (const auto& entry : *entries) {
        CHECK(entry.name != "." && entry.name != "..");
        if (!name_mistake(entry.name).empty()) continue;
        CHECK(remote_path("/in", entry.name).rfind('/') == 3);
      }
    }
  }
  if (const auto files = fetch_files(**dialogue, {{"/in/a", 40'000}, {"/in/b", 3}})) {
    CHECK(files->at(0).contents.size() <= 40'001);
    CHECK(files->at(1).contents.size() <= 4);
  }
  (void)look_at(**dialogue, {"/in/a"});
  (void)write_files(**dialogue,
                    {{"/out/a", octets.first(std::min<std::size_t>(octets.size(), 9))}});
  (void)why_not_writable(**dialogue, "/out");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView octets(data, size);
  if (const auto reply = read_sftp_reply(octets)) {
    CHECK(reply->data.size() <= size);
    CHECK(reply->names.size() <= size / 12);
    (void)read_file_system(*reply);
  }
  (void)read_sftp_version(octets);
  (void)read_marker(octets);
  for (const auto& fingerprint : known_fingerprints(text_of(octets), "drop.example")) {
    CHECK(fingerprint.find('\n') == std::string::npos);
  }
  talk(octets);
  return 0;
}
