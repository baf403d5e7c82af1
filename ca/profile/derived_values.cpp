#include "ca/profile/derived_values.h"

#include "ca/lint/extension_values.h"
#include "ca/profile/name_template.h"
#include "config/text/oid_names.h"

namespace cmpost {
namespace {

constexpr std::size_t kKeyDigits = 16;

struct NamePrefix {
  std::string_view placeholder;
  std::string_view prefix;  // how GeneralName::text() begins
};
constexpr NamePrefix kNamePrefixes[] = {
    {"dns", "DNS:"}, {"email", "email:"}, {"ip", "IP:"}, {"uri", "URI:"}};

}  // namespace

std::optional<std::string> DerivedValues::alternative_name(std::string_view prefix) const {
  const auto* extension = find(extensions_, oid::id_ce_subjectAltName);
  if (extension == nullptr) return std::nullopt;
  const auto values = read_values({*extension});
  if (!values) return std::nullopt;
  for (const auto& name : *values->subjectAltName) {
    const auto text = name.text();
    if (text.starts_with(prefix)) return text.substr(prefix.size());
  }
  return std::nullopt;
}

std::optional<std::string> DerivedValues::value_of(std::string_view placeholder) const {
  if (placeholder == "key") return to_hex(key_.key_identifier()).substr(0, kKeyDigits);
  for (const auto& [name, prefix] : kNamePrefixes) {
    if (placeholder == name) return alternative_name(prefix);
  }
  const auto dotted = attribute_oid(placeholder);
  const auto type = dotted ? Oid::from_dotted(*dotted) : std::nullopt;
  return type ? subject_.first(*type) : std::nullopt;
}

template <typename Fit>
Allowed<std::string> DerivedValues::fill(std::string_view pattern, Fit fit) const {
  std::string text;
  while (true) {
    const auto open = pattern.find('{');
    text += pattern.substr(0, open);
    if (open == std::string_view::npos) return text;
    const auto close = pattern.find('}', open);
    const auto placeholder = pattern.substr(open + 1, close - open - 1);
    const auto value = value_of(placeholder);
    if (!value || value->empty()) {
      return refuse(Refusal::Reason::subject, "the request has no " + std::string(placeholder) +
                                                  ", which the profile derives a value from");
    }
    ASSIGN_OR_RETURN(const std::string fitted, fit(placeholder, *value, text));
    text += fitted;
    if (close == std::string_view::npos) return text;
    pattern.remove_prefix(close + 1);
  }
}

Allowed<std::string> DerivedValues::fill(std::string_view pattern) const {
  return fill(pattern,
              [](std::string_view, std::string_view value,
                 std::string_view) -> Allowed<std::string> { return std::string(value); });
}

Allowed<std::string> DerivedValues::fill_name(std::string_view pattern) const {
  ASSIGN_OR_RETURN(std::string text, fill(pattern, fit_into_name));
  const auto fault = fault_of_filled(text);
  if (fault.empty()) return text;
  return refuse(Refusal::Reason::extension,
                "the derived name " + printable(text, 80) + ": " + fault);
}

bool depends_on_key_only(std::string_view pattern) {
  constexpr std::string_view kKey = "{key}";
  while (true) {
    const auto open = pattern.find('{');
    if (open == std::string_view::npos) return true;
    if (!pattern.substr(open).starts_with(kKey)) return false;
    pattern.remove_prefix(open + kKey.size());
  }
}

}  // namespace cmpost
