#include "processor/dialogue/nested.h"

#include <algorithm>
#include <set>
#include <string_view>

#include "cmp/direction.h"

namespace cmpost {
namespace {

// A batch may contain added protections; nothing may contain a batch.
constexpr int kMaxDepth = 2;

// Members of a large batch that one thread reads in a row before it verifies them: the code that
// reads stays in its cache. A small one is shared evenly.
constexpr std::size_t kInARow = 8;
constexpr std::size_t kLarge = 256;

// Members without a readable header that get an answer each: it is some hundred times as long.
constexpr std::ptrdiff_t kMostUnreadable = 16;

Rejection bad_request(std::string text) { return {PKIFailureInfo::badRequest, std::move(text)}; }

// only an RA adds protection, and only by signature.
Checked<void> check_authority(const Responder& outer) {
  const auto* requester = outer.requester();
  if (requester == nullptr) {
    return reject(PKIFailureInfo::badRequest, "the nested message has been answered before");
  }
  if (!requester->signs()) {
    return reject(PKIFailureInfo::wrongIntegrity, "a nested message is protected by a signature");
  }
  return check_right(requester->rights, wanted::Endorsement{});
}

// "MUST copy the values of the senderNonce and transactionID header fields of the original message"
Checked<void> check_copied(const PKIHeader& outer, const Responder& inner) {
  const auto* header = inner.header();
  if (header == nullptr) return {};  // its own fault is the answer
  if (outer.transactionID != header->transactionID) {
    return reject(PKIFailureInfo::badRequest,
                  "the added protection has another transactionID than the message in it");
  }
  if (outer.senderNonce == header->senderNonce) return {};
  return reject(PKIFailureInfo::badSenderNonce,
                "the added protection has another senderNonce than the message in it");
}

std::string_view octets_of(const std::optional<Bytes>& octets) {
  return octets ? text_of(*octets) : std::string_view();
}

std::size_t hash_of(const std::optional<Bytes>& octets) {
  return std::hash<std::string_view>()(octets_of(octets));
}

using HashedMember = std::pair<std::size_t, std::size_t>;  // a hash, and an index

// The members whose hash is not theirs alone, into `found`.
void find_shared(std::vector<HashedMember> hashed, std::size_t of_whole,
                 std::vector<std::size_t>& found) {
  std::ranges::sort(hashed);
  for (std::size_t i = 0; i < hashed.size(); ++i) {
    const auto same = [&](std::size_t other) {
      return other < hashed.size() && hashed[other].first == hashed[i].first;
    };
    if (hashed[i].first == of_whole || same(i + 1) || (i > 0 && same(i - 1))) {
      found.push_back(hashed[i].second);
    }
  }
}

std::optional<Bytes> transaction_id_of(ByteView message) {
  const auto decoded_header = [&]() -> std::optional<PKIHeader> {
    MessageLimits limits;
    limits.max_message = SIZE_MAX;
    auto decoded = decode(message, limits);
    if (decoded) return std::move(decoded->header);
    return decoded.error().header;
  }();
  return decoded_header ? decoded_header->transactionID : std::nullopt;
}

}  // namespace

Nested::Nested(const Lease& lease, Turn turn, const ProcessorServices& services,
               const Contest& contest)
    : lease_(lease),
      turn_(turn),
      services_(services),
      contest_(contest),
      whole_(arrival(lease.job.id, lease.job.payload), services) {}

Arrival Nested::arrival(const JobId& job, ByteView der) const {
  Arrival arrival{.job = job, .envelope = lease_.job.envelope, .der = der};
  arrival.arrived = lease_.arrived;
  arrival.attempts = lease_.attempts;
  arrival.turn = turn_;
  return arrival;
}

void Nested::open() {
  whole_.read();
  asks_ = !asks_for_nothing(lease_.job.payload);
  if (!asks_) whole_.expect_nothing();
  if (whole_.fault() || whole_.is_settled()) return;
  if (nesting_depth(lease_.job.payload, kMaxDepth + 1) > kMaxDepth) {
    fault_ = bad_request("messages are nested too deep");
    return;
  }
  strict_ = whole_.is_strict();
  // Without a transactionID the header is wrong, which check() says, and no member has a batch.
  if (whole_.header()->transactionID) take_members();
  opened_ = true;
}

// one member with the same transactionID is an added protection, everything else a batch.
void Nested::take_members() {
  const auto* body = std::get_if<body::nested>(&whole_.message().body);
  if (body == nullptr) return;
  const auto& messages = body->messages;
  const auto& tid = whole_.header()->transactionID;
  batch_ = messages.size() != 1 || transaction_id_of(messages.front()) != tid;
  members_.resize(messages.size());
  for (std::size_t i = 0; i < messages.size(); ++i) {
    members_[i].der = messages[i];
    members_[i].job = lease_.job.id;
  }
}

std::size_t Nested::in_a_row() const { return members_.size() < kLarge ? 1 : kInARow; }

std::size_t Nested::parts() const {
  return opened_ ? 1 + (members_.size() + in_a_row() - 1) / in_a_row() : 0;
}

void Nested::check(std::size_t part, LedgerReader& ledger) {
  if (part == 0) return check_whole(ledger);
  if (settled_) return;
  const auto first = (part - 1) * in_a_row();
  const auto last = std::min(first + in_a_row(), members_.size());
  for (auto i = first; i < last; ++i) read_member(i);
  for (auto i = first; i < last && !settled_; ++i) check_member(members_[i], ledger);
}

void Nested::check_whole(LedgerReader& ledger) {
  if (auto checked = whole_.check(ledger); !checked) {
    error_ = std::move(checked).error();
  } else if (!whole_.fault() && !whole_.is_settled()) {
    if (auto good = judge_whole(); !good) fault_ = std::move(good).error();
  }
  settled_ = error_ || fault_ || whole_.fault() || whole_.is_settled();
}

Checked<void> Nested::judge_whole() const {
  TRY(check_authority(whole_));
  if (members_.empty()) return failure(bad_request("the nested message is empty"));
  if (batch_ && strict_ && members_.size() == 1) {
    return failure(bad_request("the transactionID is not that of the only message inside"));
  }
  if (batch_ && whole_.has_transaction()) {
    return reject(PKIFailureInfo::transactionIdInUse, "the transactionID has been used before");
  }
  return {};
}

void Nested::read_member(std::size_t index) {
  auto& member = members_[index];
  if (batch_) member.job = make_job_id({lease_.job.id.octets, view_of(std::to_string(index))});
  auto one = arrival(member.job, member.der);
  if (batch_) {
    one.carrier = lease_.job.id;
    one.batch = *whole_.header()->transactionID;
  }
  member.responder = std::make_unique<Responder>(one, services_);
  member.responder->read();
  if (const auto* header = member.responder->header()) {
    member.tid_hash = hash_of(header->transactionID);
    member.nonce_hash = hash_of(header->senderNonce);
  }
}

void Nested::check_member(Member& member, LedgerReader& ledger) {
  if (auto checked = member.responder->check(ledger); !checked) {
    member.error = std::move(checked).error();
    return;
  }
  if (batch_) {
    if (is_nested(member.der)) check_endorsed(member, ledger);
    return;
  }
  const auto copied = check_copied(*whole_.header(), *member.responder);
  if (!copied) member.responder->refuse_with(copied.error());
}

// One level of added protection inside a batch.
void Nested::check_endorsed(Member& member, LedgerReader& ledger) {
  if (member.responder->fault() || member.responder->is_settled()) return;
  const auto inner = nested_members(member.der);
  if (inner.size() != 1) {
    return member.responder->refuse_with(bad_request("a batch inside a batch"));
  }
  if (auto authority = check_authority(*member.responder); !authority) {
    return member.responder->refuse_with(authority.error());
  }
  auto one = arrival(member.job, inner.front());
  one.carrier = lease_.job.id;
  one.batch = *whole_.header()->transactionID;
  auto responder = std::make_unique<Responder>(one, services_);
  responder->read();
  if (auto checked = responder->check(ledger); !checked) {
    member.error = std::move(checked).error();
    return;
  }
  if (auto copied = check_copied(*member.responder->header(), *responder); !copied) {
    return member.responder->refuse_with(copied.error());
  }
  responder->note_endorsement(*member.responder->requester());
  member.outer = std::move(member.responder);
  member.responder = std::move(responder);
}

void Nested::judge() {
  if (!settled_ && batch_ && contest_.refuses_the_whole()) {
    fault_ = rejection_for(*contest_.last);
    settled_ = true;
  }
  if (settled_) members_.clear();
  if (batch_) refuse_repeated();
  if (batch_ && !fault_ && unreadable() > kMostUnreadable) {
    fault_ = {PKIFailureInfo::badDataFormat, "too much of the batch is no PKIMessage"};
  }
  if (batch_ && !fault_ && !asks_ && !is_of_use()) {
    fault_ = bad_request("a batch of responses to what was not asked here");
  }
  const bool good = batch_ && !fault_ && std::ranges::none_of(members_, [](const auto& one) {
                      return one.error.has_value();
                    });
  changes_ = good ? std::make_shared<MemberStream>(members_.size(), late_members())
                  : std::make_shared<MemberStream>(0);
  changes_->judge_late_by([this](auto member, auto& ledger, const auto* conflict) {
    judge_late(member, ledger, conflict);
  });
}

std::set<std::size_t> Nested::late_members() const {
  std::set<std::size_t> late;
  for (std::size_t i = 0; i < members_.size(); ++i) {
    if (contest_.member_is_decided_late(i)) late.insert(i);
  }
  return late;
}

// What was found out about it is from before the others took effect. A fault of the batch stays.
void Nested::judge_late(std::size_t index, LedgerReader& ledger, const Conflict* conflict) {
  auto& member = members_[index];
  if (!member.responder || !member.responder->fault()) {
    read_member(index);
    check_member(member, ledger);
  }
  if (member.error) return;
  if (conflict != nullptr) member.responder->refuse_with(rejection_for(*conflict));
  answer(index, ledger);
}

std::ptrdiff_t Nested::unreadable() const {
  return std::ranges::count_if(members_, [](const Member& member) {
    return member.responder && member.responder->header() == nullptr;
  });
}

// Error messages that end a transaction, announcements.
bool Nested::is_of_use() const {
  return std::ranges::any_of(members_, [](const Member& member) {
    return !member.error && member.responder && member.responder->is_of_use();
  });
}

// What comes twice has the same hash: of the rest nothing needs to be touched, which of thousands
// would take a while.
std::vector<std::size_t> Nested::doubtful() const {
  std::vector<HashedMember> tids, nonces;
  for (std::size_t i = 0; i < members_.size(); ++i) {
    tids.emplace_back(members_[i].tid_hash, i);
    nonces.emplace_back(members_[i].nonce_hash, i);
  }
  std::vector<std::size_t> found;
  find_shared(std::move(tids), hash_of(whole_.header()->transactionID), found);
  find_shared(std::move(nonces), hash_of(whole_.header()->senderNonce), found);
  std::ranges::sort(found);
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

void Nested::refuse_repeated() {
  std::set<std::string_view> tids = {octets_of(whole_.header()->transactionID)};
  std::set<std::string_view> nonces = {octets_of(whole_.header()->senderNonce)};
  for (const auto index : doubtful()) {
    if (members_[index].error) continue;
    auto& responder = *members_[index].responder;
    const auto* header = responder.header();
    if (responder.fault() || header == nullptr) continue;
    if (!tids.insert(octets_of(header->transactionID)).second) {
      responder.refuse_with({PKIFailureInfo::transactionIdInUse,
                             "another message of the batch has this transactionID"});
    } else if (!nonces.insert(octets_of(header->senderNonce)).second) {
      responder.refuse_with(
          {PKIFailureInfo::badSenderNonce, "another message of the batch has this senderNonce"});
    }
  }
  if (!strict_ || fault_) return;
  const auto wrong = std::ranges::find_if(
      members_, [](const auto& one) { return !one.error && one.responder->fault(); });
  if (wrong != members_.end()) fault_ = *wrong->responder->fault();
}

void Nested::answer(std::size_t index, LedgerReader& ledger) {
  auto& member = members_[index];
  if (fault_ || member.error) return;
  if (!batch_) member.responder->note_endorsement(*whole_.requester());
  auto decision = member.responder->answer(ledger);
  member.responder.reset();  // what it holds is more than what it has made
  member.outer.reset();
  if (!decision) {
    member.error = std::move(decision).error();
  } else if (!batch_) {
    only_ = *std::move(decision);
  } else {
    auto* reply = std::get_if<Decision::Reply>(&decision->what);
    CHECK(reply != nullptr);  // each member of a batch gets an answer
    member.reply = std::move(reply->job.payload);
    member.refused = is_refusal(decision->result);
    const auto& message = decision->effects.message;
    member.stored = message && !decision->effects.message_replaces;
    if (index < changes_->size()) changes_->put(index, std::move(decision->effects));
  }
}

Result<Decision> Nested::refuse_whole(const Rejection& rejection, LedgerReader& ledger) {
  whole_.refuse_with(rejection);
  return whole_.answer(ledger);
}

// The answers of members that are stored are not stored once more in that of the batch.
void Nested::share_replies(Decision& decision) const {
  const auto* reply = std::get_if<Decision::Reply>(&decision.what);
  auto& message = decision.effects.message;
  if (reply == nullptr || !message) return;
  const ByteView whole = reply->job.payload;
  const auto replies = nested_members(whole);
  CHECK(replies.size() == members_.size());
  const auto* at = whole.data();  // where what is not kept yet begins
  const auto keep_until = [&](const std::uint8_t* end) {
    if (at == end) return;
    append(message->reply, ByteView(at, end));
    message->pieces.push_back({true, 0, end - at});
  };
  for (std::size_t i = 0; i < replies.size(); ++i) {
    if (!members_[i].stored) continue;
    keep_until(replies[i].data());
    at = replies[i].data() + replies[i].size();
    auto& pieces = message->pieces;
    const auto member = static_cast<std::int64_t>(i);
    if (pieces.empty() || pieces.back().own) pieces.push_back({false, member, 0});
    ++pieces.back().count;
  }
  keep_until(whole.data() + whole.size());
}

Result<Decision> Nested::close(LedgerReader& ledger) {
  const bool whole = changes_->wait_for_late();
  if (error_) return failure(*error_);
  for (const auto& member : members_) {
    if (member.error) return failure(*member.error);
  }
  if (!whole) return retry("the members of a batch that exclude each other were not answered");
  if (fault_) return refuse_whole(*fault_, ledger);
  if (members_.empty()) return whole_.answer(ledger);
  if (only_) return *std::move(only_);
  body::nested body;
  body.messages.reserve(members_.size());
  std::size_t refused = 0;
  for (auto& member : members_) {
    body.messages.push_back(std::move(member.reply));
    refused += member.refused ? 1 : 0;
  }
  const auto outcome =
      "batch of " + std::to_string(members_.size()) + ", " + std::to_string(refused) + " refused";
  ASSIGN_OR_RETURN(auto decision, whole_.answer_with(std::move(body), outcome, ledger));
  share_replies(decision);
  return decision;
}

}  // namespace cmpost
