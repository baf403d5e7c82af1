#include "processor/devices/device_table.h"

namespace cmpost {

// `folded` is the name as names compare, and the key: no two devices share a secret's reference. A
// vendor's number is one device's; without a vendor it says nothing.
const std::vector<Migration> kDeviceMigrations = {
    {1, R"sql(
CREATE TABLE device_import (
  id INTEGER PRIMARY KEY,
  sha256 BLOB NOT NULL,
  at INTEGER NOT NULL,
  who TEXT NOT NULL
);
CREATE TABLE device (
  id INTEGER PRIMARY KEY,
  folded TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  vendor TEXT NOT NULL,
  serial TEXT NOT NULL,
  mac TEXT NOT NULL,
  profile TEXT NOT NULL,
  subject TEXT NOT NULL,
  san TEXT NOT NULL,
  site TEXT NOT NULL,
  channel TEXT NOT NULL,
  secret INTEGER NOT NULL,
  valid_from INTEGER,
  valid_until INTEGER,
  uses INTEGER,
  batch TEXT NOT NULL,
  contact TEXT NOT NULL,
  note TEXT NOT NULL,
  import INTEGER NOT NULL REFERENCES device_import (id),
  letters INTEGER NOT NULL DEFAULT 0,
  invited INTEGER,
  retired INTEGER,
  retired_reason TEXT NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX device_by_serial ON device (vendor, serial) WHERE vendor <> '' AND serial <> '';
CREATE UNIQUE INDEX device_by_mac ON device (vendor, mac) WHERE vendor <> '' AND mac <> '';
CREATE INDEX device_by_batch ON device (batch) WHERE batch <> '';
CREATE TABLE device_request (
  tx INTEGER PRIMARY KEY,
  device INTEGER NOT NULL
);
CREATE INDEX device_request_of ON device_request (device);
CREATE TABLE device_certificate (
  serial BLOB PRIMARY KEY,
  device INTEGER NOT NULL,
  first INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX device_certificate_of ON device_certificate (device, first);
CREATE TABLE device_sought (
  id INTEGER PRIMARY KEY,
  tx INTEGER NOT NULL,
  folded TEXT NOT NULL,
  name TEXT NOT NULL,
  vendor TEXT NOT NULL,
  serial TEXT NOT NULL,
  mac TEXT NOT NULL
);
CREATE INDEX device_sought_by_tx ON device_sought (tx);
CREATE INDEX wait_part_for_list ON wait_part (tx) WHERE state IN ('unlisted', 'listed');
)sql"},
    // subject_key: the only subject that it may have, as names compare; empty: it may have several;
    // NULL: nobody has looked since. letter_until: how long the secret of its letter is good by
    // itself.
    {2, R"sql(
ALTER TABLE device ADD COLUMN subject_key BLOB;
ALTER TABLE device ADD COLUMN letter_until INTEGER;
CREATE INDEX device_by_subject ON device (subject_key) WHERE subject_key <> x'';
)sql"},
};

}  // namespace cmpost
