#include "ca/subject_rules.h"

#include <algorithm>

#include "ca/words.h"

namespace cmpost {
namespace {

bool has_value(FieldRule::Kind kind) {
  return kind == FieldRule::Kind::fixed || kind == FieldRule::Kind::default_;
}

// RFC 4514 2.4, by the escape that is right for every octet.
std::string escaped(std::string_view value) {
  std::string text;
  for (const char c : value) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    text += plain ? std::string(1, c) : "\\" + to_hex(view_of(std::string_view(&c, 1)));
  }
  return text;
}

// The one RelativeDistinguishedName of a Name made for it.
Result<Bytes> encode_rdn(const Oid& type, std::string_view value) {
  ASSIGN_OR_RETURN(const Name name, Name::from_text(type.dotted() + "=" + escaped(value)));
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
    policy.fields_.push_back(std::move(field));
  }
  return policy;
}

Allowed<void> SubjectPolicy::check(const AttributeTypeAndValue& attribute) const {
  const auto field = std::find_if(fields_.begin(), fields_.end(),
                                  [&](const Field& f) { return f.type == attribute.type; });
  const bool listed = field != fields_.end();
  const std::string name = listed ? field->setting.name : plain_name(attribute.type);
  // DirectoryString is SIZE (1..MAX) (RFC 5280 4.1.2.4).
  if (attribute.value.empty()) {
    return refuse(Refusal::Reason::subject, "the subject's " + name + " is empty");
  }
  if (has_control_characters(attribute.value)) {
    return refuse(Refusal::Reason::subject,
                  "the subject's " + name + " has control characters in it");
  }
  if ((listed ? field->setting.rule.kind : other_) == FieldRule::Kind::deny) {
    return refuse(Refusal::Reason::subject,
                  "profile " + profile_ + " allows no " + name + " in the subject");
  }
  if (listed && field->setting.rule.kind == FieldRule::Kind::fixed &&
      attribute.value != field->setting.rule.value) {
    return refuse(Refusal::Reason::subject, "the subject's " + name + " is \"" +
                                                printable(attribute.value, 80) + "\"; profile " +
                                                profile_ + " has it fixed to \"" +
                                                field->setting.rule.value + "\"");
  }
  return {};
}

Allowed<SubjectPolicy::Granted> SubjectPolicy::apply(const Name& requested) const {
  Granted granted{requested, {}};
  const auto attributes = requested.attributes();
  for (const auto& attribute : attributes) TRY(check(attribute));

  Bytes added;
  for (const Field& field : fields_) {
    if (contains(attributes, field.type)) continue;
    if (field.setting.rule.kind == FieldRule::Kind::require) {
      return refuse(Refusal::Reason::subject, "the subject has no " + field.setting.name +
                                                  ", which profile " + profile_ + " asks for");
    }
    if (!has_value(field.setting.rule.kind)) continue;
    append(added, field.rdn);
    granted.changes.push_back("subject: " + field.setting.name + " = \"" +
                              field.setting.rule.value + "\" added");
  }
  if (!added.empty()) granted.subject = in_front(added, requested);
  return granted;
}

}  // namespace cmpost
