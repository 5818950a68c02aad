#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "sluice/base/text_buffer.h"
#include "sluice/expr/template.h"

namespace sluice::mapping {

// What `filters` make of `text`, in `work` unless there are none.  Valid until `work` changes.
std::string_view filtered(std::string_view text, const std::vector<expr::Filter>& filters,
                          TextBuffer& work);

}  // namespace sluice::mapping
