#include "config/rule_checks.h"

#include <algorithm>
#include <array>

#include "base/bytes.h"
#include "config/text/spelling.h"

namespace cmpost {
namespace {

using Words = std::vector<std::string>;

const Words* words_of(const RuleSettings& rule, RuleField field) {
  const auto* condition = rule.condition(field);
  return condition == nullptr ? nullptr : std::get_if<Words>(&condition->wants);
}

// The only word that the condition allows; empty: others, too.
std::string only_word(const RuleSettings& rule, RuleField field) {
  const auto* words = words_of(rule, field);
  return words != nullptr && words->size() == 1 ? words->front() : std::string();
}

bool are_all_of(const Words& words, const Words& others) {
  return std::ranges::all_of(
      words, [&](const auto& word) { return std::ranges::find(others, word) != others.end(); });
}

constexpr std::array kRuledBodies = {"ir", "cr", "p10cr", "kur", "rr"};

// Whatever fulfils the condition of `later` fulfils this one.
bool follows(const RuleCondition& condition, const RuleSettings& later) {
  if (condition.field == RuleField::body) return true;  // is_about() says
  const auto* other = later.condition(condition.field);
  if (other == nullptr) return false;
  const auto* words = std::get_if<Words>(&condition.wants);
  const auto* theirs = std::get_if<Words>(&other->wants);
  if (words != nullptr && theirs != nullptr) return are_all_of(*theirs, *words);
  return condition.wants == other->wants;
}

bool shadows(const RuleSettings& earlier, const RuleSettings& later) {
  const bool bodies = std::ranges::all_of(kRuledBodies, [&](const char* body) {
    return !later.is_about(body) || earlier.is_about(body);
  });
  return bodies && std::ranges::all_of(earlier.when, [&](const RuleCondition& condition) {
           return follows(condition, later);
         });
}

// Fields of a certificate that is asked for, which a revocation does not have.
constexpr std::array kOfCertificates = {RuleField::profile,  RuleField::subject,
                                        RuleField::san,      RuleField::key,
                                        RuleField::key_type, RuleField::validity};
constexpr std::array kFieldsAgainstOld = {RuleField::subject, RuleField::san, RuleField::key};
constexpr std::array kOfDevices = {RuleField::vendor, RuleField::site, RuleField::batch,
                                   RuleField::active_certificates};

class Look {
 public:
  Look(const Settings& settings, std::size_t index, std::vector<RuleFault>& faults)
      : settings_(settings), rule_(settings.rules[index]), index_(index), faults_(faults) {}

  void look() {
    look_for_names(RuleField::channel, downstream());
    look_for_names(RuleField::profile, names_of(settings_.profiles));
    look_for_names(RuleField::vendor, names_of(settings_.vendors));
    look_for_contradictions();
    look_for_profiles();
    for (std::size_t i = 0; i < index_; ++i) {
      if (!shadows(settings_.rules[i], rule_)) continue;
      say("is never reached: the rule '" + settings_.rules[i].name +
              "' before it decides about all that it is for",
          "the first rule that fits decides; put the narrower one first");
      return;
    }
  }

 private:
  void say(const std::string& text, std::string hint) {
    faults_.push_back({index_, "rule '" + rule_.name + "' " + text, std::move(hint)});
  }

  template <typename T>
  static Words names_of(const std::vector<T>& list) {
    Words names;
    for (const auto& one : list) names.push_back(one.name);
    return names;
  }
  Words downstream() const {
    Words names;
    for (const auto& channel : settings_.channels) {
      if (channel.direction == Direction::downstream) names.push_back(channel.name);
    }
    return names;
  }

  void look_for_names(RuleField field, const Words& known) {
    const auto* words = words_of(rule_, field);
    if (words == nullptr) return;
    for (const auto& word : *words) {
      if (std::ranges::find(known, word) != known.end()) continue;
      say("names the " + std::string(to_string(field)) + " '" + printable(word, 60) +
              (field == RuleField::channel ? "', which no requests come by"
                                           : "', which does not exist"),
          suggestion(word, known));
    }
  }

  bool is_about_rr_alone() const { return only_word(rule_, RuleField::body) == "rr"; }

  void never(const std::string& why) { say("can never match: " + why, "remove a condition"); }

  void look_for_contradictions() {
    for (const auto field : kOfCertificates) {
      if (is_about_rr_alone() && rule_.condition(field) != nullptr) {
        never("rr asks for no certificate, so it has no " + std::string(to_string(field)));
      }
    }
    const auto requester = only_word(rule_, RuleField::requester);
    if (only_word(rule_, RuleField::body) == "kur" &&
        (requester == "secret" || requester == "vendor")) {
      never("kur is signed with a certificate of this CA, not sent by a " + requester);
    }
    for (const auto field : kFieldsAgainstOld) {
      if (requester == "secret" && rule_.condition(field) != nullptr) {
        never("who shares a secret has no certificate that " + std::string(to_string(field)) +
              " could be held against");
      }
    }
    for (const auto field : kOfDevices) {
      if (only_word(rule_, RuleField::device) == "unlisted" && rule_.condition(field) != nullptr) {
        never("what is not in the list of devices has no " + std::string(to_string(field)));
      }
    }
    for (const auto field : {RuleField::active_certificates, RuleField::validity}) {
      const auto* condition = rule_.condition(field);
      const auto* bound =
          condition == nullptr ? nullptr : std::get_if<RuleBound>(&condition->wants);
      if (bound != nullptr && bound->sign == RuleBound::Sign::less && bound->number == 0) {
        never("nothing is less than 0");
      }
    }
  }

  // A profile that none of its channels allows.
  void look_for_profiles() {
    const auto* profiles = words_of(rule_, RuleField::profile);
    const auto* channels = words_of(rule_, RuleField::channel);
    if (profiles == nullptr || channels == nullptr) return;
    const bool any = std::ranges::any_of(settings_.channels, [&](const ChannelSettings& channel) {
      if (std::ranges::find(*channels, channel.name) == channels->end()) return false;
      return std::ranges::any_of(*profiles, [&](const auto& profile) {
        return std::ranges::find(channel.profiles, profile) != channel.profiles.end();
      });
    });
    if (!any) never("none of its channels has one of its profiles");
  }

  const Settings& settings_;
  const RuleSettings& rule_;
  std::size_t index_;
  std::vector<RuleFault>& faults_;
};

}  // namespace

std::vector<RuleFault> faults_of_rules(const Settings& settings) {
  std::vector<RuleFault> faults;
  for (std::size_t i = 0; i < settings.rules.size(); ++i) Look(settings, i, faults).look();
  return faults;
}

}  // namespace cmpost
