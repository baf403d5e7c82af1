// What is said of orders to a CA that speaks no CMP: jobs in the queue of requests that hold no
// message.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "queue/job.h"

namespace cmpost {

// Envelope::body of such a job.
enum class OrderNews {
  certificates,  // payload: DER of certificates one after the other; for whom says the key
  refused,       // by the CA, or by a person; payload: why, UTF-8 for people
  revoked        // by a person at the CA, as was asked for; payload: who says so
};
std::string_view to_string(OrderNews news);
std::optional<OrderNews> order_news(std::string_view body);

// Of what leaves for such a CA everything is a PKCS#10, but what has this body: a certificate that
// a person shall revoke there. It leaves by standing in a list.
inline constexpr std::string_view kRevocationOrder = "rr";
inline constexpr std::string_view kListed = "the list of what is to be revoked by hand";

// An order is called by the first digits of the transactionID that it was asked for in: this many
// octets of it, in hex. Envelope::tid of a job is such a name, a longer beginning, or empty where
// nobody has named an order.
inline constexpr std::size_t kOrderName = 6;
// "0a1b2c3d4e5f" of a transactionID in hex.
std::string order_name(std::string_view tid);
// Whether `text` could be one, or a longer beginning: hexadecimal digits.
bool is_order_name(std::string_view text);

// What the ledger says of an order that is about to be placed.
enum class OrderStanding {
  open,
  over,    // answered, refused or given up meanwhile: nobody waits for it
  unknown  // the ledger has no such order: one of the two comes from a backup
};
using AskStanding = std::function<Result<OrderStanding>(const Job& order)>;

// News of an order that no file has brought. The same again is the same job.
Job order_job(const std::string& channel, OrderNews news, const std::string& tid,
              const std::string& source, Bytes payload);

}  // namespace cmpost
