// Commits one group while the next one is worked on.
#pragma once

#include <condition_variable>
#include <functional>
#include <optional>
#include <stop_token>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "processor/commit.h"
#include "processor/processor.h"

namespace cmpost {

// A thread of its own between start() and finish(). Who hands the groups over is one other thread.
class CommitThread {
 public:
  // Called after each try: nullopt, or the trouble that is waited out.
  using OnCommit = std::function<void(const std::optional<Error>&)>;
  // `on_committed`: of ProcessorSettings.
  using OnCommitted = std::function<void(const ProcessorTotals&)>;
  CommitThread(GroupCommit commit, OnCommit on_commit, OnCommitted on_committed)
      : group_commit_(std::move(commit)),
        on_commit_(std::move(on_commit)),
        on_committed_(std::move(on_committed)) {}

  // `stop` ends waiting for databases in trouble; `patient`: nothing else does.
  Result<void> start(std::stop_token stop, bool patient);
  // Returns when what was handed over is committed, or never will be.
  void finish();

  // Waits until the group before it is being committed. False: nothing is committed any more, and
  // the group, which is as it was, is among what give_up() tells.
  bool hand_over(Group& group);
  // It is among what give_up() tells.
  void turn_away(const Group& group);
  // False: there was an error, and nothing is committed any more.
  bool wait_until_committed();
  // What has come back since it was asked last.
  std::vector<Redo> take_redo();
  std::vector<Lease> take_early();
  // Whether jobs have come of what was committed since it was asked last.
  bool take_more();

  // The first error ends it.
  void fail(const Error& error);
  std::optional<Error> error() const;
  // Since start().
  ProcessorTotals totals() const;
  // After finish(): all that is leased and was not committed.
  std::vector<JobId> give_up();

 private:
  void serve(const std::stop_token& end, const std::stop_token& stop, bool patient);
  Result<Committed> commit(Group& group, const std::stop_token& stop, bool patient);
  void note(Committed&& committed) REQUIRES(mutex_);
  void abandon(const Group& group) REQUIRES(mutex_);
  void end_late_members() REQUIRES(mutex_);

  GroupCommit group_commit_;
  const OnCommit on_commit_;
  const OnCommitted on_committed_;

  mutable Mutex mutex_;
  std::condition_variable_any changed_;
  std::optional<Group> waiting_ GUARDED_BY(mutex_);  // worked on, not yet committed
  bool committing_ GUARDED_BY(mutex_) = false;
  std::vector<Redo> redo_ GUARDED_BY(mutex_);
  std::vector<Lease> early_ GUARDED_BY(mutex_);
  bool more_ GUARDED_BY(mutex_) = false;
  std::vector<JobId> abandoned_ GUARDED_BY(mutex_);  // leased, and not worked on any more
  ProcessorTotals totals_ GUARDED_BY(mutex_);
  std::optional<Error> error_ GUARDED_BY(mutex_);
  std::jthread thread_;  // last: joined while the rest is there
};

}  // namespace cmpost
