// What can be found about an instance by looking at it. Each look says all that it finds, and what
// it could not look at; nothing is written.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>

#include "app/instance/instance.h"
#include "app/instance/sign_of_life.h"
#include "app/looking/remark.h"
#include "carrier/file_system_kind.h"
#include "carrier/way_state.h"

namespace cmpost {

// What time it is, and whether that is believed. Before all others: it tells the instance, too.
void look_at_clock(Instance& instance, Remarks& remarks);

// The settings and what they name: files, keys, databases, anchors. For `check`.
void look_at_settings(Instance& instance, Remarks& findings);

// The list of devices: who can never ask, and what vendors are known by. For `check`.
void look_at_devices(Instance& instance, Remarks& findings);

// A database on such a file system, if that is a mistake.
std::optional<Remark> finding_of_place(const std::string& database, const std::string& directory,
                                       const FileSystemKind& kind);

// CRLs, certificates, how the ledger stands to what has left: the answers in the spool, the
// `newest` of them, and the published CRLs.
void look_at_authority(Instance& instance, std::size_t newest, Remarks& findings);

// Of these what an account can see that may not read keys: the ends of CRLs, CA and CMP
// certificate.
void look_without_keys(Instance& instance, Remarks& findings);

// On record. nullopt: nobody has worked or looked; what is not in a map cannot be looked at.
struct ChannelStatus {
  std::string name;
  std::map<Way, std::optional<WayState>> ways;
};
// A directory that is used, and the disk below it.
struct DiskStatus {
  std::string path;
  std::uint64_t free = 0, mark = 0;  // octets
};
struct WorkStatus {
  std::map<Stage, std::optional<Life>> stages;
  std::map<Part, std::optional<WayState>> parts;
  std::vector<ChannelStatus> channels;
  std::vector<DiskStatus> disks;
};
// Who works, and how that goes: the service, channels, disks.
WorkStatus look_at_work(Instance& instance, Remarks& findings);

// Runs of the settings that wait for people, were killed, or have left no report.
void look_at_runs(Instance& instance, Remarks& findings);

// Batches that are half made, or that nobody runs.
void look_at_batches(Instance& instance, Remarks& findings);

// Jobs and transactions that stand still.
struct QueueStatus {
  QueueCounts counts;
  std::size_t hanging = 0;
};
struct JobsStatus {
  std::optional<QueueStatus> requests, replies;  // nullopt: cannot be looked at
};
JobsStatus look_at_jobs(Instance& instance, Remarks& findings);

}  // namespace cmpost
