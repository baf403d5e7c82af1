// The tables of transactions, their messages, what waits, and the secrets of requesters.
#include "processor/transaction/transaction_table.h"

namespace cmpost {

// A transactionID is chosen by the requester: its index holds eight octets of its digest, so that
// it stays small and nobody can choose where it grows. Everything else grows at one end.
const std::vector<Migration> kProcessorMigrations = {
    {1, R"sql(
CREATE TABLE tx (
  id INTEGER PRIMARY KEY,
  tid_key INTEGER NOT NULL,
  tid BLOB NOT NULL,
  channel TEXT NOT NULL,
  state TEXT NOT NULL,
  body TEXT NOT NULL,
  pvno INTEGER NOT NULL,
  credential TEXT NOT NULL,
  our_nonce BLOB NOT NULL,
  certificates TEXT NOT NULL,
  old_serial BLOB NOT NULL,
  confirm_by INTEGER,
  opened INTEGER NOT NULL
);
CREATE INDEX tx_by_tid ON tx (tid_key);
CREATE INDEX tx_overdue ON tx (confirm_by) WHERE state = 'open';
CREATE INDEX tx_renewing ON tx (old_serial) WHERE state = 'open' AND old_serial <> x'';
CREATE TABLE message (
  id INTEGER PRIMARY KEY,
  tx INTEGER NOT NULL REFERENCES tx (id),
  digest BLOB NOT NULL,
  channel TEXT NOT NULL,
  at INTEGER NOT NULL,
  body TEXT NOT NULL,
  outcome TEXT NOT NULL,
  reply_body TEXT NOT NULL,
  request BLOB NOT NULL,
  reply BLOB NOT NULL
);
CREATE INDEX message_by_tx ON message (tx);
CREATE TABLE secret (
  reference TEXT PRIMARY KEY,
  sealed BLOB NOT NULL,
  subject TEXT NOT NULL,
  max_uses INTEGER,
  uses INTEGER NOT NULL DEFAULT 0,
  expires INTEGER,
  added INTEGER NOT NULL
) WITHOUT ROWID;
)sql"},
    {2, R"sql(
ALTER TABLE tx ADD COLUMN reply BLOB NOT NULL DEFAULT x'';
ALTER TABLE tx ADD COLUMN batch BLOB NOT NULL DEFAULT x'';
DROP INDEX tx_overdue;
CREATE INDEX tx_overdue ON tx (confirm_by) WHERE state <> 'closed' AND confirm_by IS NOT NULL;
DROP INDEX tx_renewing;
CREATE INDEX tx_renewing ON tx (old_serial) WHERE state <> 'closed' AND old_serial <> x'';
CREATE INDEX tx_unsent ON tx (id) WHERE state <> 'closed' AND reply <> x'';
CREATE INDEX tx_live ON tx (state, id) WHERE state <> 'closed';
CREATE INDEX tx_batch ON tx (batch) WHERE state <> 'closed' AND batch <> x'';
CREATE TABLE wait (
  tx INTEGER PRIMARY KEY REFERENCES tx (id),
  version INTEGER NOT NULL,
  received INTEGER NOT NULL,
  interim_at INTEGER,
  decide_by INTEGER,
  told INTEGER NOT NULL,
  implicit INTEGER NOT NULL,
  asked INTEGER,
  polls INTEGER NOT NULL,
  nonces BLOB NOT NULL,
  source TEXT NOT NULL,
  reply_channel TEXT NOT NULL, reply_address TEXT NOT NULL, reply_name TEXT NOT NULL,
  in_reply_to TEXT NOT NULL, reply_references TEXT NOT NULL,
  pushed_body TEXT NOT NULL,
  pushed BLOB NOT NULL
);
CREATE INDEX wait_interim ON wait (interim_at) WHERE interim_at IS NOT NULL;
CREATE INDEX wait_decide ON wait (decide_by) WHERE decide_by IS NOT NULL;
CREATE TABLE wait_part (
  tx INTEGER NOT NULL REFERENCES wait (tx),
  cert_req_id INTEGER NOT NULL,
  state TEXT NOT NULL,
  subject TEXT NOT NULL,
  reason TEXT NOT NULL,
  answer BLOB NOT NULL,
  PRIMARY KEY (tx, cert_req_id)
) WITHOUT ROWID;
CREATE INDEX wait_part_open ON wait_part (state, tx)
  WHERE state IN ('undecided', 'approved', 'rejected');
CREATE TABLE verdict (
  id INTEGER PRIMARY KEY,
  tx INTEGER NOT NULL REFERENCES tx (id),
  cert_req_id INTEGER NOT NULL,
  approves INTEGER NOT NULL,
  who TEXT NOT NULL,
  at INTEGER NOT NULL,
  reason TEXT NOT NULL
);
CREATE INDEX verdict_by_tx ON verdict (tx);
)sql"},
    {3, R"sql(
ALTER TABLE message ADD COLUMN pieces TEXT NOT NULL DEFAULT '';
)sql"},
    // What secrets may ask for, as SecretStore spells it. Those that are there keep what they had.
    {4, R"sql(
ALTER TABLE secret ADD COLUMN san TEXT NOT NULL DEFAULT 'any';
ALTER TABLE secret ADD COLUMN profiles TEXT NOT NULL DEFAULT '';
ALTER TABLE secret ADD COLUMN channels TEXT NOT NULL DEFAULT '*';
)sql"},
    {5, R"sql(
ALTER TABLE wait_part ADD COLUMN object BLOB NOT NULL DEFAULT x'';
ALTER TABLE wait_part ADD COLUMN round INTEGER NOT NULL DEFAULT 0;
ALTER TABLE wait_part ADD COLUMN why TEXT NOT NULL DEFAULT '';
ALTER TABLE verdict ADD COLUMN object BLOB NOT NULL DEFAULT x'';
ALTER TABLE verdict ADD COLUMN round INTEGER NOT NULL DEFAULT 0;
)sql"},
    // A secret is for one purpose. The names of tokens were what told them from MAC secrets.
    {6, R"sql(
ALTER TABLE secret ADD COLUMN purpose TEXT NOT NULL DEFAULT 'mac';
UPDATE secret SET purpose = 'regToken' WHERE reference GLOB 'regToken/*';
UPDATE secret SET purpose = 'authenticator' WHERE reference GLOB 'authenticator/*';
ALTER TABLE message ADD COLUMN sealed INTEGER NOT NULL DEFAULT 0;
)sql"},
    // Of secrets that are there it is not known whether they are more than passwords.
    {7, R"sql(
ALTER TABLE secret ADD COLUMN is_key INTEGER NOT NULL DEFAULT 0;
)sql"},
    // For people who look for a transaction; of those that are there it was not kept.
    {8, R"sql(
ALTER TABLE tx ADD COLUMN requester TEXT NOT NULL DEFAULT '';
ALTER TABLE tx ADD COLUMN subject TEXT NOT NULL DEFAULT '';
ALTER TABLE tx ADD COLUMN came_as TEXT NOT NULL DEFAULT '';
ALTER TABLE message ADD COLUMN source TEXT NOT NULL DEFAULT '';
ALTER TABLE verdict ADD COLUMN account TEXT NOT NULL DEFAULT '';
)sql"},
    // Those that are there go on as one with whatever was added under their references before.
    {9, R"sql(
ALTER TABLE secret ADD COLUMN identity BLOB NOT NULL DEFAULT x'';
)sql"},
    // Which job it came as; of messages that are there it was not kept.
    {10, R"sql(
ALTER TABLE message ADD COLUMN job BLOB NOT NULL DEFAULT x'';
)sql"},
    // What a message has come to, which of those that are there only its words tell; and in which
    // run (runs/run_table.h): 0 in none. A run has its channels as long as it is under way.
    {11, R"sql(
ALTER TABLE message ADD COLUMN result TEXT NOT NULL DEFAULT '';
ALTER TABLE message ADD COLUMN fail_info TEXT NOT NULL DEFAULT '';
ALTER TABLE message ADD COLUMN run INTEGER NOT NULL DEFAULT 0;
ALTER TABLE message ADD COLUMN settled_run INTEGER NOT NULL DEFAULT 0;
CREATE INDEX message_by_run ON message (run) WHERE run <> 0;
CREATE INDEX message_by_settled_run ON message (settled_run) WHERE settled_run <> 0;
CREATE TABLE run_channel (channel TEXT PRIMARY KEY, run INTEGER NOT NULL) WITHOUT ROWID;
)sql"},
    // As what a transaction's messages have come besides: people look for files by their names.
    {12, R"sql(
CREATE TABLE also_came_as (
  tx INTEGER NOT NULL REFERENCES tx (id), came_as TEXT NOT NULL, PRIMARY KEY (tx, came_as)
) WITHOUT ROWID;
)sql"},
    // Which rule has asked people, and how many.
    {13, R"sql(
ALTER TABLE wait_part ADD COLUMN rule TEXT NOT NULL DEFAULT '';
ALTER TABLE wait_part ADD COLUMN people INTEGER NOT NULL DEFAULT 0;
CREATE INDEX wait_part_held ON wait_part (tx) WHERE state = 'held';
)sql"},
    // CMS SignedData of the officer, where it was signed.
    {14, R"sql(
ALTER TABLE verdict ADD COLUMN signature BLOB NOT NULL DEFAULT x'';
)sql"},
};

}  // namespace cmpost
