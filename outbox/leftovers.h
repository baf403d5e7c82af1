// Temporary names in an output directory.
#pragma once

#include <string>
#include <string_view>

#include "base/files.h"
#include "queue/job.h"

namespace cmpost {

// ".dev1.ip.pki.<job id>.part": the same at each try, so a second one finds what the first one
// left.
std::string part_name(const std::string& name, const JobId& id);
// Is it a name that part_name() makes?
bool is_part_name(std::string_view name);

// Entries that are not hidden; counts up to `most` and no further.
std::size_t count_visible_files(const FileDescriptor& directory, std::size_t most);

// Removes the files of such names; how many. Others' temporary files stay.
std::size_t remove_leftover_parts(const FileDescriptor& directory);

}  // namespace cmpost
