// A value that is seldom there.
#pragma once

#include <memory>
#include <optional>
#include <utility>

namespace cmpost {

// std::optional, but for what a thing has only now and then: it costs a pointer where the value is
// missing, and memory of its own where it is there. Of thousands of requests in the works each is
// smaller by kilobytes.
template <typename T>
class Seldom {
 public:
  Seldom() = default;
  Seldom(std::nullopt_t) {}
  Seldom(T value) : value_(std::make_unique<T>(std::move(value))) {}
  Seldom(std::optional<T> value) {
    if (value) value_ = std::make_unique<T>(*std::move(value));
  }
  Seldom(const Seldom& other) { *this = other; }
  Seldom(Seldom&&) noexcept = default;
  Seldom& operator=(const Seldom& other) {
    if (this != &other) value_ = other ? std::make_unique<T>(*other) : nullptr;
    return *this;
  }
  // As of a unique_ptr: what is moved from is empty.
  Seldom& operator=(Seldom&&) noexcept = default;
  ~Seldom() = default;

  bool has_value() const { return value_ != nullptr; }
  explicit operator bool() const { return has_value(); }
  // Needs a value.
  T& operator*() & { return *value_; }
  const T& operator*() const& { return *value_; }
  T&& operator*() && { return std::move(*value_); }
  T* operator->() { return value_.get(); }
  const T* operator->() const { return value_.get(); }

  void reset() { value_.reset(); }
  template <typename... Arguments>
  T& emplace(Arguments&&... arguments) {
    value_ = std::make_unique<T>(std::forward<Arguments>(arguments)...);
    return *value_;
  }

 private:
  std::unique_ptr<T> value_;
};

}  // namespace cmpost
