// What has become of the items of a batch: derived from what the ledger and the queue have on
// record, never from what was said.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "ca/ledger/ledger.h"
#include "processor/batches/batch_table.h"
#include "processor/transaction/transaction.h"
#include "queue/job_queue.h"

namespace cmpost {

// Spelled in listings and in the ledger as here.
enum class BatchState {
  missing,   // its request has never come
  left_out,  // its finding keeps it back
  ready,     // to be put into the queue by the next run, if need be again
  queued,    // in the queue, nobody has answered yet
  held,      // in the queue, for a person
  waiting,   // for people, for a CA above, or for proof of possession
  granted,   // with changes or without
  partly,    // of several parts some are refused
  refused,
  dropped,  // a person has taken its job out of the queue
  gone,     // done, and nobody knows any more what has become of it
};
inline constexpr std::size_t kBatchStates = 11;
std::string_view to_string(BatchState state);
std::optional<BatchState> batch_state(std::string_view text);
using BatchTotals = std::array<std::size_t, kBatchStates>;

struct BatchStanding {
  BatchState state = BatchState::ready;
  std::string reason, failInfo;
  std::vector<std::string> serials;         // of its certificates, as people write them
  std::optional<std::int64_t> transaction;  // the row, where it has opened one
  // Refused, and the same octets would be judged anew: no transaction has kept an answer to them.
  bool judged_anew = false;
  bool is_final() const {
    return state == BatchState::granted || state == BatchState::partly ||
           state == BatchState::refused || state == BatchState::dropped;
  }
};

// What a device has made of a certificate.
enum class Confirmation {
  confirmed,    // by certConf
  refused,      // by certConf; it was revoked
  awaited,      // certConf may come
  overdue,      // it should have come
  not_needed,   // silence counts as acceptance
  not_in_time,  // nobody has, and nobody may any more
  unknown,      // the ledger has forgotten the messages
};
inline constexpr std::size_t kConfirmations = 7;
std::string_view to_string(Confirmation confirmation);
std::optional<Confirmation> confirmation(std::string_view text);
struct ConfirmedCertificate {
  std::string serial;
  Confirmation what = Confirmation::unknown;
  std::optional<Time> at;  // when it was confirmed or refused; or when it is due
  std::string reason;      // refused: what the device says; not_in_time: what it is now
};

// Reads only; one thread.
class BatchLook {
 public:
  // All of it outlives the object; `now` decides what is overdue. `remembered`: so long ledger and
  // queue know what has come of a request; zero: for ever. What was put since then and is known to
  // neither was lost with the queue (`queue new`, a backup), and is `ready` again.
  BatchLook(LedgerReader& ledger, JobQueue& requests, Time now, Duration remembered)
      : ledger_(ledger), requests_(requests), now_(now), remembered_(remembered) {}

  Result<BatchStanding> standing(const BatchEntry& item);
  // Of an item that has certificates.
  Result<std::vector<ConfirmedCertificate>> confirmations(const BatchStanding& standing);

 private:
  Result<std::optional<BatchStanding>> on_record(const BatchRequest& request);
  Result<std::optional<BatchStanding>> before_any_transaction(const BatchRequest& request);
  Result<std::optional<BatchStanding>> in_queue(const BatchRequest& request);
  bool was_lost(const BatchRequest& request) const;

  LedgerReader& ledger_;
  JobQueue& requests_;
  const Time now_;
  const Duration remembered_;
};

// Whether ledger or batches have had a request; `but`: the batch that is being made.
Result<std::optional<std::string>> find_known(LedgerReader& ledger, const RequestFacts& facts,
                                              std::string_view but);

}  // namespace cmpost
