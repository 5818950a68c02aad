#include "sluice/ops/latency.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace sluice::ops {
namespace {

// Buckets 0..15 hold one value each; then each power of two from 2^4 to 2^37 is cut into 24 equal
// parts, so a bucket's width is 1/24 of its octave: 4.2 % of the values at its beginning, 2.1 % at
// its end.
constexpr std::uint64_t kExact = 16;
constexpr unsigned kFirstOctave = 4;
constexpr std::uint64_t kParts = 24;
constexpr std::size_t kBuckets = 832;
constexpr unsigned kOctaves = (kBuckets - kExact) / kParts;
static_assert(kExact + kOctaves * kParts == kBuckets);

std::size_t bucket_of(std::uint64_t v) noexcept {
  if (v < kExact) return v;
  const unsigned octave = static_cast<unsigned>(std::bit_width(v)) - 1;
  if (octave >= kFirstOctave + kOctaves) return kBuckets - 1;  // 76 hours and more
  const std::uint64_t begin = std::uint64_t{1} << octave;
  return kExact + (octave - kFirstOctave) * kParts + ((v - begin) * kParts >> octave);
}

// The largest value in the bucket.
std::uint64_t upper_bound(std::size_t bucket) noexcept {
  if (bucket < kExact) return bucket;
  const std::uint64_t octave = kFirstOctave + (bucket - kExact) / kParts;
  const std::uint64_t part = (bucket - kExact) % kParts;
  const std::uint64_t size = std::uint64_t{1} << octave;
  return size + ((part + 1) * size + kParts - 1) / kParts - 1;
}

}  // namespace

void LatencyHistogram::record(std::int64_t microseconds, std::uint64_t times) noexcept {
  // Clocks of two machines: what seems to come before its cause took no time that we could measure.
  const auto v = static_cast<std::uint64_t>(std::max<std::int64_t>(microseconds, 0));
  counts_[bucket_of(v)].fetch_add(times, std::memory_order_relaxed);
}

LatencyHistogram::Snapshot LatencyHistogram::take() noexcept {
  Snapshot out;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    out.counts[i] = counts_[i].exchange(0, std::memory_order_relaxed);
    out.total += out.counts[i];
  }
  return out;
}

std::int64_t LatencyHistogram::Snapshot::percentile(double p) const noexcept {
  if (total == 0) return 0;
  const double wanted = std::ceil(std::clamp(p, 0.0, 1.0) * static_cast<double>(total));
  const auto rank = std::clamp<std::uint64_t>(static_cast<std::uint64_t>(wanted), 1, total);
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    seen += counts[i];
    if (seen >= rank) return static_cast<std::int64_t>(upper_bound(i));
  }
  return static_cast<std::int64_t>(upper_bound(counts.size() - 1));
}

}  // namespace sluice::ops
