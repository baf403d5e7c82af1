// All values of an enum, from the type itself: who goes through them meets a new one by itself.
// With a `switch` that has no `default`, what has to be said of each cannot be forgotten.
#pragma once

#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

namespace cmpost {

// Whether `value` is an enumerator: the compiler names those, and writes others as a cast number.
template <auto value>
constexpr bool is_enumerator() {
  constexpr std::string_view kName = __PRETTY_FUNCTION__;
  constexpr auto kValue = kName.substr(kName.find("value = ") + 8);
  return kValue.front() != '(';
}

// In order. Their numbers are below 64, which is enough for an enum without numbers of its own.
template <typename Enum>
std::vector<Enum> all_of_type() {
  std::vector<Enum> all;
  [&]<std::size_t... numbers>(std::index_sequence<numbers...>) {
    ((is_enumerator<static_cast<Enum>(numbers)>() ? all.push_back(static_cast<Enum>(numbers))
                                                  : void()),
     ...);
  }
  (std::make_index_sequence<64>());
  return all;
}

}  // namespace cmpost
