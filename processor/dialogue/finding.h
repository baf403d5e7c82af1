// What has been found out about a message before anything is done about it.
#pragma once

#include <string>
#include <variant>

#include "base/seldom.h"
#include "cmp/pki_failure_info.h"
#include "processor/transaction/answer.h"
#include "processor/transaction/transaction.h"

namespace cmpost {

namespace finding {
struct Asked {};  // nothing is wrong with it: to be worked on
struct Faulty {
  Rejection rejection;
};
// Nobody can be answered: it is kept for an operator.
struct Unroutable {
  std::string why;
};
// The same octets were answered before.
struct Repeated {
  Seldom<StoredMessage> stored;
};
// Nothing is to be answered: a response, an announcement.
struct Unanswered {
  std::string why;
};
// Known without work: a KEM ciphertext.
struct Given {
  Seldom<Answer> answer;
};
}  // namespace finding

using Finding = std::variant<finding::Asked, finding::Faulty, finding::Unroutable,
                             finding::Repeated, finding::Unanswered, finding::Given>;

}  // namespace cmpost
