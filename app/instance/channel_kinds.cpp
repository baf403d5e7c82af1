#include "app/instance/channel_kinds.h"

#include <array>

#include "app/instance/courier_channel.h"
#include "app/instance/directory_channel.h"
#include "app/instance/http_channel.h"
#include "app/instance/mail_channel.h"
#include "app/instance/orders_channel.h"
#include "app/instance/sftp_channel.h"

namespace cmpost {
namespace {

// What a server keeps is its matter.
std::vector<std::string> nowhere(const ChannelSettings&) { return {}; }

constexpr const char* kMoveFileBack =
    "move the file back to where requests come, when the reason is gone; then "
    "`cmpost queue drop` the job";

constexpr std::array<ChannelKind, std::variant_size_v<Transport>> kKinds = {{
    {.word = DirectorySettings::kKind,
     .make_ingress = make_directory_ingress,
     .make_egress = make_directory_egress,
     .directories = directories_of,
     .outputs = output_of,
     .server = std::nullopt,
     .without_server = "`cmpost check` looks at its directories",
     .try_input_again = kMoveFileBack},
    {.word = MailSettings::kKind,
     .make_ingress = make_mail_ingress,
     .make_egress = make_mail_egress,
     .directories = nowhere,
     .outputs = nowhere,
     .server = ServerActs{.host = mail_host,
                          .log_in = log_in_by_mail,
                          .reached = "logged in at",
                          .test = send_to_itself},
     .without_server = nullptr,
     .try_input_again = "move the mail back to where requests come, when the reason is gone"},
    {.word = SftpSettings::kKind,
     .make_ingress = make_sftp_ingress,
     .make_egress = make_sftp_egress,
     .directories = nowhere,
     .outputs = nowhere,
     .server = ServerActs{.host = sftp_host,
                          .log_in = log_in_by_sftp,
                          .reached = "logged in at",
                          .test = write_a_probe},
     .without_server = nullptr,
     .try_input_again = kMoveFileBack},
    {.word = HttpSettings::kKind,
     .make_ingress = make_http_ingress,
     .make_egress = make_http_egress,
     .directories = nowhere,
     .outputs = nowhere,
     .server = ServerActs{.host = http_host,
                          .log_in = log_in_by_http,
                          .reached = "connected to",
                          .test = connect_for_a_test},
     .without_server = nullptr,
     .try_input_again = "it comes again when its request is sent again"},
    {.word = OrdersSettings::kKind,
     .make_ingress = make_orders_ingress,
     .make_egress = make_orders_egress,
     .directories = directories_of_orders,
     .outputs = output_of_orders,
     .server = std::nullopt,
     .without_server = "`cmpost check` looks at its directories or its program",
     .try_input_again = kMoveFileBack},
    {.word = CourierSettings::kKind,
     .make_ingress = make_courier_ingress,
     .make_egress = make_courier_egress,
     .directories = nowhere,
     .outputs = nowhere,
     .server = std::nullopt,
     .without_server = "`cmpost bundle list` shows what was carried",
     .try_input_again = "ask its sender for a new message; what came lies in the channel's "
                        "quarantine below the directory `state`"},
}};

// A kind without a row has no word.
template <std::size_t... i>
constexpr bool have_rows(std::index_sequence<i...>) {
  return ((kKinds[i].word == std::variant_alternative_t<i, Transport>::kKind) && ...);
}
static_assert(have_rows(std::make_index_sequence<kKinds.size()>()),
              "a kind of channel has no row, or rows are not in the order of Transport");

}  // namespace

const ChannelKind& kind_of(const ChannelSettings& channel) {
  return kKinds[channel.transport.index()];
}

}  // namespace cmpost
