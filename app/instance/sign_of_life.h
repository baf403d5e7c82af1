// Whether somebody works this instance, and when that was last: on record for `status` and `check`.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/files.h"

namespace cmpost {

enum class Stage { ingress, processor, egress };
inline constexpr std::array kStages = {Stage::ingress, Stage::processor, Stage::egress};
std::string_view to_string(Stage stage);

struct Life {
  bool running = false;  // a process holds its lock now
  bool batch = false;    // `run`, which ends by itself; else `serve`
  int pid = 0;           // of the one that began last
  Time began{};
  Time last{};                // the last sign of it
  std::optional<Time> ended;  // in order
};

// nullopt: nobody has ever worked. An Error: what is on record cannot be read. Writes nothing.
Result<std::optional<Life>> look_for_life(const std::string& state, Stage stage);

// Held as long as a process works on a stage; several may. The lock goes with the process however
// that ends. What cannot be written is left: the work is worth more than its record.
class SignOfLife {
 public:
  enum class Kind { serve, run };
  // `state`: of the instance. `clock` must outlive the object.
  SignOfLife(const std::string& state, const std::vector<Stage>& stages, Kind kind,
             const Clock& clock);
  SignOfLife(const SignOfLife&) = delete;
  SignOfLife& operator=(const SignOfLife&) = delete;
  // The end in order.
  ~SignOfLife();

  // Now and then. Needs no room on the disk.
  void beat() const;

 private:
  void write(const FileDescriptor& file, std::optional<Time> ended) const;

  const Kind kind_;
  const Clock& clock_;
  const Time began_;
  std::vector<FileDescriptor> files_;
};

}  // namespace cmpost
