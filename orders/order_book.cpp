#include "orders/order_book.h"

#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/files.h"

namespace cmpost {
namespace {

using nlohmann::json;

constexpr std::size_t kLargestEntry = std::size_t{64} << 20U;

std::string text_of_order(const PlacedOrder& order) {
  return json{{"tid", order.tid},
              {"cookie", to_base64(order.cookie)},
              {"request", to_base64(order.request)},
              {"placed", to_unix_micros(order.placed)},
              {"due", to_unix_micros(order.due)}}
      .dump();
}

// Throws json::exception.
std::optional<PlacedOrder> order_from(const json& value) {
  PlacedOrder order;
  order.tid = value.at("tid").get<std::string>();
  const auto cookie = from_base64(value.at("cookie").get<std::string>());
  const auto request = from_base64(value.at("request").get<std::string>());
  if (!cookie || !request) return std::nullopt;
  order.cookie = *cookie;
  order.request = *request;
  order.placed = from_unix_micros(value.at("placed").get<std::int64_t>());
  order.due = from_unix_micros(value.at("due").get<std::int64_t>());
  return order;
}

std::optional<PlacedOrder> read_order(ByteView contents) {
  try {
    return order_from(json::parse(text_of(contents)));
  } catch (const json::exception&) {
    return std::nullopt;
  }
}

}  // namespace

Result<void> OrderBook::write(const PlacedOrder& order) const {
  TRY(make_directories(directory_));
  return write_file(file_of(order.id), view_of(text_of_order(order)), 0640, IfExists::replace);
}

Result<void> OrderBook::remove(const JobId& id) const {
  const auto file = file_of(id);
  if (::unlink(file.c_str()) == 0) return sync_directory(directory_);
  if (errno == ENOENT) return {};
  return failure(errno_error("removing", file, errno));
}

Result<std::optional<PlacedOrder>> OrderBook::find(const JobId& id) const {
  const auto file = file_of(id);
  std::error_code error;
  if (!std::filesystem::exists(file, error)) {
    if (error) return failure(errno_error("looking for", file, error.value()));
    return std::nullopt;
  }
  ASSIGN_OR_RETURN(const auto contents, read_file(file, kLargestEntry));
  auto order = read_order(contents);
  if (!order) {
    return hold(file + " cannot be read",
                "somebody has to ask the CA for this order; then remove the file");
  }
  order->id = id;
  return order;
}

Result<OrderBook::Pages> OrderBook::all() const {
  std::vector<JobId> ids;
  std::error_code error;
  for (std::filesystem::directory_iterator at(directory_, error), end; !error && at != end;
       at.increment(error)) {
    if (const auto id = JobId::from_text(at->path().filename().string())) ids.push_back(*id);
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    return failure(errno_error("listing", directory_, error.value()));
  }
  Pages pages;
  for (const auto& id : ids) {
    auto order = find(id);
    if (!order) {
      pages.unreadable.emplace(id.text(), std::move(order).error());
    } else if (*order) {
      pages.orders.push_back(**std::move(order));
    }
  }
  return pages;
}

}  // namespace cmpost
