// What rules cannot mean, each by itself and one after the other.
#pragma once

#include <optional>
#include <string>

#include "config/settings.h"

namespace cmpost {

struct RuleFault {
  std::size_t rule = 0;  // of Settings::rules
  std::string text, hint;
};
// Of rules whose words are right: names that nothing has, conditions that exclude each other, rules
// that are never reached.
std::vector<RuleFault> faults_of_rules(const Settings& settings);

}  // namespace cmpost
