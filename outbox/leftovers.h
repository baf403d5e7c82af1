// Temporary names in an output directory.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/files.h"
#include "outbox/egress.h"
#include "queue/job_queue.h"

namespace cmpost {

// ".dev1.ip.pki.<job id>.part": the same at each try, so a second one finds what the first one
// left.
std::string part_name(const std::string& name, const JobId& id);
// Whose name that is, if part_name() has made it.
std::optional<JobId> job_of_part(std::string_view name);
// Those of which may go: what a crash has left, of the `leases` of this process and of whatever
// nobody works on.
bool is_leftover(const JobId& part, std::span<const Lease> leases, const UnderWay& under_way);

// Entries that are not hidden; counts up to `most` and no further.
std::size_t count_visible_files(const FileDescriptor& directory, std::size_t most);

// Removes such files; how many. Others' temporary files stay.
std::size_t remove_leftover_parts(const FileDescriptor& directory, std::span<const Lease> leases,
                                  const UnderWay& under_way);

}  // namespace cmpost
