// For tests of what must not be read: root may read everything.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <string>

namespace cmpost {

// While it lives this process is nobody, to whom everything below `directory` is given before;
// where it was somebody without rights anyway, nothing happens.
class AsNobody {
 public:
  explicit AsNobody(const std::string& directory) : was_root_(::geteuid() == 0) {
    if (!was_root_) return;
    bool given = ::chown(directory.c_str(), kNobody, kNobody) == 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
      given = ::lchown(entry.path().c_str(), kNobody, kNobody) == 0 && given;
    }
    ok_ = given && ::seteuid(kNobody) == 0;
  }
  ~AsNobody() {
    if (was_root_ && ok_) ok_ = ::seteuid(0) == 0;
  }
  AsNobody(const AsNobody&) = delete;
  AsNobody& operator=(const AsNobody&) = delete;

  bool ok() const { return ok_; }

 private:
  static constexpr uid_t kNobody = 65534;
  const bool was_root_;
  bool ok_ = true;
};

inline void forbid(const std::string& file) {
  std::filesystem::permissions(file, std::filesystem::perms::none);
}
inline void allow(const std::string& file) {
  std::filesystem::permissions(file, std::filesystem::perms(0644));
}

}  // namespace cmpost
