// Expected failures (files, configuration, outside games) as values. Bugs are check() instead.
#pragma once

#include <string>
#include <utility>
#include <variant>

#include "base/check.hpp"

namespace rival {

// What went wrong, for the person who must mend it: names the thing, the place and the remedy.
struct Error {
  // usage: what was asked for makes no sense (a name that there is none of, a number out of range), which was clear
  // before anything was tried; a program answers as it does to a wrong option.
  enum class Kind { failure, usage };

  std::string message;
  Kind kind = Kind::failure;
};

// The same error as one of usage.
inline Error usage_error(Error error) {
  error.kind = Error::Kind::usage;
  return error;
}

// A value or an Error. [[nodiscard]]: a failure is never silent.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }
  // The value; a bug if there is none.
  T& value() & { return check(ok(), "Result::value() of an error"), std::get<0>(state_); }
  const T& value() const& { return check(ok(), "Result::value() of an error"), std::get<0>(state_); }
  T&& value() && { return check(ok(), "Result::value() of an error"), std::get<0>(std::move(state_)); }
  T* operator->() { return &value(); }
  T& operator*() & { return value(); }
  // The error; a bug if there is none.
  const Error& error() const { return check(!ok(), "Result::error() of a value"), std::get<1>(state_); }

 private:
  std::variant<T, Error> state_;
};

// Success, or an Error.
template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)), ok_(false) {}
  bool ok() const { return ok_; }
  explicit operator bool() const { return ok_; }
  const Error& error() const { return check(!ok_, "Result::error() of a success"), error_; }

 private:
  Error error_;
  bool ok_ = true;
};

}  // namespace rival
