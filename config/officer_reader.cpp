#include "config/readers.h"

namespace cmpost {

OfficerSettings read_officer(Section table) {
  OfficerSettings officer;
  officer.name = table.name("name");
  table.require("account", "account = \"alice\": as `id -un` has it");
  officer.account = table.text("account");
  officer.certificate = table.path("certificate", NamedFile::Use::readable);
  table.finish();
  return officer;
}

}  // namespace cmpost
