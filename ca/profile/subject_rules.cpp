#include "ca/profile/subject_rules.h"

#include <algorithm>

#include "ca/lint/words.h"
#include "ca/profile/name_template.h"

namespace cmpost {
namespace {

bool has_value(FieldRule::Kind kind) {
  return kind == FieldRule::Kind::fixed || kind == FieldRule::Kind::default_ ||
         kind == FieldRule::Kind::set;
}

// What it adds is nobody's choice but the operator's; a hash of the key is nobody's at all.
bool is_constant(const FieldRule& rule) {
  return rule.kind != FieldRule::Kind::derive || depends_on_key_only(rule.value);
}

// The one RelativeDistinguishedName of a Name made for it.
Result<Bytes> encode_rdn(const Oid& type, std::string_view value) {
  ASSIGN_OR_RETURN(const Name name, Name::from_text(type.dotted() + "=" + escaped_value(value)));
  der::Reader reader(name.der());
  const auto content = reader.enter(der::kSequence);
  CHECK(content.has_value());
  return to_bytes(content->rest());
}

Name in_front(const Bytes& rdns, const Name& name) {
  der::Writer writer;
  writer.constructed(der::kSequence, [&] {
    writer.raw(rdns);
    der::Reader reader(name.der());
    writer.raw(reader.enter(der::kSequence)->rest());
  });
  der::Reader reader(writer.bytes());
  auto joined = Name::read(reader);
  CHECK(joined.has_value());
  return *std::move(joined);
}

// A NUL ends a name early for many a relying party, a line break forges a line of a listing.
bool has_control_characters(std::string_view value) {
  return std::any_of(value.begin(), value.end(), [](char c) {
    const auto octet = static_cast<unsigned char>(c);
    return octet < 0x20 || octet == 0x7f;
  });
}

bool contains(const std::vector<AttributeTypeAndValue>& attributes, const Oid& type) {
  return std::any_of(attributes.begin(), attributes.end(),
                     [&](const auto& attribute) { return attribute.type == type; });
}

// The attributes of this type are one, with this value.
bool says_only(const std::vector<AttributeTypeAndValue>& attributes, const Oid& type,
               const std::string& value) {
  std::size_t count = 0;
  bool same = false;
  for (const auto& attribute : attributes) {
    if (attribute.type != type) continue;
    ++count;
    same = attribute.value == value;
  }
  return count == 1 && same;
}

}  // namespace

Result<SubjectPolicy> SubjectPolicy::create(const ProfileSettings& profile) {
  SubjectPolicy policy;
  policy.profile_ = profile.name;
  policy.other_ = profile.subject.other;
  for (const SubjectField& setting : profile.subject.fields) {
    const auto type = Oid::from_dotted(setting.oid);
    if (!type) return hold("profile " + profile.name + ": " + setting.oid + " is no OID");
    Field field{*type, setting, {}};
    if (has_value(setting.rule.kind)) {
      if (setting.rule.value.empty()) {
        return hold("profile " + profile.name + ": the value of subject " + setting.name +
                    " is empty");
      }
      ASSIGN_OR_RETURN(field.rdn, encode_rdn(*type, setting.rule.value));
    }
    if (setting.rule.kind == FieldRule::Kind::derive && setting.rule.value.empty()) {
      return hold("profile " + profile.name + ": subject " + setting.name +
                  " is derived from nothing");
    }
    policy.fields_.push_back(std::move(field));
  }
  return policy;
}

const SubjectPolicy::Field* SubjectPolicy::field_of(const Oid& type) const {
  const auto found = std::find_if(fields_.begin(), fields_.end(),
                                  [&](const Field& field) { return field.type == type; });
  return found == fields_.end() ? nullptr : &*found;
}

Allowed<void> SubjectPolicy::check(const AttributeTypeAndValue& attribute) const {
  const Field* const field = field_of(attribute.type);
  const auto kind = field != nullptr ? field->setting.rule.kind : other_;
  const auto name = [&] {
    return field != nullptr ? field->setting.name : plain_name(attribute.type);
  };
  // DirectoryString is SIZE (1..MAX) (RFC 5280 4.1.2.4).
  if (attribute.value.empty()) {
    return refuse(Refusal::Reason::subject, "the subject's " + name() + " is empty");
  }
  if (has_control_characters(attribute.value)) {
    return refuse(Refusal::Reason::subject,
                  "the subject's " + name() + " has control characters in it");
  }
  if (kind == FieldRule::Kind::deny) {
    return refuse(Refusal::Reason::subject,
                  "profile " + profile_ + " allows no " + name() + " in the subject");
  }
  if (kind == FieldRule::Kind::fixed && attribute.value != field->setting.rule.value) {
    return refuse(Refusal::Reason::subject, "the subject's " + name() + " is \"" +
                                                printable(attribute.value, 80) + "\"; profile " +
                                                profile_ + " has it fixed to \"" +
                                                field->setting.rule.value + "\"");
  }
  return {};
}

Allowed<std::optional<SubjectPolicy::Replacement>> SubjectPolicy::imposed(
    const Field& field, const DerivedValues& values) const {
  switch (field.setting.rule.kind) {
    case FieldRule::Kind::drop:
      return Replacement{field.type, {}, {}};
    case FieldRule::Kind::set:
      return Replacement{field.type, field.rdn, field.setting.rule.value};
    case FieldRule::Kind::derive:
      break;
    default:
      return std::nullopt;
  }
  ASSIGN_OR_RETURN(const std::string value, values.fill(field.setting.rule.value));
  auto rdn = encode_rdn(field.type, value);
  if (rdn) return Replacement{field.type, *std::move(rdn), value};
  return refuse(Refusal::Reason::subject, "the derived " + field.setting.name + ", \"" +
                                              printable(value, 80) +
                                              "\", is none: " + rdn.error().what);
}

// Every RDN in its place; those of which nothing is left are gone.
Name SubjectPolicy::replaced(const Name& requested,
                             const std::vector<Replacement>& replacements) const {
  std::vector<Oid> done;
  der::Writer writer;
  writer.constructed(der::kSequence, [&] {
    der::Reader outer(requested.der());
    auto rdns = outer.enter(der::kSequence);
    while (rdns && !rdns->at_end()) {
      const auto set = rdns->expect(der::kSet);
      der::Writer kept;
      for (auto inside = rdns->inside(*set); !inside.at_end();) {
        const auto pair = inside.expect(der::kSequence);
        auto parts = inside.inside(*pair);
        const auto type = parts.object_identifier();
        const auto change = std::find_if(replacements.begin(), replacements.end(),
                                         [&](const auto& one) { return one.type == *type; });
        const bool dropped = change == replacements.end() && field_of(*type) == nullptr &&
                             other_ == FieldRule::Kind::drop;
        if (dropped) continue;
        if (change == replacements.end()) {
          kept.raw(pair->whole);
        } else if (std::find(done.begin(), done.end(), *type) == done.end()) {
          done.push_back(*type);
          writer.raw(change->rdn);
        }
      }
      if (!kept.bytes().empty()) writer.constructed(der::kSet, [&] { writer.raw(kept.bytes()); });
    }
  });
  der::Reader reader(writer.bytes());
  auto name = Name::read(reader);
  CHECK(name.has_value());
  return *std::move(name);
}

Allowed<SubjectPolicy::Granted> SubjectPolicy::apply(const Name& requested,
                                                     const DerivedValues& values) const {
  Granted granted{requested, requested, true, {}};
  const auto attributes = requested.attributes();
  for (const auto& attribute : attributes) TRY(check(attribute));

  Bytes added, chosen;  // of what is added, and of that what is no constant
  std::vector<Replacement> replacements;
  for (const Field& field : fields_) {
    const bool present = contains(attributes, field.type);
    ASSIGN_OR_RETURN(auto replacement, imposed(field, values));
    const std::string start = "subject: " + field.setting.name;
    if (present && replacement && !says_only(attributes, field.type, replacement->value)) {
      granted.changes.push_back(
          start + (replacement->rdn.empty()
                       ? " left out"
                       : " = \"" + replacement->value + "\" instead of what was asked for"));
      replacements.push_back(*std::move(replacement));
    }
    if (present) continue;
    if (field.setting.rule.kind == FieldRule::Kind::require) {
      return refuse(Refusal::Reason::subject, "the subject has no " + field.setting.name +
                                                  ", which profile " + profile_ + " asks for");
    }
    const Bytes& rdn = replacement ? replacement->rdn : field.rdn;
    if (rdn.empty()) continue;
    append(added, rdn);
    if (!is_constant(field.setting.rule)) append(chosen, rdn);
    const auto& value = replacement ? replacement->value : field.setting.rule.value;
    granted.changes.push_back(start + " = \"" + value + "\" added");
  }
  drop_others(attributes, granted);
  const bool others = other_ == FieldRule::Kind::drop;
  if (others || !replacements.empty()) granted.subject = replaced(requested, replacements);
  granted.keeps_requested = granted.subject == requested;
  granted.chosen = chosen.empty() ? granted.subject : in_front(chosen, granted.subject);
  if (!added.empty()) granted.subject = in_front(added, granted.subject);
  return granted;
}

void SubjectPolicy::drop_others(const std::vector<AttributeTypeAndValue>& attributes,
                                Granted& granted) const {
  if (other_ != FieldRule::Kind::drop) return;
  for (const auto& attribute : attributes) {
    if (field_of(attribute.type) != nullptr) continue;
    granted.changes.push_back("subject: " + plain_name(attribute.type) + " left out");
  }
}

}  // namespace cmpost
