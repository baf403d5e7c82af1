// The keys of a [[channel]] with kind = "directory".
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace cmpost {

// When a file of an input directory is complete.
enum class ReadyRule {
  rename,   // it was renamed there or closed by its writer, or has not changed for `settle`
  stable,   // it has not changed for `settle`, whatever events say
  marker,   // x.done or x.ok lies beside x; what the marker says is x's SHA-256
  manifest  // a list of SHA-256 and names has come, and everything in it
};

struct DirectorySettings {
  static constexpr std::string_view kKind = "directory";
  bool is_private(std::string_view) const { return true; }

  std::string in;   // absolute
  std::string out;  // absolute
  // The name of an answer: {stem} of the request's file, {body} "ip", {tid} transactionID in hex,
  // {date} 20260131, {seq} a number that is fixed by the answer itself.
  std::string name_template = "{stem}.{body}.pki";
  ReadyRule ready = ReadyRule::rename;
  // Where answers are written before they are renamed to `out`, on the same file system; empty: in
  // `out` itself, under hidden names. For readers of `out` that take any file at once.
  std::string staging;
  // At least so long between two answers, and at most so many in `out` at a time; zero: no limit.
  // For readers that cannot take more.
  Duration pace = Duration::zero();
  std::size_t max_outstanding = 0;

  // `in` and `out` lie on something that is taken out and put in again.
  bool media = false;
  // Then: the medium is there only while this is a mount point. Empty: while `in` exists.
  std::string mount_point;

  // Numbered batches, of which nobody tells whether they arrived (docs/one-way.md).
  bool one_way_in = false, one_way_out = false;
  std::size_t copies = 1;                             // times each batch is written
  Duration repeat_after = Duration::zero();           // between two of them
  Duration batch_keep = std::chrono::hours(24 * 90);  // for `cmpost resend`; zero: for ever
  // A file that is seen first by a scan, and not by an event that says it is complete, must look
  // the same for this long. Raise it when uploads stall; it costs that much delay for such files
  // only.
  Duration settle = std::chrono::seconds(1);
  // Time between scans. Events make new files known at once where the file system has them.
  Duration poll = std::chrono::seconds(10);
  // How long in/.done and in/.quarantine keep files; zero: for ever.
  Duration done_keep = std::chrono::hours(24 * 30);
  Duration quarantine_keep = Duration::zero();
};

}  // namespace cmpost
