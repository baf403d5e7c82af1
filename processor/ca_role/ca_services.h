// What the handlers of the CA role may use.
#pragma once

#include "processor/admission/services.h"
#include "processor/authority/authority.h"

namespace cmpost {

struct CaServices : Services {
  const Authority& authority;
};

}  // namespace cmpost
