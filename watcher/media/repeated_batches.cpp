// Batches that come again. A copy of what has come goes to .done. Whether it is one, its manifest
// tells: a sender whose memory was restored from a backup uses numbers twice, and what it sends
// then must not be lost.
#include "base/log.h"
#include "watcher/media/one_way_ingress.h"

namespace cmpost {

using Found = FoundManifest::What;

Intake OneWayIngress::take_repeat(const ArrivedBatch& arrived) {
  using Same = ReceivedBatches::Same;
  Intake intake;
  bool known = false;
  std::string damaged;
  for (const auto& [copy, name] : arrived.manifests) {
    auto& repeat = look_at_repeat(arrived, name);
    if (repeat.what == Found::not_read) {
      unclear_repeats_[{arrived.stream, arrived.number}] = repeat.why;
      intake.stuck = 1;
      return intake;
    }
    if (repeat.what == Found::damaged) damaged = repeat.why;
    if (repeat.what != Found::fits) continue;
    if (received_->same(arrived.stream, arrived.number, repeat.hash) == Same::no) {
      conflicts_[arrived.stream].insert(arrived.number);
      intake.stuck = 1;
      return intake;
    }
    known = true;
    tell_repeat(repeat, arrived, copy);
  }
  if (!known && !has_come_to_rest(arrived)) {
    intake.settling = 1;
  } else if (!known && !damaged.empty()) {
    unclear_repeats_[{arrived.stream, arrived.number}] =
        "a batch of this number has come, and whether this is a copy its manifest does not tell: " +
        damaged;
    intake.stuck = 1;
  } else {
    tidy(arrived);
  }
  return intake;
}

// A manifest is read once, as long as it looks the same.
OneWayIngress::Repeat& OneWayIngress::look_at_repeat(const ArrivedBatch& arrived,
                                                     const std::string& name) {
  auto& repeat = repeats_[name];
  auto look = look_of(name);
  const bool open = repeat.what == Found::not_read || repeat.what == Found::gone;
  if (open || repeat.look != look) {
    auto found = find_manifest(directory_, arrived, name);
    repeat = {std::move(look), found.what, found.hash, std::move(found.why), false};
  }
  return repeat;
}

void OneWayIngress::tell_repeat(Repeat& repeat, const ArrivedBatch& arrived,
                                std::uint64_t copy) const {
  if (std::exchange(repeat.told, true)) return;
  const bool sure =
      received_->same(arrived.stream, arrived.number, repeat.hash) == ReceivedBatches::Same::yes;
  log::info(
      "batch.repeated",
      {{"channel", channel()},
       {"text", "batch " + std::to_string(arrived.number) +
                    (sure ? " came again"
                          : " came long ago; whether this is the same is not known any more")},
       {"copy", copy},
       {"stream", arrived.stream}});
}

// Files without a sound manifest: it may still come.
bool OneWayIngress::has_come_to_rest(const ArrivedBatch& arrived) {
  auto& state = without_manifest_[{arrived.stream, arrived.number}];
  const auto look = look_of(arrived);
  if (state.look != look) state = {look, steady_.now(), {}, false};
  return steady_.now() - state.since >= settings_.directory()->settle;
}

}  // namespace cmpost
