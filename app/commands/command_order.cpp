// `order`: what people do about a CA that speaks no CMP.
#include <nlohmann/json.hpp>

#include "app/commands/commands.h"
#include "app/instance/instance.h"
#include "app/instance/operator_act.h"
#include "app/terminal/output.h"
#include "app/terminal/row_sink.h"
#include "asn1/pem.h"
#include "base/files.h"
#include "orders/orders_by_hand.h"
#include "processor/records/order_listing.h"
#include "processor/records/request_search.h"
#include "queue/order_job.h"

namespace cmpost {
namespace {

using nlohmann::json;

constexpr const char* kShowsThem = "`cmpost order list` shows them";

struct OrderOptions {
  bool all = false;
  std::string id, reason, file;
};

constexpr std::size_t kLargestFile = std::size_t{1} << 20U;

json to_json(const ListedOrder& order) {
  const auto& message = order.message;
  json value = {{"id", order.id},
                {"tid", to_hex(message.transactionID)},
                {"channel", message.channel},
                {"kind", order.revocation ? "revocation" : "certificate"},
                {"state", to_string(message.state)},
                {"subject", order.subject},
                {"requester", order.requester},
                {"since", to_iso8601(message.made)}};
  if (order.revocation) {
    value["serials"] = order.serials;
  } else {
    value["names"] = order.names;
    value["key"] = order.key;
    value["extensions"] = order.extensions;
    value["profile"] = message.profile;
  }
  if (message.answer_by) value["answerBy"] = to_iso8601(*message.answer_by);
  if (message.answered) value["answered"] = to_iso8601(*message.answered);
  if (!message.answer_body.empty()) value["answer"] = message.answer_body;
  return value;
}

Result<ExitCode> list(const OrderOptions& options, const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  ASSIGN_OR_RETURN(const auto reader, instance->look_into_ledger());
  ASSIGN_OR_RETURN(const auto orders, list_orders(*reader, options.all));
  RowSink sink({"id", "what", "state", "channel", "subject", "names", "requester", "since"},
               common.json ? ListForm::json_array : ListForm::table, "no orders are open");
  for (const auto& one : orders) {
    sink.add(
        [&] {
          return std::vector<std::string>{one.id,
                                          one.revocation ? "revoke " + one.serials : "issue",
                                          std::string(to_string(one.message.state)),
                                          one.message.channel,
                                          one.subject,
                                          one.names,
                                          one.requester,
                                          to_iso8601(one.message.made)};
        },
        [&] { return to_json(one); });
  }
  sink.finish(0);
  return ExitCode::ok;
}

// What is called so: an order, and perhaps the revocation of what has come by it.
Result<std::vector<ListedOrder>> find_orders(LedgerReader& ledger, const std::string& id) {
  const auto digits = hex_digits(id);
  if (!digits) return wrong_usage("\"" + printable(id, 80) + "\" is no order", kShowsThem);
  ASSIGN_OR_RETURN(const auto found, transactions_beginning(ledger.connection(), *digits, 5));
  std::vector<ListedOrder> orders;
  UpstreamTable table(ledger.connection());
  for (const auto& transaction : found) {
    ASSIGN_OR_RETURN(const auto messages, table.of_transaction(transaction.id));
    for (const auto& message : messages) {
      if (message.mode != UpstreamMode::pkcs10) continue;
      const bool another =
          !orders.empty() && orders.front().message.transaction != message.transaction;
      if (another) return hold("several orders begin with " + *digits, kShowsThem);
      ASSIGN_OR_RETURN(auto whole, table.find(message.id));
      ASSIGN_OR_RETURN(auto order, describe_order(*std::move(whole), ledger));
      orders.push_back(std::move(order));
    }
  }
  if (orders.empty()) return hold("there is no order " + printable(id, 80), kShowsThem);
  return orders;
}

// The one of that kind.
Result<ListedOrder> find_order(LedgerReader& ledger, const std::string& id, bool revocation) {
  ASSIGN_OR_RETURN(auto orders, find_orders(ledger, id));
  for (auto& one : orders) {
    if (one.revocation == revocation) return std::move(one);
  }
  return hold("order " + printable(id, 80) +
                  (revocation ? " has nothing that is to be revoked" : " is for no certificate"),
              kShowsThem);
}

Result<ExitCode> show(const OrderOptions& options, const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  ASSIGN_OR_RETURN(const auto reader, instance->look_into_ledger());
  ASSIGN_OR_RETURN(const auto orders, find_orders(*reader, options.id));
  auto shown = json::array();
  for (const auto& one : orders) {
    shown.push_back(to_json(one));
    if (!one.revocation) {
      shown.back()["csr"] = to_pem_text("CERTIFICATE REQUEST", one.message.octets);
    }
  }
  if (common.json) {
    print_json(shown);
    return ExitCode::ok;
  }
  for (const auto& value : shown) {
    for (const auto& [key, field] : value.items()) {
      const auto text = field.get<std::string>();
      print_line(key == "csr" ? text : key + ": " + printable(text, 1000));
    }
  }
  return ExitCode::ok;
}

std::string_view act_of(OrderNews news) {
  switch (news) {
    case OrderNews::certificates:
      return "order.delivered";
    case OrderNews::refused:
      return "order.rejected";
    default:
      return "order.revoked";
  }
}

// The same has been told before, and other settings may have been in force then.
Result<void> judge_anew(const ListedOrder& order, const JobId& id, JobQueue& requests) {
  ASSIGN_OR_RETURN(const bool again, requests.retry(id));
  if (again) return {};
  ASSIGN_OR_RETURN(const auto job, requests.find(id));
  return hold("order " + order.id + ": the same was told before, and is " +
              (job ? std::string(to_string(job->state)) + " (" + job->reason + ")" : "forgotten"));
}

// Told to the processor like what a file has brought.
Result<ExitCode> tell(Instance& instance, const ListedOrder& order, OrderNews news,
                      const Bytes& payload, const CommonOptions& common) {
  const auto tid = to_hex(order.message.transactionID);
  TRY(record_act(instance, act_of(news), {{"tid", tid}, {"channel", order.message.channel}}));
  ASSIGN_OR_RETURN(auto* const spool, instance.spool());
  const auto job = order_job(order.message.channel, news, tid,
                             "row " + std::to_string(order.message.id), payload);
  ASSIGN_OR_RETURN(const auto fresh, spool->requests().put({&job, 1}));
  if (fresh == 0) TRY(judge_anew(order, job.id, spool->requests()));
  if (!common.quiet) {
    print_line("order " + order.id + ": " + std::string(to_string(news)) +
               "; the service goes on with it");
  }
  return ExitCode::ok;
}

Result<void> check_waits(const ListedOrder& order, std::initializer_list<UpstreamState> states) {
  if (std::ranges::find(states, order.message.state) != states.end()) return {};
  return hold("order " + order.id + " is over: " + std::string(to_string(order.message.state)),
              kShowsThem);
}

Result<ExitCode> note_revoked(const OrderOptions& options, const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  ASSIGN_OR_RETURN(const auto reader, instance->look_into_ledger());
  ASSIGN_OR_RETURN(const auto order, find_order(*reader, options.id, true));
  using enum UpstreamState;
  TRY(check_waits(order, {made, left, unanswered}));
  return tell(*instance, order, OrderNews::revoked, to_bytes("by " + instance->person().name()),
              common);
}

Result<ExitCode> reject_order(const OrderOptions& options, const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  ASSIGN_OR_RETURN(const auto reader, instance->look_into_ledger());
  ASSIGN_OR_RETURN(const auto orders, find_orders(*reader, options.id));
  const auto open = std::ranges::find_if(orders, [](const ListedOrder& one) {
    return one.message.question && is_open(one.message.state);
  });
  if (open == orders.end()) {
    return hold("nobody waits for an answer to order " + orders.front().id,
                "what is to be revoked by hand stays so until `cmpost order revoked`");
  }
  return tell(*instance, *open, OrderNews::refused, to_bytes(options.reason), common);
}

Result<ExitCode> deliver(const OrderOptions& options, const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto contents, read_file(options.file, kLargestFile));
  auto certificates = certificates_in(contents);
  if (!certificates) return failure(std::move(certificates).error().within(options.file));
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  ASSIGN_OR_RETURN(const auto reader, instance->look_into_ledger());
  ASSIGN_OR_RETURN(const auto order, find_order(*reader, options.id, false));
  using enum UpstreamState;
  TRY(check_waits(order, {made, left}));
  const auto wanted = certification_request_from_pem_or_der(order.message.octets);
  const bool fits = wanted && std::ranges::any_of(*certificates, [&](const Certificate& one) {
                      return equal(one.spki(), wanted->spki.der);
                    });
  if (!fits) return hold(options.file + " has no certificate for the key of order " + order.id);
  return tell(*instance, order, OrderNews::certificates, concatenated(*certificates), common);
}

// The same file again, where somebody has lost it.
Result<std::string> write_again(const ListedOrder& order, const ChannelSettings& channel) {
  Lease lease;
  lease.job = departure_of(order.message);
  lease.attempts = 2;
  OrdersByHandEgress egress(channel, [](const Job&) { return OrderStanding::open; });
  const auto written = egress.send({&lease, 1}, {});
  if (written.trouble) return failure(*written.trouble);
  if (written.each.front().what != Delivery::What::sent) return hold(written.each.front().detail);
  return written.each.front().detail + " is in " + channel.orders()->out;
}

// Somebody has looked, and the program is to be asked once more.
Result<std::string> ask_again(const ListedOrder& order, Spool& spool) {
  const auto id = order.message.job();
  ASSIGN_OR_RETURN(const auto job, spool.replies().find(id));
  const bool held = job && job->state == JobState::held;
  if (!held) {
    return hold("order " + order.id + " is not held: " +
                    (job ? std::string(to_string(job->state)) + ", " + job->reason
                         : std::string("it has left")),
                "only what nobody knows the outcome of is placed again");
  }
  ASSIGN_OR_RETURN(const bool released, spool.replies().release(id));
  if (!released) return hold("order " + order.id + " is not held any more");
  return std::string("it is placed once more");
}

Result<ExitCode> resubmit(const OrderOptions& options, const CommonOptions& common) {
  ASSIGN_OR_RETURN(const auto instance, Instance::open(common));
  ASSIGN_OR_RETURN(const auto reader, instance->look_into_ledger());
  ASSIGN_OR_RETURN(const auto order, find_order(*reader, options.id, false));
  using enum UpstreamState;
  TRY(check_waits(order, {made, left}));
  const auto* channel = instance->settings().channel(order.message.channel);
  if (channel == nullptr || channel->orders() == nullptr) {
    return hold("channel " + order.message.channel + " takes no orders any more");
  }
  TRY(record_act(*instance, "order.resubmitted",
                 {{"tid", to_hex(order.message.transactionID)}, {"channel", channel->name}}));
  ASSIGN_OR_RETURN(auto* const spool, instance->spool());
  ASSIGN_OR_RETURN(const auto said, channel->orders()->command.empty()
                                        ? write_again(order, *channel)
                                        : ask_again(order, *spool));
  if (!common.quiet) print_line("order " + order.id + ": " + said);
  return ExitCode::ok;
}

using OrderAction = Result<ExitCode> (*)(const OrderOptions&, const CommonOptions&);

}  // namespace

