#pragma once
// The exceptions that reach a user. Every error a user can cause is one of these classes; the
// command line prints what() to stderr and exits with exit_code(), without a stack trace. Messages
// begin with the operation or the place in brackets or as file:line:column, and end with what was
// got. The type information is exported, so a plugin may throw them too.

#include <stdexcept>
#include <string>

#include "core/api.h"

namespace mezo {

class MEZO_API Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
  ~Error() override;
  virtual int exit_code() const noexcept { return 1; }
};

// A mistake in a configuration, an override or a task file.
class MEZO_API ConfigError : public Error {
 public:
  using Error::Error;
  ~ConfigError() override;
  int exit_code() const noexcept override { return 2; }
};

// A plugin that cannot be found, loaded or trusted, or that threw something of its own.
class MEZO_API PluginError : public Error {
 public:
  using Error::Error;
  ~PluginError() override;
  int exit_code() const noexcept override { return 3; }
};

// Examples that cannot be read: a missing file, a malformed line, a field that a prompt needs.
class MEZO_API DataError : public Error {
 public:
  using Error::Error;
  ~DataError() override;
  int exit_code() const noexcept override { return 4; }
};

// Weights, a model's config.json or a tokenizer that cannot be used.
class MEZO_API ModelError : public Error {
 public:
  using Error::Error;
  ~ModelError() override;
  int exit_code() const noexcept override { return 5; }
};

// A run that cannot go on: it diverged, was interrupted, or its folder cannot be written.
class MEZO_API RunError : public Error {
 public:
  using Error::Error;
  ~RunError() override;
  int exit_code() const noexcept override { return 6; }
};

}  // namespace mezo
