// A name whose name server never answers: getaddrinfo(3) of this program waits for it.
#pragma once

#include <dlfcn.h>
#include <netdb.h>

#include <cstring>
#include <thread>

namespace cmpost {
inline constexpr const char* kSilentName = "silent.example";
inline constexpr auto kNamesTake = std::chrono::seconds(20);
}  // namespace cmpost

// In the place of libc's, for all libraries of the program. Include this in one file of it.
extern "C" int getaddrinfo(const char* name, const char* service, const addrinfo* hints,
                           addrinfo** found) {
  if (name != nullptr && std::strcmp(name, cmpost::kSilentName) == 0) {
    std::this_thread::sleep_for(cmpost::kNamesTake);
    return EAI_AGAIN;
  }
  using Real = int (*)(const char*, const char*, const addrinfo*, addrinfo**);
  static const auto real = reinterpret_cast<Real>(::dlsym(RTLD_NEXT, "getaddrinfo"));
  return real(name, service, hints, found);
}