void add_order(CommandLine line) {
  auto* order = line.app.add_subcommand(
      "order", "orders to CAs that speak no CMP (channels with kind = \"orders\")");
  order->require_subcommand(1);
  auto options = std::make_shared<OrderOptions>();
  const auto add = [&](const char* name, const char* help, OrderAction run, bool about_one = true) {
    auto* command = order->add_subcommand(name, help);
    if (about_one) {
      command->add_option("ID", options->id, "of the order, or its transactionID")->required();
    }
    command->callback(
        [=] { line.action = [=, common = &line.options] { return run(*options, *common); }; });
    return command;
  };
  add("list", "what is ordered, and what is to be revoked by hand", list, false)
      ->add_flag("--all", options->all, "also what is over");
  add("show", "everything about one, with its PKCS#10", show);
  add("revoked", "what was to be revoked by hand has been revoked at the CA", note_revoked);
  add("resubmit", "place an order again of which nobody knows the outcome, or write its file again",
      resubmit);
  add("deliver", "what the CA has issued, where a program could not say so", deliver)
      ->add_option("FILE", options->file, "the certificate, as PEM, DER or PKCS#7")
      ->required();
  add("reject", "the requester is told that the CA has refused", reject_order)
      ->add_option("--reason", options->reason, "told to the requester")
      ->required();
}

}  // namespace cmpost
