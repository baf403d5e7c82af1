// `batch`: many requests with one list of what they should be.
#include <algorithm>

#include "app/fleet/batch_commands.h"
#include "app/fleet/fleet_commands.h"
#include "app/terminal/named.h"

namespace cmpost {
namespace {

using BatchAction = Result<ExitCode> (*)(const BatchWords&, const CommonOptions&);

template <typename T>
std::vector<std::string> words_of(std::size_t count) {
  std::vector<std::string> words;
  for (std::size_t i = 0; i < count; ++i) words.emplace_back(to_string(static_cast<T>(i)));
  return words;
}

// It stands in file names and in the audit log.
std::string fault_of_name(const std::string& name) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  };
  const bool good = !name.empty() && name.size() <= 64 && std::ranges::all_of(name, fits) &&
                    name.front() != '.' && name.front() != '-';
  return good ? std::string()
              : "a batch is called by up to 64 of letters, digits, '_', '-' and '.'";
}

}  // namespace

void add_batch(CommandLine line) {
  auto* batch =
      line.app.add_subcommand("batch", "many requests with one list of what they should be");
  batch->require_subcommand(1);
  auto options = std::make_shared<BatchWords>();
  const auto add = [&](const char* name, const char* help, BatchAction run, bool about_one = true) {
    auto* command = batch->add_subcommand(name, help);
    if (about_one) {
      command->add_option("NAME", options->name, "of the batch")
          ->required()
          ->check(CLI::Validator([](std::string& text) { return fault_of_name(text); }, "NAME"));
    }
    command->callback(
        [=] { line.action = [=, common = &line.options] { return run(*options, *common); }; });
    return command;
  };
  auto* create = add("create", "take a set of requests, and hold it against a list", create_batch);
  create->add_option("--from", options->from, "directory or ZIP with the requests")->required();
  create->add_option("--manifest", options->list,
                     "CSV with a row for each request: file or name, subject, serial, mac, ...");
  create->add_option("--channel", options->channel, "whose rights count, and whose way out")
      ->required();
  create
      ->add_option("--take", options->take,
                   "also what is extra, differs or same-key, which is left out as a rule")
      ->check(one_of("finding", {"extra", "differs", "same-key"}));
  options->batches.offer(*add("list", "the batches", list_batches, false), {.newest_first = true});
  auto* show = add("show", "what has become of each item, and how many are where", show_batch);
  show->add_option("--state", options->state, "only these items")
      ->check(one_of("state", words_of<BatchState>(kBatchStates)));
  show->add_option("--finding", options->finding, "only these items")
      ->check(one_of("finding", words_of<BatchFinding>(kBatchFindings)));
  show->add_flag("--csv", options->csv, "the items as a list for spreadsheets");
  options->items.offer(*show, {});
  auto* run =
      add("run", "answer what is in it: put what is not in the queue there, and work", run_batch);
  run->add_option("--to", options->to,
                  "directory for the answers, instead of the channel's way out");
  auto* again = add("retry", "make items ready once more", retry_batch);
  again->add_option("--only", options->only, "which: refused (default) or missing")
      ->check(one_of("choice", {"refused", "missing"}));
  again->add_option("--from", options->from, "directory or ZIP with new requests for them");
  auto* confirmed = add("confirmations", "which certificates have been confirmed by certConf",
                        show_confirmations);
  confirmed->add_option("--state", options->state, "only these")
      ->check(one_of("state", words_of<Confirmation>(kConfirmations)));
  options->confirmed.offer(*confirmed, {});
  add("drop", "what was not put into the queue never will be", drop_batch)
      ->add_option("--reason", options->reason, "stands in the audit log")
      ->required();
}

}  // namespace cmpost
