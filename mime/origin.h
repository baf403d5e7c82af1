// What the outermost header says about where a mail came from.
#pragma once

#include "mime/header.h"
#include "mime/read_mail.h"

namespace cmpost {

// Fills everything but `messages`, `wrapped` and `delivery_report`.
IncomingMail read_origin(const Header& header);

}  // namespace cmpost
