// `cmpost secret list`.
#pragma once

#include "app/instance/list_options.h"

namespace cmpost {

// What is stored, without the secrets.
Result<ExitCode> list_secrets(const ListOptions& options, const CommonOptions& common);

}  // namespace cmpost
