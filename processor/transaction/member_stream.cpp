#include "processor/transaction/member_stream.h"

#include <algorithm>

namespace cmpost {
namespace {

constexpr std::size_t kSample = 64;  // members whose time tells that of the rest
constexpr auto kSoon = std::chrono::seconds(2);
constexpr std::size_t kAtOnce = 32;  // members that one waking is for

}  // namespace

MemberStream::MemberStream(std::size_t members, std::set<std::size_t> late)
    : size_(members),
      late_(std::move(late)),
      start_(std::chrono::steady_clock::now()),
      effects_(members) {}

void MemberStream::put(std::size_t member, Effects effects) {
  auto kept = std::make_unique<const Effects>(std::move(effects));
  const MutexLock lock(mutex_);
  effects_[member] = std::move(kept);
  if (is_late(member)) return;
  ++put_;
  if (member == wanted_ || put_ == kSample || others_are_in()) changed_.notify_all();
}

const Effects* MemberStream::taken(std::size_t member) {
  const MutexLock lock(mutex_);
  return effects_[member].get();
}

const Effects* MemberStream::judge(std::size_t member, LedgerReader& ledger) {
  if (const auto* effects = taken(member)) return effects;
  {
    const MutexLock lock(mutex_);
    if (late_ended_ || ended_) return nullptr;
  }
  judge_(member, ledger, nullptr);
  return taken(member);
}

const Effects* MemberStream::refuse(std::size_t member, LedgerReader& ledger,
                                    const Conflict& conflict) {
  {
    const MutexLock lock(mutex_);
    if (late_ended_ || ended_) return nullptr;
    effects_[member].reset();
  }
  judge_(member, ledger, &conflict);
  return taken(member);
}

void MemberStream::end_late() {
  const MutexLock lock(mutex_);
  late_ended_ = true;
  changed_.notify_all();
}

bool MemberStream::late_are_in() const {
  for (const auto member : late_) {
    if (effects_[member] == nullptr) return false;
  }
  return true;
}

bool MemberStream::wait_for_late() {
  MutexLock lock(mutex_);
  if (late_.empty()) return true;
  while (!late_ended_) changed_.wait(lock);
  return late_are_in();
}

void MemberStream::end() {
  const MutexLock lock(mutex_);
  ended_ = true;
  changed_.notify_all();
}

bool MemberStream::others_are_in() const { return ended_ || put_ + late_.size() == size_; }

bool MemberStream::is_soon() const {
  if (others_are_in()) return true;
  if (put_ < kSample || !late_.empty()) return false;
  const auto each = (std::chrono::steady_clock::now() - start_) / put_;
  return each * (size_ - put_) <= kSoon;
}

void MemberStream::wait_until_soon() {
  constexpr auto kLook = std::chrono::milliseconds(50);
  MutexLock lock(mutex_);
  while (!is_soon()) changed_.wait_for(lock, kLook);
}

void MemberStream::wait_for_others() {
  MutexLock lock(mutex_);
  while (!others_are_in()) changed_.wait(lock);
}

std::optional<const Effects*> MemberStream::wait_for(std::size_t member, Moment until) {
  MutexLock lock(mutex_);
  const auto come = [&](std::size_t one) REQUIRES(mutex_) {
    return effects_[one] != nullptr || is_late(one) || ended_;
  };
  const auto has_come = [&](std::size_t one) REQUIRES(mutex_) {
    wanted_ = one;
    return changed_.wait_until(lock, until, [&]() REQUIRES(mutex_) { return come(one); });
  };
  if (!come(member)) {
    // The workers do not keep to the order.
    if (!has_come(std::min(member + kAtOnce, size_) - 1) || !has_come(member)) return std::nullopt;
  }
  return effects_[member].get();
}

void MemberStream::wait_for_end() {
  MutexLock lock(mutex_);
  while (!ended_) changed_.wait(lock);
}

void MemberStream::for_each(const std::function<void(const Effects&)>& visit) {
  const MutexLock lock(mutex_);
  for (const auto& effects : effects_) {
    if (effects) visit(*effects);
  }
}

bool MemberStream::changes_crl() {
  const MutexLock lock(mutex_);
  return std::ranges::any_of(effects_,
                             [](const auto& effects) { return effects && effects->changes_crl(); });
}

}  // namespace cmpost
