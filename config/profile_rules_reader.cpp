// What a profile says of each field of a subject and of each extension.
#include <algorithm>

#include "base/bytes.h"
#include "config/readers.h"
#include "config/text/oid_names.h"
#include "config/text/spelling.h"

namespace cmpost {
namespace {

constexpr std::array kFieldWords = {Word<FieldRule::Kind>{"copy", FieldRule::Kind::copy},
                                    Word<FieldRule::Kind>{"deny", FieldRule::Kind::deny},
                                    Word<FieldRule::Kind>{"drop", FieldRule::Kind::drop},
                                    Word<FieldRule::Kind>{"require", FieldRule::Kind::require}};

// Placeholders of a derived value: names of attributes and of what else a request has.
void complain_about_placeholders(Section& table, std::string_view key, std::string_view text) {
  while (true) {
    const auto open = text.find_first_of("{}");
    if (open == std::string_view::npos) return;
    const auto close = text.find('}', open);
    if (text[open] == '}' || close == std::string_view::npos) {
      return table.complain(key, "a brace in '" + std::string(key) + "' has no partner");
    }
    const auto word = text.substr(open + 1, close - open - 1);
    const bool other =
        word == "dns" || word == "email" || word == "ip" || word == "uri" || word == "key";
    if (!other && !attribute_oid(word)) {
      table.complain(key, "'{" + printable(word, 40) + "}' is nothing that a request has",
                     "an attribute such as {CN}, or {dns}, {email}, {ip}, {uri}, {key}");
    }
    text.remove_prefix(close + 1);
  }
}

// `{ fixed = "Grid" }`, `{ set = "Grid" }`, `{ default = "x" }` or `{ derive = "{CN}-1" }`.
FieldRule read_field_table(Section table, std::string_view field) {
  constexpr std::array kKeys = {std::pair("fixed", FieldRule::Kind::fixed),
                                std::pair("set", FieldRule::Kind::set),
                                std::pair("default", FieldRule::Kind::default_),
                                std::pair("derive", FieldRule::Kind::derive)};
  FieldRule rule{FieldRule::Kind::fixed, {}};
  int given = 0;
  for (const auto& [key, kind] : kKeys) {
    const auto value = table.text(key);
    if (!table.has(key)) continue;
    rule = {kind, value};
    ++given;
  }
  if (given != 1) {
    table.reading().complain(table.at(),
                             table.where() + " needs one of 'fixed', 'set', 'default', 'derive'");
  }
  if (rule.kind == FieldRule::Kind::derive)
    complain_about_placeholders(table, "derive", rule.value);
  const bool country = field == "C" || field == "countryName";
  const bool plain = rule.kind != FieldRule::Kind::derive;
  if (country && plain && !rule.value.empty() && rule.value.size() != 2) {
    table.reading().complain(table.at(), "a country has two letters", "such as \"DE\"");
  }
  table.finish();
  return rule;
}

FieldRule read_field(Section& subject, const Value::Member& member) {
  if (member.value.kind == Value::Kind::table) {
    return read_field_table(subject.table(member.key), member.key);
  }
  return {subject.choice(member.key, FieldRule::Kind::copy, kFieldWords), {}};
}

// Two spellings of one type ("CN" and "commonName") would leave open which rule holds.
template <typename Fields>
void complain_about_twins(Section& table, const Fields& fields) {
  for (std::size_t i = 1; i < fields.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (fields[i].oid != fields[j].oid) continue;
      table.complain(fields[i].name,
                     "'" + fields[i].name + "' and '" + fields[j].name + "' are the same thing");
    }
  }
}

constexpr std::array kExtensionWords = {
    Word<ExtensionRule::Kind>{"ignore", ExtensionRule::Kind::ignore},
    Word<ExtensionRule::Kind>{"copy", ExtensionRule::Kind::copy},
    Word<ExtensionRule::Kind>{"deny", ExtensionRule::Kind::deny},
    Word<ExtensionRule::Kind>{"require", ExtensionRule::Kind::require}};

// `{ fixed = "0500", critical = true }`, or the same with `default`.
ExtensionRule read_extension_value(Section& table, const char* key, ExtensionRule::Kind kind) {
  ExtensionRule rule{.kind = kind, .der_hex = {}};
  const auto der = from_hex(table.text(key));
  if (!der || der->empty()) {
    table.complain(key, "'" + std::string(key) + "' is not hexadecimal",
                   "the DER of the value, such as \"0500\"");
  } else {
    rule.der_hex = to_hex(*der);
  }
  rule.critical = table.flag("critical", false);
  return rule;
}

// `{ derive = ["DNS:{CN}.grid.example"] }`
ExtensionRule read_derived_names(Section& table, bool names_allowed) {
  ExtensionRule rule{.kind = ExtensionRule::Kind::derive, .der_hex = {}};
  rule.names = table.texts("derive");
  if (!names_allowed) table.complain("derive", "only subjectAltName can be derived");
  if (rule.names.empty()) table.complain("derive", "'derive' names nothing");
  for (const auto& name : rule.names) complain_about_placeholders(table, "derive", name);
  return rule;
}

ExtensionRule read_extension_table(Section table, bool is_san) {
  using Kind = ExtensionRule::Kind;
  const int given =
      (table.has("fixed") ? 1 : 0) + (table.has("default") ? 1 : 0) + (table.has("derive") ? 1 : 0);
  ExtensionRule rule{.kind = Kind::ignore, .der_hex = {}};
  if (given != 1) {
    table.reading().complain(table.at(),
                             table.where() + " needs one of 'fixed', 'default' and 'derive'",
                             "'fixed' and 'default': the hexadecimal DER of its value");
  }
  if (table.has("derive")) {
    rule = read_derived_names(table, is_san);
  } else if (table.has("default")) {
    rule = read_extension_value(table, "default", Kind::default_);
  } else if (table.has("fixed")) {
    rule = read_extension_value(table, "fixed", Kind::fixed);
  }
  table.finish();
  return rule;
}

ExtensionRule read_extension(Section& table, const Value::Member& member) {
  const bool constraints = member.key == "basicConstraints" || member.key == "2.5.29.19";
  if (member.value.kind == Value::Kind::table) {
    if (constraints) table.complain(member.key, "'ca' and 'path_length' decide basicConstraints");
    return read_extension_table(table.table(member.key), extension_oid(member.key) == "2.5.29.17");
  }
  const auto kind = table.choice(member.key, ExtensionRule::Kind::ignore, kExtensionWords);
  const bool copied = kind == ExtensionRule::Kind::copy || kind == ExtensionRule::Kind::require;
  if (constraints && copied) {
    table.complain(member.key, "basicConstraints can only be \"ignore\" or \"deny\"",
                   "'ca' and 'path_length' decide what the certificate says");
  }
  return {.kind = kind, .der_hex = {}};
}

}  // namespace

