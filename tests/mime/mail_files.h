// Mails for the tests: recorded ones and ones made of lines.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

#include "base/bytes.h"

namespace cmpost {

inline std::string mail_file(const std::string& name) {
  return std::string(CMPOST_TEST_DATA) + "/mail/" + name;
}

inline Bytes read_mail_file(const std::string& name) {
  std::ifstream file(mail_file(name), std::ios::binary);
  EXPECT_TRUE(file) << name;
  return Bytes(std::istreambuf_iterator<char>(file), {});
}

// A mail of one line of text below `header`, whose lines end in LF.
inline Bytes mail_with_header(const std::string& header) {
  return to_bytes(std::string_view(header + "\nhello\n"));
}

}  // namespace cmpost
