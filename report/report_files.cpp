#include "report/report_files.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/crash_point.h"
#include "base/files.h"
#include "report/csv_report.h"
#include "report/html_report.h"
#include "report/json_report.h"
#include "report/summed_file.h"

namespace cmpost {
namespace {

constexpr const char* kSums = "SHA256SUMS";
constexpr const char* kSignature = "SHA256SUMS.p7s";
constexpr std::array<const char*, 5> kNames = {"report.csv", "report.html", "report.json", kSums,
                                               kSignature};

// The name of a report, and the hidden one beside it where it is made.
struct Place {
  std::string parent, made, hidden;
};

Result<Place> place_of(std::string directory) {
  while (directory.size() > 1 && directory.back() == '/') directory.pop_back();
  const auto slash = directory.rfind('/');
  const auto name = directory.substr(slash == std::string::npos ? 0 : slash + 1);
  if (name.empty() || name == "." || name == "..")
    return hold("a report has no name: " + directory);
  const auto parent = slash == std::string::npos ? "."
                      : slash == 0               ? "/"
                                                 : directory.substr(0, slash);
  return Place{parent, directory, path_below(parent, "." + name + ".part")};
}

// What a call that did not come to its end has left; nothing else is ever in it.
Result<void> remove_hidden(const Place& place) {
  if (!exists(place.hidden)) return {};
  ASSIGN_OR_RETURN(const auto directory, open_directory(place.hidden));
  for (const auto* name : kNames) {
    if (::unlinkat(directory.get(), name, 0) != 0 && errno != ENOENT) {
      return failure(errno_error("removing", path_below(place.hidden, name), errno));
    }
  }
  if (::rmdir(place.hidden.c_str()) != 0) {
    return failure(errno_error("removing directory", place.hidden, errno));
  }
  return {};
}

Result<RunCounts> sums_of(const RunItems& items) {
  RunCounts sums;
  TRY(items([&](const RunItem& item) -> Result<void> {
    ++sums[item.result];
    return {};
  }));
  return sums;
}

using Printer = std::function<Result<void>(const ReportSink& put)>;

// The line of SHA256SUMS.
Result<std::string> print_file(const FileDescriptor& directory, const char* name,
                               const Printer& print) {
  ASSIGN_OR_RETURN(auto file, SummedFile::create(directory, name));
  TRY(print([&](std::string_view text) { return file.add(text); }));
  ASSIGN_OR_RETURN(const auto sum, file.finish());
  crash_point("report.printed");
  return sum + "  " + name + "\n";
}

Result<void> put_file(const FileDescriptor& directory, const char* name, std::string_view text) {
  return print_file(directory, name, [&](const ReportSink& put) { return put(text); })
      .map([](const std::string&) {});
}

// All but the signature; what stands in SHA256SUMS.
Result<std::string> print_all(const FileDescriptor& directory, const RunFacts& facts,
                              const RunItems& items) {
  ASSIGN_OR_RETURN(const auto listed, sums_of(items));
  const auto first = headline(facts, listed);
  ASSIGN_OR_RETURN(const auto csv, print_file(directory, "report.csv", [&](const auto& put) {
                     return print_csv(facts, items, put);
                   }));
  ASSIGN_OR_RETURN(const auto html, print_file(directory, "report.html", [&](const auto& put) {
                     return print_html(facts, first, items, put);
                   }));
  ASSIGN_OR_RETURN(const auto json, print_file(directory, "report.json", [&](const auto& put) {
                     return print_json_report(facts, first, items, put);
                   }));
  const auto sums = csv + html + json;
  TRY(put_file(directory, kSums, sums));
  return sums;
}

Result<void> add_signature(const FileDescriptor& directory, const std::string& sums,
                           const SignSums& sign) {
  if (!sign) return {};
  ASSIGN_OR_RETURN(const auto signature, sign(view_of(sums)));
  return put_file(directory, kSignature, text_of(signature));
}

auto another_one(const std::string& path) {
  return hold(path + " is another one than the records of the run make",
              "look who has changed it, or whether another version of the program made it; move "
              "the directory away, and the report is made anew");
}

Result<void> expect_same(const Place& place, const FileDescriptor& hidden) {
  ASSIGN_OR_RETURN(const auto made, open_directory(place.made));
  for (const auto* name : {"report.csv", "report.html", "report.json", kSums}) {
    ASSIGN_OR_RETURN(const auto there, sum_of_file(made, name));
    ASSIGN_OR_RETURN(const auto here, sum_of_file(hidden, name));
    if (there != here) return another_one(path_below(place.made, name));
  }
  return {};
}

// The same report is there already.
Result<void> keep_made(const Place& place, const FileDescriptor& hidden, const std::string& sums,
                       const SignSums& sign) {
  TRY(expect_same(place, hidden));
  const auto signature = path_below(place.made, kSignature);
  if (sign) {
    ASSIGN_OR_RETURN(const auto octets, sign(view_of(sums)));
    if (!exists(signature)) {
      TRY(write_file(signature, octets, 0640, IfExists::fail));
    } else if (read_file(signature, octets.size() + 1).value_or(Bytes()) != octets) {
      return another_one(signature);
    }
  }
  return sync_directory(place.parent);
}

Result<void> put_in_place(const Place& place, const FileDescriptor& hidden) {
  TRY(sync(hidden, place.hidden));
  crash_point("report.whole");
  // A directory never takes the place of one that has anything in it.
  if (::rename(place.hidden.c_str(), place.made.c_str()) != 0) {
    return failure(errno_error("renaming to", place.made, errno));
  }
  crash_point("report.renamed");
  return sync_directory(place.parent);
}

Result<void> make(const Place& place, const RunFacts& facts, const RunItems& items,
                  const SignSums& sign) {
  if (::mkdir(place.hidden.c_str(), 0750) != 0) {
    return failure(errno_error("creating directory", place.hidden, errno));
  }
  ASSIGN_OR_RETURN(const auto hidden, open_directory(place.hidden));
  ASSIGN_OR_RETURN(const auto sums, print_all(hidden, facts, items));
  if (exists(place.made)) return keep_made(place, hidden, sums, sign);
  TRY(add_signature(hidden, sums, sign));
  return put_in_place(place, hidden);
}

}  // namespace

Result<void> write_report(const std::string& directory, const RunFacts& facts,
                          const RunItems& items, const SignSums& sign) {
  ASSIGN_OR_RETURN(const auto place, place_of(directory));
  TRY(remove_hidden(place));
  auto made = make(place, facts, items, sign);
  // What cannot be removed now is by the next call.
  if (const auto removed = remove_hidden(place); made && !removed) return removed;
  return made;
}

}  // namespace cmpost
