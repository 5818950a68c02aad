#pragma once
// Connector/C's transport, below the packets.
// clang-format off
#include <mysql.h>    // ma_pvio.h needs it before
#ifndef HAVE_TLS
#define HAVE_TLS 1    // the library's own build switch: without it the header hides the TLS handle
#endif
using uchar = unsigned char;  // NOLINT(readability-identifier-naming): the header's name, used before it is made
#include <ma_pvio.h>
// clang-format on
