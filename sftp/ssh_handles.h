// Owners of libssh's handles. Private to the folder.
#pragma once

#include <libssh/libssh.h>

#include <memory>

namespace cmpost {

template <auto kFree>
struct FreeSsh {
  template <typename T>
  void operator()(T* handle) const {
    kFree(handle);
  }
};
using SshSessionPtr = std::unique_ptr<ssh_session_struct, FreeSsh<ssh_free>>;
using SshChannelPtr = std::unique_ptr<ssh_channel_struct, FreeSsh<ssh_channel_free>>;
using SshKeyPtr = std::unique_ptr<ssh_key_struct, FreeSsh<ssh_key_free>>;
using SshTextPtr = std::unique_ptr<char, FreeSsh<ssh_string_free_char>>;

}  // namespace cmpost
