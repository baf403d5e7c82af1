// A file of settings for tests, and what is said of it.
#pragma once

#include "config/settings.h"
#include "tests/support/matchers.h"

namespace cmpost {

// A file that is right, in pieces that a test can replace.
struct File {
  std::string instance = "[instance]\nname = \"grid\"\n";
  std::string ca =
      "[ca]\ncertificate = \"ca/ca.pem\"\nkey = \"ca/ca.key\"\n"
      "cmp_certificate = \"ca/cmp.pem\"\ncmp_key = \"ca/cmp.key\"\n";
  std::string profile = "[[profile]]\nname = \"device\"\n";
  std::string channel =
      "[[channel]]\nname = \"drop\"\nkind = \"directory\"\nin = \"in\"\nout = \"out\"\n";
  std::string more;
  std::string text() const { return instance + ca + profile + channel + more; }
};

inline Loaded parse(const File& file) {
  return parse_settings(file.text(), "/etc/cmpost/cmpost.toml");
}
inline Loaded with_more(const std::string& more) { return parse(File{.more = more}); }
inline Loaded with_channel(const std::string& more) {
  File file;
  file.channel += more;
  return parse(file);
}
inline Loaded with_profile(const std::string& more) {
  File file;
  file.profile += more;
  return parse(file);
}

inline std::vector<std::string> complaints(const Loaded& loaded) {
  std::vector<std::string> texts;
  if (!loaded) {
    for (const auto& complaint : loaded.error()) texts.push_back(to_string(complaint));
  }
  return texts;
}

MATCHER_P(ComplainsOnce, matcher, "has one complaint that fits") {
  const auto texts = complaints(arg);
  *result_listener << ::testing::PrintToString(texts);
  return texts.size() == 1 && ::testing::ExplainMatchResult(matcher, texts[0], result_listener);
}

}  // namespace cmpost
