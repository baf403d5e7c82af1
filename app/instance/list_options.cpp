#include "app/instance/list_options.h"

#include <algorithm>

#include "app/terminal/named.h"
#include "app/terminal/output.h"
#include "config/text/units.h"

namespace cmpost {
namespace {

Result<Time> read_moment(const std::string& text, Time now) {
  if (const auto time = from_iso8601(text)) return *time;
  if (const auto day = from_iso8601(text + "T00:00:00Z")) return *day;
  if (const auto ago = parse_duration(text)) return now - *ago;
  return wrong_usage("\"" + printable(text, 40) + "\" is no time",
                     "write 2026-11-30, 2026-11-30T08:00:00Z (UTC), or 7d for seven days ago");
}

struct FilterOption {
  FilterBy by;
  const char* name;
  std::string ListFilter::*field;
  const char* help;
};
constexpr FilterOption kTexts[] = {
    {FilterBy::channel, "--channel", &ListFilter::channel, "only of this channel"},
    {FilterBy::profile, "--profile", &ListFilter::profile, "only of this profile"},
    {FilterBy::event, "--event", &ListFilter::event, "only this event"},
    {FilterBy::subject, "--subject", &ListFilter::subject, "part of the subject"},
    {FilterBy::requester, "--requester", &ListFilter::requester, "part of who asked"},
    {FilterBy::source, "--source", &ListFilter::source,
     "part of how it came: a file name, a Message-ID"},
    {FilterBy::reason, "--reason", &ListFilter::reason, "part of the reason or outcome"},
};

void warn_of_unknown(const ListFilter& filter, const Settings& settings) {
  const auto warn = [](const Error& error) {
    print_warning("warning: " + error.what + " in the settings" +
                  (error.hint.empty() ? "" : "; " + error.hint));
  };
  if (const auto& name = filter.channel; !name.empty()) {
    if (const auto found = channel_named(settings, name); !found) warn(found.error());
  }
  if (const auto& name = filter.profile; !name.empty()) {
    if (const auto found = profile_named(settings, name); !found) warn(found.error());
  }
}

}  // namespace

void ListOptions::offer(CLI::App& command, const ListOffer& offered) {
  const auto has = [&](FilterBy by) { return std::ranges::count(offered.filters, by) > 0; };
  newest_first = offered.newest_first;
  if (has(FilterBy::time)) {
    command.add_option("--since", since, "from then on: 2026-11-30, 2026-11-30T08:00:00Z or 7d");
    command.add_option("--until", until, "before then");
  }
  if (has(FilterBy::expiry)) {
    command.add_option("--expires-within", expires_within, "for instance 30d");
  }
  for (const auto& text : kTexts) {
    if (has(text.by)) command.add_option(text.name, filter.*text.field, text.help);
  }
  if (!offered.states.empty()) {
    command.add_option("--state", filter.state)->check(one_of("state", offered.states));
  }
  if (!offered.sorts.empty()) {
    command.add_option("--sort", filter.sort, "by this instead of the time")
        ->check(one_of("order", offered.sorts));
  }
  auto* first =
      command.add_flag("--newest", newest, "the newest (or, with --sort, the last) first");
  command.add_flag("--oldest", oldest, "the oldest first")->excludes(first);
  command
      .add_option("--limit", filter.limit, "at most so many (default: all); says how many are left")
      ->check(CLI::NonNegativeNumber);
  command.add_option("--offset", filter.offset, "leave out the first ones")
      ->check(CLI::NonNegativeNumber);
  command.add_flag("--json-lines", json_lines, "one JSON object a line");
}

Result<ListFilter> ListOptions::read(const Instance& instance) const {
  warn_of_unknown(filter, instance.settings());
  return read(instance.clock().now());
}

Result<ListFilter> ListOptions::read(Time now) const {
  auto wanted = filter;
  if (!since.empty()) {
    ASSIGN_OR_RETURN(wanted.since, read_moment(since, now));
  }
  if (!until.empty()) {
    ASSIGN_OR_RETURN(wanted.until, read_moment(until, now));
  }
  if (!expires_within.empty()) {
    ASSIGN_OR_RETURN(const auto within, of_usage(parse_duration(expires_within)));
    wanted.expires_before = now + within;
  }
  const bool plain = wanted.sort.empty() ? newest_first : false;
  wanted.newest = newest || (plain && !oldest);
  return wanted;
}

ListForm ListOptions::form(const CommonOptions& common) const {
  if (json_lines) return ListForm::json_lines;
  return common.json ? ListForm::json_array : ListForm::table;
}

ListFilter behind(ListFilter filter, std::int64_t before) {
  const auto matched = static_cast<std::size_t>(before);
  const auto shown = matched - std::min(matched, filter.offset);
  filter.offset -= std::min(filter.offset, matched);
  if (filter.limit) *filter.limit -= std::min(*filter.limit, shown);
  return filter;
}

std::int64_t left_out(const ListFilter& filter, std::int64_t all) {
  if (!filter.limit) return 0;
  constexpr std::size_t kMost = INT64_MAX;
  const auto shown_to =
      std::min(std::min(filter.offset, kMost) + std::min(*filter.limit, kMost), kMost);
  return std::max<std::int64_t>(0, all - static_cast<std::int64_t>(shown_to));
}

}  // namespace cmpost
