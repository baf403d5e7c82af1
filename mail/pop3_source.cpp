#include "mail/pop3_source.h"

#include <algorithm>

namespace cmpost {
namespace {

constexpr int kMostBreaks = 2;

std::string pop3_key(const Pop3Session::Mail& mail) {
  return "UIDL=" + mail.uidl + ";SIZE=" + std::to_string(mail.size);
}

}  // namespace

Pop3Source::Pop3Source(const MailSettings& settings, const Clock& wall, TakenMails taken)
    : settings_(settings),
      wall_(wall),
      account_("pop3:" + settings.login.user + "@" + settings.fetch.host),
      taken_(std::move(taken)) {}

template <typename T>
Result<T> Pop3Source::checked(Result<T> result) {
  if (!result) session_.reset();
  return result;
}

Result<void> Pop3Source::ensure_session(const std::stop_token& stop) {
  if (session_ && session_->usable()) {
    session_->begin(stop);
    return {};
  }
  session_.reset();
  ASSIGN_OR_RETURN(session_, Pop3Session::open(settings_, stop));
  return {};
}

// Nothing is at stake: what was deleted has been acknowledged before.
void Pop3Source::leave(const std::stop_token& stop) {
  if (session_ && session_->usable()) {
    session_->begin(stop);
    (void)session_->quit();
  }
  session_.reset();
}

Result<void> Pop3Source::connect(const std::stop_token& stop) {
  leave(stop);
  return checked(ensure_session(stop));
}

const Pop3Source::Mail* Pop3Source::find(const std::string& key) const {
  for (const auto& mail : session_->mails()) {
    if (pop3_key(mail) == key) return &mail;
  }
  return nullptr;
}

// Only then may a UIDL be met again that names another mail.
void Pop3Source::forget_gone() {
  std::set<std::string> there;
  for (const auto& mail : session_->mails()) there.insert(pop3_key(mail));
  std::erase_if(digests_, [&](const auto& one) { return !there.contains(one.first); });
  std::erase_if(breaks_, [&](const auto& one) { return !there.contains(one.first); });
  std::erase_if(foreign_, [&](const auto& one) { return !there.contains(one); });
}

// Ends the session.
Result<void> Pop3Source::remove(const std::vector<std::string>& keys) {
  for (const auto& key : keys) {
    if (const auto* mail = find(key)) TRY(session_->remove(*mail));
  }
  TRY(session_->quit());
  for (const auto& key : keys) digests_.erase(key);
  return {};
}

Result<void> Pop3Source::remove_expired(const std::vector<std::string>& keys,
                                        const std::stop_token& stop) {
  if (keys.empty()) return {};
  TRY(remove(keys));
  return ensure_session(stop);
}

// A mail that is too large is never fetched, so that nothing needs to be known of its header.
Result<std::string> Pop3Source::arrival_of(const Mail& mail, const std::string& key,
                                           const std::stop_token& stop) {
  const auto begin = account_ + ";" + key + ";HEADER=";
  if (const auto known = digests_.find(key); known != digests_.end()) return begin + known->second;
  if (mail.size > settings_.max_mail) return begin;
  session_->begin(stop);  // after a restart there may be many of them
  auto digest = session_->header_digest(mail);
  if (!digest && !stop.stop_requested() && ++breaks_[key] >= kMostBreaks) digests_[key] = "";
  TRY(digest);
  breaks_.erase(key);
  digests_[key] = *digest;
  return begin + *digest;
}

// A header that breaks the dialogue must not hide the mails behind it: the next look goes past it.
Result<Pop3Source::Sight> Pop3Source::look_patiently(std::size_t max, const std::stop_token& stop) {
  for (int looks = 1;; ++looks) {
    auto sight = checked(look(max, stop));
    if (sight || looks > 2 * kMostBreaks || stop.stop_requested()) return sight;
    TRY(checked(ensure_session(stop)));
    forget_gone();
  }
}

Result<Pop3Source::Sight> Pop3Source::look(std::size_t max, const std::stop_token& stop) {
  Sight sight;
  std::set<std::string> seen;
  std::vector<std::string> taken;
  for (const auto& mail : session_->mails()) {
    if (sight.mails.size() == max) return sight;
    const auto key = pop3_key(mail);
    if (foreign_.contains(key) || !seen.insert(key).second) continue;
    ASSIGN_OR_RETURN(auto arrival, arrival_of(mail, key, stop));
    const auto since = taken_.taken(arrival);
    if (!since) {
      sight.mails.push_back({key, std::move(arrival), mail.size});
      continue;
    }
    if (*since + settings_.keep <= wall_.now()) sight.expired.push_back(key);
    taken.push_back(std::move(arrival));
  }
  TRY(taken_.keep_only(taken));
  return sight;
}

Result<std::vector<MailHandle>> Pop3Source::list(std::size_t max, const std::stop_token& stop) {
  // A session shows what was there when it began.
  leave(stop);
  TRY(checked(ensure_session(stop)));
  forget_gone();
  ASSIGN_OR_RETURN(auto sight, look_patiently(max, stop));
  TRY(checked(remove_expired(sight.expired, stop)));
  return std::move(sight.mails);
}

Result<std::optional<Bytes>> Pop3Source::fetch(const MailHandle& mail, std::size_t max,
                                               const std::stop_token& stop) {
  TRY(checked(ensure_session(stop)));
  const auto* found = find(mail.key);
  if (found == nullptr) return std::nullopt;
  return checked(session_->fetch(*found, max + 1));
}

Result<void> Pop3Source::file_away(std::span<const MailHandle> mails, MailPlace place,
                                   const std::stop_token& stop) {
  std::vector<std::string> keys, arrivals;
  for (const auto& mail : mails) keys.push_back(mail.key), arrivals.push_back(mail.arrival);
  if (place == MailPlace::foreign) {
    foreign_.insert(keys.begin(), keys.end());
    return {};
  }
  if (settings_.keep > Duration::zero()) return taken_.add(arrivals, wall_.now());
  if (keys.empty()) return {};
  TRY(checked(ensure_session(stop)));
  return checked(remove(keys));
}

Result<void> Pop3Source::wait(Duration time_out, const std::stop_token& stop) {
  leave(stop);
  Patience(std::min(time_out, settings_.poll), stop).wait(-1, 0);
  return {};
}

}  // namespace cmpost
