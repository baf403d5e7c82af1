// What every list can be asked: filters, order, cut and form, by the same names everywhere.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "app/instance/instance.h"
#include "app/terminal/command_line.h"
#include "app/terminal/row_sink.h"
#include "store/list_query.h"

namespace cmpost {

enum class FilterBy { time, channel, profile, subject, requester, source, reason, event, expiry };

// What a list offers; `states` and `sorts` that are empty offer no --state and no --sort.
struct ListOffer {
  std::vector<FilterBy> filters{};
  std::vector<std::string> states{};
  std::vector<std::string> sorts{};
  bool newest_first = false;  // unless --oldest is given; else the oldest, unless --newest is
};

struct ListOptions {
  std::string since, until, expires_within;
  ListFilter filter;  // the rest, as it was written
  bool newest = false, oldest = false, json_lines = false;
  bool newest_first = false;

  void offer(CLI::App& command, const ListOffer& offered);
  // Times are read here: "2026-11-30", "2026-11-30T08:00:00Z", or "7d" ago. Warns of channels and
  // profiles that the settings do not have: what is listed may be older.
  Result<ListFilter> read(const Instance& instance) const;
  Result<ListFilter> read(Time now) const;
  ListForm form(const CommonOptions& common) const;
};

// The filter for the second of two lists that are shown as one, after `before` rows that match.
ListFilter behind(ListFilter filter, std::int64_t before);

// How many of `all` are not shown because of the limit.
std::int64_t left_out(const ListFilter& filter, std::int64_t all);

}  // namespace cmpost
