// Who works, and how that goes: the service, channels, disks.
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "app/instance/channel_kinds.h"
#include "app/instance/settings_in_use.h"
#include "app/looking/channel_condition.h"
#include "app/looking/inspection.h"
#include "app/terminal/output.h"
#include "carrier/channel_notes.h"

namespace cmpost {
namespace {

using namespace std::chrono_literals;

// A look may take long, where there is much to take in.
constexpr Duration kLongestLook = 15min;
constexpr std::size_t kNamedInputs = 5;

RemarkSubject subject_of(const ChannelSettings& channel) {
  return RemarkSubject::of_channel(channel.name);
}

std::string since(Time time, Time now) {
  return "since " + to_iso8601(time) + " (" + in_words(now - time) + ")";
}

class WorkLook {
 public:
  WorkLook(Instance& instance, Remarks& findings)
      : settings_(instance.settings()), now_(instance.clock().now()), findings_(findings) {}

  WorkStatus look() {
    for (const auto stage : kStages) look_at(stage);
    for (const auto part : kParts) look_at(part);
    for (const auto& channel : settings_.channels) look_at(channel);
    look_at_disks();
    return std::move(status_);
  }

 private:
  void look_at(Stage stage) {
    const auto subject = "stage " + std::string(to_string(stage));
    auto life = look_for_life(settings_.instance.state, stage);
    if (!life) return findings_.add(RemarkKind::service, subject, life.error());
    const auto& place = status_.stages[stage] = std::move(*life);
    if (!place) {
      return say(Severity::note, RemarkKind::service, subject, "nobody has worked yet",
                 "`cmpost serve`, or `cmpost run` now and then");
    }
    if (place->running) return;
    if (place->ended) {
      const auto* what = place->batch ? "the last `run` ended " : "the service was stopped ";
      return say(Severity::note, RemarkKind::service, subject,
                 "no service is running; " + std::string(what) + to_iso8601(*place->ended));
    }
    say(Severity::error, RemarkKind::service, subject,
        std::string("no service is running; the last ") + (place->batch ? "`run`" : "one") +
            " did not end in order, its last sign of life is of " + to_iso8601(place->last),
        "look into its log, and start it again");
  }

  // "" while somebody runs.
  std::string age_of_record(Stage stage) const {
    const auto known = status_.stages.find(stage);
    if (known == status_.stages.end()) return "; whether the service is there is not known";
    if (known->second && known->second->running) return {};
    return "; so it was when the service was last there";
  }

  static Stage stage_of(Part part) {
    return part == Part::replies ? Stage::egress : Stage::processor;
  }

  void look_at(Part part) {
    const auto subject = std::string(to_string(part));
    auto state = read_way(record_of(settings_.instance.state, part));
    if (!state) return findings_.add(RemarkKind::maintenance, subject, state.error());
    const auto& place = status_.parts[part] = std::move(*state);
    if (!place || place->condition == WayCondition::works) return;
    say(Severity::error, RemarkKind::maintenance, subject,
        "in trouble " + rest_of(*place) + age_of_record(stage_of(part)), place->hint);
  }

  std::string rest_of(const WayState& state) const {
    auto text = since(state.since, now_) + ": " + printable(state.why, 500) + "; " +
                std::to_string(state.tries) + (state.tries == 1 ? " try, " : " tries, ");
    if (!state.until) return text + "the next with the next `run`";
    return text + (*state.until > now_ ? "the next at " + to_iso8601(*state.until)
                                       : "the next when there is something to do");
  }

  void look_at(const ChannelSettings& channel) {
    ChannelStatus status{channel.name, {}};
    look_at(channel, Way::in, Stage::ingress, status);
    look_at(channel, Way::out, Stage::egress, status);
    const auto in = status.ways.find(Way::in);
    if (in != status.ways.end() && in->second) look_at_inputs(channel, *in->second);
    for (const auto& text : batch_complaints(channel)) {
      say(Severity::warning, RemarkKind::batch, subject_of(channel), text);
    }
    for (const auto& text : bundle_complaints(channel, now_)) {
      say(Severity::warning, RemarkKind::bundle, subject_of(channel), text);
    }
    // Why input is paused is also the disk's matter, which is asked here; the rest is no trouble.
    const auto notes = read_notes(channel.state);
    if (!notes) findings_.add(RemarkKind::input, subject_of(channel), notes.error());
    for (const auto& note : notes.value_or(std::vector<ReadNote>())) {
      say(severity_of(note.kind), RemarkKind::input, subject_of(channel),
          note.text + age_of_record(Stage::ingress));
    }
    status_.channels.push_back(std::move(status));
  }

