// What ends the handles of C libraries.
#pragma once

namespace cmpost {

// The deleter of a std::unique_ptr whose object is freed by a C function:
// `using X509Ptr = std::unique_ptr<X509, FreeWith<X509_free>>;`
template <auto kFree>
struct FreeWith {
  template <typename T>
  void operator()(T* object) const {
    kFree(object);
  }
};

}  // namespace cmpost
