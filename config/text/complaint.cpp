#include "config/text/complaint.h"

namespace cmpost {

std::string place_of(const Complaint& complaint) {
  if (complaint.at.line == 0) return complaint.file;
  return complaint.file + ":" + std::to_string(complaint.at.line) + ":" +
         std::to_string(complaint.at.column);
}

std::string to_string(const Complaint& complaint) {
  const auto text = place_of(complaint) + ": " + complaint.message;
  return complaint.hint.empty() ? text : text + " (" + complaint.hint + ")";
}

}  // namespace cmpost
