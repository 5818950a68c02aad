#pragma once
#include <memory>
#include <string_view>

#include "sluice/base/result.h"
#include "sluice/model/change_view.h"

namespace sluice::event {

// Reads the lines of one message body, for the applier.  Reuses its memory from message to message.
// Thread-compatible.
class LineReader {
 public:
  // `binary_base64`: as the lines were written (RenderOptions).
  explicit LineReader(bool binary_base64 = false);
  ~LineReader();
  LineReader(const LineReader&) = delete;
  LineReader& operator=(const LineReader&) = delete;

  // Starts on a body; it is copied, so it need not stay valid.
  void open(std::string_view body);
  // The next line, or null at the end.  Views are valid until the next call.  Columns that sqlType
  // marks as binary come as bytes; the types are remembered from the first line of the table in
  // this message.  Members that are not ours are passed over. Errors: poison/queue_message with the
  // line number and what is wrong; the message is then of no further use.
  Result<const ChangeView*> next();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::event
