#pragma once
#include <span>

#include "sluice/model/change_view.h"

namespace sluice::mapping {

// A row as it was or is: its columns by their number in ChangeView::Shown; null where the event
// does not carry one.
using Image = std::span<const ChangeView::Field* const>;

}  // namespace sluice::mapping
