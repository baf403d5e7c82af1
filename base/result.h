// Result and Error: how a function says that the world did not let it do its work.
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace cmpost {

// Who can help, and so what happens to the job that met the error.
enum class Recovery {
  retry,  // it may work later: a full disk, a busy database, a dead peer
  hold,   // it will not work until somebody changes something: a wrong key, a broken file
};

// Where the mistake lies, when the settings with what they name, or the words of a command line,
// have to be changed: that decides the exit code of a command.
enum class Blame { world, settings, usage };

// What is wrong with the world. It is told to the operator, never to a requester.
struct Error {
  Recovery recovery = Recovery::hold;
  std::string what;  // one sentence without a full stop, names the thing ("cannot open x: ...")
  std::string hint;  // what the operator can do; may be empty
  Blame blame = Blame::world;
  // What the system refused to work with, as it was named to errno_error(); empty: other trouble.
  std::string path = {};

  // The error seen from further up: "context: what".
  [[nodiscard]] Error within(std::string_view context) &&;
  // The same as a mistake of the settings, if no later try can mend it.
  [[nodiscard]] Error of_settings() &&;
};

// "what (hint)", for logs and terminals.
std::string to_string(const Error& error);

template <typename T>
using Result = tl::expected<T, Error>;

// Makes the failed state of any expected<> whose error type accepts E.
template <typename E>
auto failure(E error) {
  return tl::unexpected<E>(std::move(error));
}
inline auto hold(std::string what, std::string hint = {}) {
  return failure(Error{Recovery::hold, std::move(what), std::move(hint)});
}
inline auto retry(std::string what, std::string hint = {}) {
  return failure(Error{Recovery::retry, std::move(what), std::move(hint)});
}
inline auto wrong_settings(std::string what, std::string hint = {}) {
  return failure(Error{Recovery::hold, std::move(what), std::move(hint), Blame::settings});
}
inline auto wrong_usage(std::string what, std::string hint = {}) {
  return failure(Error{Recovery::hold, std::move(what), std::move(hint), Blame::usage});
}
// An Error from errno: "doing path: No space left on device"; what a later try may mend (ENOSPC,
// EAGAIN, EIO, ...) is Recovery::retry.
Error errno_error(std::string_view doing, std::string_view path, int error_number);

// See Error::of_settings().
template <typename T>
Result<T> of_settings(Result<T> result) {
  if (!result) return failure(std::move(result).error().of_settings());
  return result;
}

// The same of a value on the command line: what no later try can mend is Blame::usage.
template <typename T>
Result<T> of_usage(Result<T> result) {
  if (!result && result.error().recovery == Recovery::hold) result.error().blame = Blame::usage;
  return result;
}

[[noreturn]] void check_failed(const char* expression, const char* file, int line);

}  // namespace cmpost

#define CMPOST_JOIN_(a, b) a##b
#define CMPOST_JOIN(a, b) CMPOST_JOIN_(a, b)

#define CMPOST_TRY(temporary, expression)                                   \
  do {                                                                      \
    auto&& temporary = (expression);                                        \
    if (!temporary) return ::cmpost::failure(std::move(temporary).error()); \
  } while (false)

// Leaves the function with the error of `expression`, if it has one.
#define TRY(expression) CMPOST_TRY(CMPOST_JOIN(try_result_, __COUNTER__), expression)

#define CMPOST_ASSIGN_OR_RETURN(temporary, target, expression)            \
  auto&& temporary = (expression);                                        \
  if (!temporary) return ::cmpost::failure(std::move(temporary).error()); \
  target = std::move(*temporary)

// `ASSIGN_OR_RETURN(const auto x, f())`: the value of f(), or leaves the function with its error.
#define ASSIGN_OR_RETURN(target, expression) \
  CMPOST_ASSIGN_OR_RETURN(CMPOST_JOIN(assign_result_, __COUNTER__), target, expression)

// A condition that only a mistake of ours can break; ends the process when it does.
#define CHECK(condition) \
  ((condition) ? (void)0 : ::cmpost::check_failed(#condition, __FILE__, __LINE__))
