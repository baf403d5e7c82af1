// What an answer is called in an output directory.
#pragma once

#include <string>
#include <vector>

#include "queue/job_queue.h"

namespace cmpost {

// Text of a stranger as part of a file name: no control characters, no '/', nothing that a shell or
// another file system takes amiss, no invisible or direction-changing characters; such become '_'.
// Never empty, never starts with '.', '-' or '~'; at most `limit` octets, cut in the middle.
std::string file_name_part(std::string_view text, std::size_t limit);

// The names that an answer may have, in the order of preference: the template filled in, then with
// eight and with all digits of the job id. The answer alone decides them, so a second try finds
// what the first one left. Each is at most 200 octets (longer ones lose their middle) and ends like
// the template. Placeholders:
// {stem} of the request's file, {body}, {tid}, {date} of the answer (UTC), {seq} the first eight
// digits of its job id.
std::vector<std::string> answer_names(const std::string& name_template, const Lease& lease);

}  // namespace cmpost
