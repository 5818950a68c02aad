#include "sluice/base/wakeup.h"

#include <gtest/gtest.h>
#include <poll.h>

namespace sluice {
namespace {

bool readable(const Wakeup& w) {
  pollfd p{w.fd(), POLLIN, 0};
  return ::poll(&p, 1, 0) == 1;
}

TEST(Wakeup, IsReadableFromNotifyUntilClear) {
  Wakeup w;
  EXPECT_FALSE(readable(w));
  w.clear();
  EXPECT_FALSE(readable(w));
  w.notify();
  w.notify();
  EXPECT_TRUE(readable(w));
  w.clear();
  EXPECT_FALSE(readable(w));
}

}  // namespace
}  // namespace sluice
