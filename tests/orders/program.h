// A shell script in the place of a program that orders certificates.
#pragma once

#include <filesystem>
#include <string>

#include "base/files.h"
#include "config/channel_settings.h"
#include "tests/support/directory_tools.h"
#include "tests/support/matchers.h"
#include "tests/support/temporary_directory.h"

namespace cmpost {

class OrderProgram {
 public:
  explicit OrderProgram(std::string directory) : path_(std::move(directory) + "/order") {
    answer("exit 3");
  }
  const std::string& path() const { return path_; }
  // What it does. $RUNS gets the operation of each run, a word a line; $CSR is what came on stdin.
  void answer(const std::string& script) {
    const auto text = "#!/bin/sh\nRUNS=" + path_ +
                      ".runs\necho \"$CMPOST_OPERATION $CMPOST_COOKIE\" >> $RUNS\nCSR=$(cat)\n" +
                      script + "\n";
    ASSERT_THAT(write_file(path_, view_of(text), 0700, IfExists::replace), IsOk());
  }
  std::string runs() const {
    return std::filesystem::exists(path_ + ".runs") ? contents_of(path_ + ".runs") : "";
  }

 private:
  const std::string path_;
};

}  // namespace cmpost
