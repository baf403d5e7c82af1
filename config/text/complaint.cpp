#include "config/text/complaint.h"

namespace cmpost {

std::string to_string(const Complaint& complaint) {
  std::string text = complaint.file;
  if (complaint.at.line > 0) {
    text += ":" + std::to_string(complaint.at.line) + ":" + std::to_string(complaint.at.column);
  }
  text += ": " + complaint.message;
  return complaint.hint.empty() ? text : text + " (" + complaint.hint + ")";
}

}  // namespace cmpost
