#pragma once
#include <memory>
#include <string_view>

#include "sluice/base/result.h"
#include "sluice/model/change_view.h"

namespace sluice::event {

// Reads the lines of one message body, for the applier.  Reuses its memory from message to message.  Thread-compatible.
class LineReader {
 public:
  LineReader();
  ~LineReader();
  LineReader(const LineReader&) = delete;
  LineReader& operator=(const LineReader&) = delete;

  // Starts on a body; it must stay valid until the last next().
  void open(std::string_view body);
  // The next line, or null at the end.  Views are valid until the next call.  Columns that sqlType marks as binary come as bytes;
  // the types are remembered from the first line of the table in this message.  Errors: poison/queue_message with the
  // line number and what is wrong.
  Result<const ChangeView*> next();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::event