  void look_at(const ChannelSettings& channel, Way way, Stage stage, ChannelStatus& status) {
    const auto what = "the way " + std::string(to_string(way)) + " ";
    auto read = read_way(record_of(channel.state, way));
    if (!read) return findings_.add(RemarkKind::channel, subject_of(channel), read.error());
    const auto& state = status.ways[way] = std::move(*read);
    const auto known = status_.stages.find(stage);
    const auto life = known == status_.stages.end() ? std::nullopt : known->second;
    const auto patience = std::max<Duration>(kLongestLook, 3 * poll_of(channel));
    const bool running = life && life->running;
    if (state && state->condition == WayCondition::rests) {
      const std::string server = peer_of(channel, way);
      say(Severity::error, RemarkKind::channel, subject_of(channel),
          what + (server.empty() ? "" : "(" + server + ") ") + "rests " + rest_of(*state) +
              age_of_record(stage),
          state->hint);
    } else if (channel.courier() != nullptr) {
      return;  // a person looks, not the service
    } else if (way == Way::in && !state) {
      const bool long_ago = running && now_ - life->began > patience;
      say(long_ago ? Severity::error : Severity::note, RemarkKind::channel, subject_of(channel),
          what + "was never looked at");
    } else if (way == Way::in && running && now_ - state->last_try > patience &&
               now_ - life->began > patience) {
      say(Severity::error, RemarkKind::channel, subject_of(channel),
          what + "was not looked at " + since(state->last_try, now_) +
              ", although the service runs",
          "what hangs is in the log; restart the service");
    }
  }

  static Severity severity_of(NoteKind kind) {
    return kind == NoteKind::warning ? Severity::warning : Severity::note;
  }

  static std::string peer_of(const ChannelSettings& channel, Way way) {
    const auto& server = kind_of(channel).server;
    return server ? server->host(channel, way) : std::string();
  }

  void look_at_inputs(const ChannelSettings& channel, const WayState& in) {
    for (std::size_t i = 0; i < std::min(in.inputs.size(), kNamedInputs); ++i) {
      const auto& [input, since_when, again] = in.inputs[i];
      auto text = printable(input.what, 200) + " cannot be taken " + since(since_when, now_) +
                  ": " + printable(input.why, 500);
      if (input.tries > 0) text += "; " + std::to_string(input.tries) + " tries";
      if (again && *again > now_) text += ", the next at " + to_iso8601(*again);
      say(Severity::warning, RemarkKind::input, subject_of(channel),
          text + age_of_record(Stage::ingress));
    }
    if (in.stuck > kNamedInputs) {
      say(Severity::warning, RemarkKind::input, subject_of(channel),
          std::to_string(in.stuck) + " inputs cannot be taken");
    }
    if (in.without_request == 0) return;
    say(Severity::note, RemarkKind::without_request, subject_of(channel),
        std::to_string(in.without_request) + " mails without a request lie in the mailbox, " +
            (in.oldest_without_request
                 ? "the first was seen " + to_iso8601(*in.oldest_without_request)
                 : std::string()),
        "somebody should read them");
  }

  void look_at_disks() {
    std::size_t mark = 0;
    for (const auto& channel : settings_.channels) mark = std::max(mark, channel.limits.min_free);
    look_at_disk(settings_.directory, mark);
    look_at_disk(settings_.instance.state, mark);
    for (const auto& url : {settings_.instance.spool, settings_.instance.ledger}) {
      look_at_disk(directory_of_database(url), mark);
    }
    if (settings_.ca) {
      for (const auto& file : {settings_.ca->crl.publish, settings_.ca->crl.publish_delta}) {
        if (!file.empty()) {
          look_at_disk(std::filesystem::path(file).parent_path().string(), mark);
        }
      }
    }
    for (const auto& channel : settings_.channels) {
      for (const auto& path : kind_of(channel).directories(channel)) {
        look_at_disk(path, channel.limits.min_free);
      }
    }
  }

  std::string directory_of_database(const std::string& url) const {
    constexpr std::string_view kSqlite = "sqlite:";
    if (!url.starts_with(kSqlite)) return {};
    const auto file = path_below(settings_.directory, url.substr(kSqlite.size()));
    return std::filesystem::path(file).parent_path().string();
  }

  // That a directory is not there is for others to say.
  void look_at_disk(const std::string& path, std::uint64_t mark) {
    struct statvfs status {};
    if (path.empty() || !seen_.insert(path).second) return;
    if (::statvfs(path.c_str(), &status) != 0) {
      if (errno == EACCES) {
        say(Severity::note, RemarkKind::disk, {},
            "this account may not look at the disk of " + path);
      } else if (errno != ENOENT) {
        findings_.add(RemarkKind::disk, {}, errno_error("examining", path, errno));
      }
      return;
    }
    const DiskStatus disk{path, std::uint64_t{status.f_bavail} * status.f_frsize, mark};
    status_.disks.push_back(disk);
    if (disk.free >= disk.mark || (status.f_flag & ST_RDONLY) != 0) return;
    say(Severity::error, RemarkKind::disk, {},
        "the disk of " + path + " is nearly full: " + std::to_string(disk.free >> 10U) +
            " KiB are free, min_free is " + std::to_string(disk.mark >> 10U) + " KiB",
        "free some space; the work goes on by itself");
  }

  void say(Severity severity, RemarkKind kind, const RemarkSubject& subject, std::string text,
           std::string hint = {}) {
    findings_.add({severity, kind, subject, std::move(text), std::move(hint), {}});
  }

  const Settings& settings_;
  const Time now_;
  Remarks& findings_;
  WorkStatus status_;
  std::set<std::string> seen_;
};

}  // namespace

WorkStatus look_at_work(Instance& instance, Remarks& findings) {
  for (auto& text : settings_not_in_use(instance.settings())) {
    findings.add({Severity::warning, RemarkKind::service, {}, std::move(text), {}, {}});
  }
  return WorkLook(instance, findings).look();
}

}  // namespace cmpost
