// Owners of libssh's handles. Private to the folder.
#pragma once

#include <libssh/libssh.h>

#include <memory>

#include "base/free_with.h"

namespace cmpost {

using SshSessionPtr = std::unique_ptr<ssh_session_struct, FreeWith<ssh_free>>;
using SshChannelPtr = std::unique_ptr<ssh_channel_struct, FreeWith<ssh_channel_free>>;
using SshKeyPtr = std::unique_ptr<ssh_key_struct, FreeWith<ssh_key_free>>;
using SshTextPtr = std::unique_ptr<char, FreeWith<ssh_string_free_char>>;

}  // namespace cmpost
