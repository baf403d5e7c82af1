// From files to requests that a batch can keep.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "app/fleet/batch_source.h"
#include "app/instance/instance.h"
#include "processor/batches/batch_table.h"

namespace cmpost {

// How many octets a request of the channel may have, and the rest.
SourceLimits limits_of(const ChannelSettings& channel, const std::string& list);

// All files of a source, without their octets.
Result<std::vector<ArrivedRequest>> look_through(BatchSource& source,
                                                 const ChannelSettings& channel);
// Once more, for their octets: the message in each file that is one.
using TakeMessage =
    std::function<Result<void>(const std::string& file, const ArrivedRequest& now, Bytes message)>;
Result<void> read_again(BatchSource& source, const ChannelSettings& channel,
                        const TakeMessage& take);

// As the ledger keeps them: what has a token is sealed.
Result<BatchOctets> octets_to_keep(Instance& instance, const RequestFacts& facts, Bytes message);
Result<Bytes> kept_octets(Instance& instance, const BatchRequest& request,
                          const BatchOctets& octets);

}  // namespace cmpost
