#include "cmp/pki_header.h"

#include <algorithm>

namespace cmpost {

const InfoTypeAndValue* find(const GeneralInfo& info, const Oid& type) {
  const auto found = std::find_if(info.begin(), info.end(),
                                  [&](const auto& item) { return item.infoType == type; });
  return found == info.end() ? nullptr : &*found;
}

}  // namespace cmpost
