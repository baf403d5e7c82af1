#include "processor/officers/verdict_text.h"

#include <algorithm>
#include <charconv>

#include "crypto/envelope/cms.h"

namespace cmpost {
namespace {

constexpr std::string_view kTitle = "CMPost verdict 1";
constexpr auto kClockSlack = std::chrono::minutes(5);

// Takes "key: value\n" off the front.
class Lines {
 public:
  explicit Lines(std::string_view text) : rest_(text) {}

  Result<std::string> next(std::string_view key) {
    const auto end = rest_.find('\n');
    if (end == std::string_view::npos) return wrong("a line is missing");
    auto line = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (key.empty()) return std::string(line);
    const auto begin = std::string(key) + ": ";
    if (!line.starts_with(begin)) return wrong("the line \"" + begin + "...\" is missing");
    return std::string(line.substr(begin.size()));
  }
  Result<Bytes> octets(std::string_view key) {
    ASSIGN_OR_RETURN(const auto text, next(key));
    auto octets = from_hex(text);
    if (!octets) return wrong("\"" + std::string(key) + "\" is not hexadecimal");
    return *std::move(octets);
  }
  Result<std::int64_t> number(std::string_view key) {
    ASSIGN_OR_RETURN(const auto text, next(key));
    std::int64_t number = 0;
    const auto* const end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, number);
    if (read.ec != std::errc() || read.ptr != end || text != std::to_string(number)) {
      return wrong("\"" + std::string(key) + "\" is no number");
    }
    return number;
  }
  bool at_end() const { return rest_.empty(); }

  static tl::unexpected<Error> wrong(std::string what) {
    return hold("this is no verdict: " + what,
                "`cmpost verdict text ID` writes what is to be signed");
  }

 private:
  std::string_view rest_;
};

Result<bool> read_word(Lines& lines) {
  ASSIGN_OR_RETURN(const auto word, lines.next("verdict"));
  if (word == "approve") return true;
  if (word == "reject") return false;
  return Lines::wrong("\"verdict\" is neither approve nor reject");
}

Result<void> check_signer(const CmsSigned& content, const VerdictText& verdict,
                          const std::vector<Officer>& officers) {
  const auto officer = std::ranges::find(officers, verdict.officer, &Officer::name);
  if (officer == officers.end()) {
    return hold("no [[officer]] has the name " + printable(verdict.officer));
  }
  if (!officer->certificate) {
    return hold("the settings name no certificate of " + officer->name,
                "certificate = \"...\" in [[officer]]");
  }
  if (*officer->certificate != content.signer) {
    return hold("it is signed by " + printable(content.signer.subject_text()) +
                ", which is not the certificate of " + officer->name);
  }
  const bool valid = officer->certificate->not_before() <= verdict.at &&
                     verdict.at <= officer->certificate->not_after();
  if (!valid) return hold("the certificate of " + officer->name + " was not valid at that time");
  return {};
}

}  // namespace

std::string spell(const VerdictText& verdict) {
  std::string text(kTitle);
  const auto add = [&](std::string_view key, const std::string& value) {
    text += "\n" + std::string(key) + ": " + value;
  };
  add("transactionID", to_hex(verdict.transactionID));
  add("part", std::to_string(verdict.certReqId));
  add("round", std::to_string(verdict.round));
  add("request", to_hex(verdict.request));
  add("object", to_hex(verdict.object));
  add("verdict", verdict.approves ? "approve" : "reject");
  add("officer", verdict.officer);
  add("time", to_iso8601(verdict.at));
  add("reason", printable(verdict.reason, 1000));
  return text + "\n";
}

Result<VerdictText> read_verdict(std::string_view text) {
  Lines lines(text);
  ASSIGN_OR_RETURN(const auto title, lines.next(""));
  if (title != kTitle) return Lines::wrong("it does not begin with \"CMPost verdict 1\"");
  VerdictText verdict;
  ASSIGN_OR_RETURN(verdict.transactionID, lines.octets("transactionID"));
  ASSIGN_OR_RETURN(verdict.certReqId, lines.number("part"));
  ASSIGN_OR_RETURN(verdict.round, lines.number("round"));
  ASSIGN_OR_RETURN(verdict.request, lines.octets("request"));
  ASSIGN_OR_RETURN(verdict.object, lines.octets("object"));
  ASSIGN_OR_RETURN(verdict.approves, read_word(lines));
  ASSIGN_OR_RETURN(verdict.officer, lines.next("officer"));
  ASSIGN_OR_RETURN(const auto at, lines.next("time"));
  const auto time = from_iso8601(at);
  if (!time) return Lines::wrong("\"time\" is no time");
  verdict.at = *time;
  ASSIGN_OR_RETURN(verdict.reason, lines.next("reason"));
  if (!lines.at_end()) return Lines::wrong("something follows it");
  return verdict;
}

Result<VerdictText> read_signed_verdict(ByteView cms, const std::vector<Officer>& officers,
                                        Time now) {
  ASSIGN_OR_RETURN(const auto content, cms_verify(cms, std::nullopt));
  ASSIGN_OR_RETURN(auto verdict, read_verdict(text_of(content.content)));
  TRY(check_signer(content, verdict, officers));
  if (verdict.at > now + kClockSlack) {
    return hold("it was signed in the future: " + to_iso8601(verdict.at),
                "one of the two clocks is wrong");
  }
  return verdict;
}

}  // namespace cmpost
