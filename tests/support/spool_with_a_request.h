// A spool in which one request is worked on, and the answer to it.
#pragma once

#include <gtest/gtest.h>

#include <memory>

#include "queue/spool.h"
#include "tests/support/fake_clock.h"
#include "tests/support/matchers.h"
#include "tests/support/numbered_jobs.h"
#include "tests/support/temporary_directory.h"

namespace cmpost {

class SpoolWithARequest : public ::testing::Test {
 protected:
  SpoolWithARequest() {
    EXPECT_THAT(spool_->requests().put({&request_, 1}), IsOk());
    EXPECT_THAT(spool_->requests().take(1), IsOk());
  }
  Spool::Exchange both() const { return {{request_.id}, {&reply_}}; }
  JobState state_of_request() { return spool_->requests().find(request_.id).value()->state; }
  bool has_reply() { return spool_->replies().find(reply_.id).value().has_value(); }

  FakeClock clock_;
  TemporaryDirectory directory_;
  std::unique_ptr<Spool> spool_ =
      open_spool({"sqlite:spool.db", directory_.path()}, clock_).value();
  const Job request_ = numbered_job(1);
  const Job reply_ = numbered_job(2);
};

}  // namespace cmpost
