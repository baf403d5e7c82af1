// Who we are, said to a server. Private to the folder.
#pragma once

#include <libssh/libssh.h>

#include <string>

#include "base/result.h"
#include "config/transport/sftp_settings.h"

namespace cmpost {

// Logs in with the key, the password or both, whatever the server wants; files are read now. An
// Error of Recovery::hold: the login was refused or its files are of no use; it never quotes a
// secret. The caller limits the time.
Result<void> ssh_log_in(ssh_session session, const SftpLogin& login, const std::string& peer);

}  // namespace cmpost
