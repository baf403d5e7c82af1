#include "mail/imap_source.h"

#include <algorithm>

#include "base/log.h"

namespace cmpost {
namespace {

// RFC 2177: "clients using IDLE are advised to terminate the IDLE and re-issue it at least every 29
// minutes".
constexpr auto kLongestIdle = std::chrono::minutes(28);
constexpr std::size_t kFetchedAtOnce = std::size_t{1} << 20U;

std::string imap_account(const MailSettings& settings) {
  const auto& url = settings.fetch;
  return "imap:" + settings.login.user + "@" + url.host + "/" +
         (url.path.empty() ? "INBOX" : url.path);
}

std::string imap_key(std::uint32_t uidvalidity, std::uint32_t uid) {
  return "UIDVALIDITY=" + std::to_string(uidvalidity) + ";UID=" + std::to_string(uid);
}

std::optional<std::uint32_t> uid_of(const MailHandle& mail, std::uint32_t uidvalidity) {
  const auto prefix = "UIDVALIDITY=" + std::to_string(uidvalidity) + ";UID=";
  if (!mail.key.starts_with(prefix)) return std::nullopt;
  return read_imap_number(std::string_view(mail.key).substr(prefix.size()));
}

}  // namespace

ImapSource::ImapSource(const MailSettings& settings)
    : settings_(settings), account_(imap_account(settings)) {}

template <typename T>
Result<T> ImapSource::checked(Result<T> result) {
  if (!result) session_.reset();
  return result;
}

void ImapSource::note_uidvalidity() {
  const auto now = session_->uidvalidity();
  if (uidvalidity_ == now) return;
  if (uidvalidity_ != 0) {
    log::warning("mail.uidvalidity_changed",
                 {{"mailbox", account_}, {"before", uidvalidity_}, {"now", now}});
  }
  uidvalidity_ = now;
  remembered_.clear();
}

Result<void> ImapSource::ensure_session(const std::stop_token& stop) {
  if (session_) {
    session_->begin(stop);
    if (session_->alive()) return {};
    session_.reset();
  }
  ASSIGN_OR_RETURN(session_, ImapSession::open(settings_, stop));
  note_uidvalidity();
  return {};
}

Result<void> ImapSource::connect(const std::stop_token& stop) {
  return checked(ensure_session(stop));
}

MailHandle ImapSource::handle(std::uint32_t uid, std::size_t size) const {
  const auto key = imap_key(uidvalidity_, uid);
  return {key, account_ + ";" + key, size};
}

Result<std::vector<MailHandle>> ImapSource::list_now(std::size_t max) {
  ASSIGN_OR_RETURN(auto uids, session_->search());
  std::erase_if(remembered_,
                [&](auto uid) { return !std::binary_search(uids.begin(), uids.end(), uid); });
  std::erase_if(uids, [&](auto uid) { return remembered_.contains(uid); });
  uids.resize(std::min(uids.size(), max));
  ASSIGN_OR_RETURN(const auto sizes, session_->sizes(uids));
  std::vector<MailHandle> mails;
  for (const auto& [uid, size] : sizes) mails.push_back(handle(uid, size));
  return mails;
}

Result<std::vector<MailHandle>> ImapSource::list(std::size_t max, const std::stop_token& stop) {
  TRY(checked(ensure_session(stop)));
  return checked(list_now(max));
}

Result<std::optional<Bytes>> ImapSource::fetch(const MailHandle& mail, std::size_t max,
                                               const std::stop_token& stop) {
  TRY(checked(ensure_session(stop)));
  const auto uid = uid_of(mail, uidvalidity_);
  if (!uid) return std::nullopt;
  return checked(session_->body(*uid, max + 1));
}

// One command brings at most so much that a slow line is done within the time limit.
Result<void> ImapSource::fetch_all(std::span<const MailHandle> mails, std::size_t max,
                                   const OnMail& on_mail, const std::stop_token& stop) {
  while (!mails.empty() && !stop.stop_requested()) {
    std::size_t count = 0;
    for (std::size_t octets = 0; count < mails.size(); ++count) {
      octets += mails[count].size;
      if (count > 0 && octets > kFetchedAtOnce) break;
    }
    TRY(fetch_some(mails.first(count), max, on_mail, stop));
    mails = mails.subspan(count);
  }
  return {};
}

Result<void> ImapSource::fetch_some(std::span<const MailHandle> mails, std::size_t max,
                                    const OnMail& on_mail, const std::stop_token& stop) {
  TRY(checked(ensure_session(stop)));
  std::map<std::uint32_t, const MailHandle*> by_uid;
  for (const auto& mail : mails) {
    if (const auto uid = uid_of(mail, uidvalidity_)) by_uid.emplace(*uid, &mail);
  }
  return checked(session_->bodies(uids_of(mails), max + 1, [&](auto uid, Bytes octets) {
    on_mail(*by_uid.at(uid), std::move(octets));
  }));
}

ImapSession::Uids ImapSource::uids_of(std::span<const MailHandle> mails) const {
  ImapSession::Uids uids;
  for (const auto& mail : mails) {
    if (const auto uid = uid_of(mail, uidvalidity_)) uids.push_back(*uid);
  }
  std::sort(uids.begin(), uids.end());
  return uids;
}

Result<void> ImapSource::file_now(const ImapSession::Uids& uids, MailPlace place) {
  if (place == MailPlace::foreign) {
    ASSIGN_OR_RETURN(const bool flagged, session_->flag(uids, std::string(ImapSession::kForeign)));
    if (!flagged) remembered_.insert(uids.begin(), uids.end());
    return {};
  }
  const bool done = place == MailPlace::done;
  const auto& folder = done ? settings_.done_folder : settings_.quarantine_folder;
  ASSIGN_OR_RETURN(const bool moved, session_->move(uids, folder));
  if (moved) return {};
  ASSIGN_OR_RETURN(const bool flagged, session_->flag(uids, std::string(ImapSession::kTaken)));
  if (flagged) return {};
  return hold("mails in " + account_ + " can neither be moved to " + folder + " nor be flagged",
              "give the user the rights to make that folder and to move mails");
}

Result<void> ImapSource::file_away(std::span<const MailHandle> mails, MailPlace place,
                                   const std::stop_token& stop) {
  if (mails.empty()) return {};
  TRY(checked(ensure_session(stop)));
  const auto uids = uids_of(mails);
  if (uids.empty()) return {};
  return checked(file_now(uids, place));
}

Result<std::size_t> ImapSource::count_foreign(const std::stop_token& stop) {
  TRY(checked(ensure_session(stop)));
  if (!session_->keeps_keywords()) return remembered_.size();
  ASSIGN_OR_RETURN(const auto uids, checked(session_->search_foreign()));
  return uids.size() + remembered_.size();
}

Result<void> ImapSource::wait(Duration time_out, const std::stop_token& stop) {
  TRY(checked(ensure_session(stop)));
  if (!settings_.idle || !session_->has_idle()) {
    Patience(std::min(time_out, settings_.poll), stop).wait(-1, 0);
    return {};
  }
  auto waited = checked(session_->idle(std::min<Duration>(time_out, kLongestIdle), stop));
  if (stop.stop_requested()) return {};
  return waited;
}

}  // namespace cmpost
