#include "app/looking/remark.h"

#include <cerrno>

#include "tests/support/matchers.h"

namespace cmpost {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(RemarksTest, AFileThatCannotBeOpenedIsToldOnce) {
  Remarks remarks;
  remarks.told_of("/ca/trust.pem");
  auto error = errno_error("opening", "/ca/trust.pem", ENOENT);
  remarks.add(RemarkKind::credential, {}, error);
  remarks.add(RemarkKind::credential, {}, std::move(error).within("channel drop").of_settings());
  EXPECT_THAT(remarks.all(), IsEmpty());
}

TEST(RemarksTest, OtherTroubleThatNamesTheFileIsToldToo) {
  Remarks remarks;
  remarks.told_of("/ca/trust.pem");
  remarks.add(RemarkKind::credential, {}, errno_error("opening", "/ca/trust.pem.old", ENOENT));
  remarks.add(RemarkKind::credential, {},
              Error{Recovery::hold, "a.key is none for /ca/trust.pem", {}});
  EXPECT_THAT(remarks.all(), SizeIs(2));
}

}  // namespace
}  // namespace cmpost