SubjectRules read_subject(Section table) {
  constexpr std::array kOther = {Word<FieldRule::Kind>{"copy", FieldRule::Kind::copy},
                                 Word<FieldRule::Kind>{"deny", FieldRule::Kind::deny},
                                 Word<FieldRule::Kind>{"drop", FieldRule::Kind::drop}};
  SubjectRules rules;
  rules.other = table.choice("other", rules.other, kOther);
  for (const auto& member : table.members()) {
    if (member.key == "other") continue;
    const auto oid = attribute_oid(member.key);
    if (!oid) {
      table.reading().complain(member.at,
                               "'" + printable(member.key, 60) + "' is not an attribute of a name",
                               suggestion(member.key, attribute_names()));
      continue;
    }
    rules.fields.push_back({*oid, member.key, read_field(table, member)});
  }
  complain_about_twins(table, rules.fields);
  return rules;
}

ExtensionRules read_extensions(Section table) {
  constexpr std::array kOther = {kExtensionWords[0], kExtensionWords[1], kExtensionWords[2]};
  ExtensionRules rules;
  rules.other = table.choice("other", rules.other, kOther);
  for (const auto& member : table.members()) {
    if (member.key == "other") continue;
    const auto oid = extension_oid(member.key);
    if (!oid) {
      table.reading().complain(member.at, "'" + printable(member.key, 60) + "' is not an extension",
                               suggestion(member.key, extension_names()) + ", or a dotted OID");
      continue;
    }
    rules.fields.push_back({*oid, member.key, read_extension(table, member)});
  }
  complain_about_twins(table, rules.fields);
  const auto has_names = std::any_of(rules.fields.begin(), rules.fields.end(),
                                     [](const auto& field) { return field.oid == "2.5.29.17"; });
  // The names of a device are its own to say; who may say them is decided by its protection.
  if (!has_names) {
    rules.fields.push_back(
        {"2.5.29.17", "subjectAltName", {.kind = ExtensionRule::Kind::copy, .der_hex = {}}});
  }
  return rules;
}

ExtensionRule ExtensionRules::rule_for(std::string_view oid) const {
  for (const auto& field : fields) {
    if (field.oid == oid) return field.rule;
  }
  return {.kind = other, .der_hex = {}};
}

}  // namespace cmpost
