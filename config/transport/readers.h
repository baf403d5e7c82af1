// The keys of one kind of channel, or of what belongs to one; who calls it finishes the table.
#pragma once

#include "config/text/section.h"
#include "config/transport/courier_settings.h"
#include "config/transport/directory_settings.h"
#include "config/transport/http_settings.h"
#include "config/transport/mail_settings.h"
#include "config/transport/orders_settings.h"
#include "config/transport/sftp_settings.h"

namespace cmpost {

DirectorySettings read_directory_settings(Section& table);
MailSettings read_mail_settings(Section& table);
SftpSettings read_sftp_settings(Section& table);
HttpSettings read_http_settings(Section& table);
OrdersSettings read_orders_settings(Section& table);
CourierSettings read_courier_settings(Section& table);
// [bundle]; `instance`: what it is called where it says no name of its own.
BundleSettings read_bundle(Section table, const std::string& instance);
// A key whose value is one mail address, checked; may be missing.
std::string read_mail_address(Section& table, std::string_view key);
// The key `pins` of a table about TLS.
std::vector<std::string> read_pins(Section& table);
// The key `name_template`, checked.
std::string read_name_template(Section& table, const std::string& fallback);

}  // namespace cmpost
