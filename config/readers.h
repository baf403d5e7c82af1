// From one table of the file to one struct. What concerns several tables is in load.cpp.
#pragma once

#include "config/settings.h"
#include "config/text/section.h"
#include "config/transport/readers.h"

namespace cmpost {

InstanceSettings read_instance(Section table);
ClockSettings read_clock(Section table);
CaSettings read_ca(Section table);
RaSettings read_ra(Section table);
ProfileSettings read_profile(Section table);
SubjectRules read_subject(Section table);
ExtensionRules read_extensions(Section table);
ChannelSettings read_channel(Section table);
RunSettings read_run(Section table);
VendorSettings read_vendor(Section table);
RuleSettings read_rule(Section table);
OfficerSettings read_officer(Section table);
// Keys about who may have what (rights_settings.h).
std::optional<RequesterKinds> read_who(Section& profile);
SubjectRule read_subject_rule(Section& table, std::string_view key);
SanRule read_san_rule(Section& table, std::string_view key);
ChannelRule read_channel_rule(Section& table, std::string_view key);
void read_additional(Section& channel, ChannelSettings& settings);
// A URL of a scheme that relying parties follow: http, https, ldap, file.
void complain_unless_url(Reading& reading, Position at, std::string_view text);

}  // namespace cmpost
