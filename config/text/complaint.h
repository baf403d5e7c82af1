// What is wrong with a configuration file, said so that it can be mended without a manual.
#pragma once

#include <string>
#include <vector>

namespace cmpost {

// A place in a TOML file, counted from 1; line 0: the file as a whole.
struct Position {
  int line = 0;
  int column = 0;
  friend auto operator<=>(const Position&, const Position&) = default;
};

struct Complaint {
  std::string file;
  Position at;
  std::string message;  // one sentence without a full stop
  std::string hint;     // how to mend it; may be empty
  // The file that is named there and cannot be opened, if that is what is wrong.
  std::string unopened = {};
};
using Complaints = std::vector<Complaint>;

// "cmpost.toml:12:1"
std::string place_of(const Complaint& complaint);
// "cmpost.toml:12:1: unknown key 'pol' (did you mean 'poll'?)"
std::string to_string(const Complaint& complaint);

}  // namespace cmpost
