// The report of a run as a directory: whole or not there.
#pragma once

#include <functional>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "report/run_report.h"

namespace cmpost {

// Gives the detached CMS signature (DER) over the octets of SHA256SUMS, the same one each time: it
// is made once, and kept. Empty: nobody signs.
using SignSums = std::function<Result<Bytes>(ByteView sums)>;

// Makes `directory` with report.html, report.csv, report.json, SHA256SUMS and, with `sign`,
// SHA256SUMS.p7s. The directory above it has to be there.
//
// The same facts and items make the same octets, whenever and wherever (only the signature is
// `sign`'s). All is synced in a hidden directory beside, which is then renamed; after a crash there
// is the whole report or none, and the next call takes away what is left. When it returns, the
// report is durable.
//
// When `directory` exists, its files are compared: the same ones are fine (a missing
// signature is added), others are an Error (hold) and stay as they are. An Error of `items` or
// of `sign` is handed on, and nothing is left. One call at a time for one `directory`. Memory does
// not grow with the number of items, which are asked for several times.
Result<void> write_report(const std::string& directory, const RunFacts& facts,
                          const RunItems& items, const SignSums& sign);

}  // namespace cmpost
