// The password or token of a login.
#pragma once

#include <string>

#include "base/result.h"
#include "config/transport/mail_settings.h"
#include "net/patience.h"

namespace cmpost {

// The first line of login.password_file, or what login.token_command prints; read anew for each
// login, so that a change needs no restart. The command gets no input, its errors go where ours go,
// and it and all its children are killed when `patience` is over. An Error never quotes the secret.
Result<std::string> login_secret(const LoginSettings& login, const Patience& patience);

}  // namespace cmpost
