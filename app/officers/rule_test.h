// `rule test`: the rules of the settings on requests that have come before.
#pragma once

#include <string>

#include "app/instance/list_options.h"
#include "app/terminal/command_line.h"

namespace cmpost {

struct RuleTestWords {
  ListOptions list;
  std::string rule;
  bool explain = false;
};

void add_rule_test(CLI::App& rule, RuleTestWords& words, CommandLine line);

}  // namespace cmpost
