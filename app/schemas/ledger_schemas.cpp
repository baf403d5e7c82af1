#include "app/schemas/ledger_schemas.h"

#include "ca/ledger/clock_record.h"
#include "processor/batches/batch_table.h"
#include "processor/credentials/envelope_tables.h"
#include "processor/credentials/protection_tables.h"
#include "processor/devices/device_table.h"
#include "processor/officers/officer.h"
#include "processor/rulings/rule_tables.h"
#include "processor/runs/run_table.h"
#include "processor/transaction/announcement_table.h"
#include "processor/transaction/operation_schema.h"
#include "processor/transaction/transaction_table.h"
#include "processor/upstream/upstream_table.h"

namespace cmpost {

std::vector<Ledger::Schema> ledger_schemas() {
  return {{"processor", kProcessorMigrations},
          {"announcement", kAnnouncementMigrations},
          {"protection", kProtectionMigrations},
          {"envelope", kEnvelopeMigrations},
          {"clock", clock_migrations()},
          {"run", kRunMigrations},
          {"operation", kOperationMigrations},
          {"upstream", kUpstreamMigrations},
          {"device", kDeviceMigrations},
          {"batch", kBatchMigrations},
          {"rule", kRuleMigrations},
          {"officer", kOfficerMigrations}};
}

}  // namespace cmpost
