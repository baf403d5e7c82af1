// People decide on what waits.
#pragma once

#include <optional>

#include "ca/ledger/ledger.h"
#include "config/channel_settings.h"
#include "processor/officers/officer.h"
#include "processor/transaction/transaction.h"
#include "processor/transaction/wait_table.h"
#include "queue/spool.h"

namespace cmpost {

enum class Decided {
  done,           // the processor goes on with it
  one_more,       // somebody else has to agree, too
  said_before,    // the same person again
  unlisted,       // it waits for the row of its device, which no person stands in for
  own,            // whoever decides has brought it, or asks for it himself
  held,           // by a rule, which no person stands in for: rules are asked once more
  nothing_waits,  // no part of it is undecided
  differs,        // it is about something else than was named
  not_recorded,   // nobody can say what it is about before the processor has looked at it again
};
std::string_view to_string(Decided decided);

// Which parts of a transaction a verdict is about.
struct Choice {
  std::optional<std::int64_t> certReqId{};  // nullopt: all that are undecided
  std::optional<Sha256> object{};           // and of these what has this digest
};
struct Ruling {
  Decided decided = Decided::nothing_waits;
  // The parts as they were shown to whoever decides, with the state that the verdict gave them.
  std::vector<WaitingPart> about{};
  std::string why{};  // own
};

// Records one verdict about a transaction, with an audit record, in one commit, and then puts the
// job that makes the processor go on; a crash between the two is mended by wake_waiting(). A
// rejection by one person is enough; agreeing takes as many different people as the channel says,
// and all of them to the same object. Names that differ in case or
// blanks only are one person, and where the channel wants accounts so is one account.
// Needs no key: only what the settings say about the channel, nullptr where it is not configured
// any more.
// `officer`: who decides, where the settings name those who may; nobody approves his own
// (why_own()), which the commit judges.
Result<Ruling> decide(Spool& spool, Ledger& ledger, const ChannelSettings* channel,
                      const Clock& clock, const Transaction& transaction, const Choice& choice,
                      Vote verdict, const Officer* officer = nullptr);

}  // namespace cmpost
