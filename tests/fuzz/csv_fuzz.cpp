// Lists of hostile octets, and what was read of them written and read again.
#include <cstdlib>
#include <sstream>

#include "base/bytes.h"
#include "base/csv.h"
#include "base/csv_reader.h"
#include "fuzz.h"

namespace {

using namespace cmpost;

constexpr CsvLimits kLimits{.row = 4096, .columns = 16};

// Long cells are cut when written.
bool can_be_written(const CsvRow& row) {
  std::size_t size = 0;
  for (const auto& cell : row.cells) size += cell.size();
  return row.fault.empty() && size < 500;
}

void write_and_read(const CsvReader& reader, const CsvRow& row) {
  std::istringstream again(csv_line(reader.columns()) + csv_line(row.cells));
  auto second = CsvReader::open(again);
  if (!second) return;  // names of columns may have been no text
  const auto same = second->next();
  if (!same || (*same && (*same)->cells.size() != row.cells.size())) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::istringstream in{std::string(text_of(ByteView(data, size)))};
  auto reader = CsvReader::open(in, kLimits);
  while (reader) {
    const auto row = reader->next();
    if (!row || !*row) break;
    if ((*row)->cells.size() != reader->columns().size()) std::abort();
    if (can_be_written(**row)) write_and_read(*reader, **row);
  }
  return 0;
}
