#include "sluice/redis/mapping.h"

#include <algorithm>
#include <array>
#include <span>

#include "resp.h"

namespace sluice::redis {
namespace {

using Field = ChangeView::Field;
using Fields = std::span<const Field>;

// MySQL allows 16 key columns, MariaDB 32.
constexpr std::size_t kMaxKeyColumns = 32;

bool is_special(char c) noexcept {
  return c == ':' || c == '\\';
}

std::size_t escaped_size(std::string_view s) noexcept {
  return s.size() + static_cast<std::size_t>(std::count_if(s.begin(), s.end(), is_special));
}

char* write_escaped(char* to, std::string_view s) noexcept {
  for (const char c : s) {
    if (is_special(c)) *to++ = '\\';
    *to++ = c;
  }
  return to;
}

// Finds columns by name.  Both images are in table order, so each search begins behind the last
// find.
class Finder {
 public:
  explicit Finder(Fields fields) : fields_(fields) {}
  const Field* find(std::string_view name) noexcept {
    for (std::size_t n = fields_.size(); n > 0; --n) {
      if (next_ >= fields_.size()) next_ = 0;
      const Field& f = fields_[next_++];
      if (f.name == name) return &f;
    }
    return nullptr;
  }

 private:
  Fields fields_;
  std::size_t next_ = 0;
};

// The Redis key of a row: names and values it is made of, and how long it gets.  Views into the
// row.
class RowKey {
 public:
  // Key columns come from `first`, those it lacks from `second`.
  static Result<RowKey> make(const ChangeView& view, const ChangeView::Row& row, Fields first,
                             Fields second) {
    RowKey key(view);
    if (view.pk_names.size() > kMaxKeyColumns)
      return error(view, row, std::to_string(view.pk_names.size()) + " key columns");
    Finder in_first(first);
    Finder in_second(second);
    for (const std::string_view name : view.pk_names) {
      const Field* f = in_first.find(name);
      if (f == nullptr) f = in_second.find(name);
      if (f == nullptr || f->is_null)
        return error(
            view, row,
            "key column " + std::string(name) + (f == nullptr ? " is missing" : " is NULL"));
      key.values_[key.count_++] = f->value;
      key.size_ += 1 + escaped_size(f->value);
    }
    return key;
  }

  std::size_t size() const noexcept { return size_; }
  char* write(char* to) const noexcept {
    to = write_escaped(to, database_);
    *to++ = ':';
    to = write_escaped(to, table_);
    for (std::size_t i = 0; i < count_; ++i) {
      *to++ = ':';
      to = write_escaped(to, values_[i]);
    }
    return to;
  }
  char* write_as_bulk(char* to) const noexcept {
    return write_crlf(write(write_head(to, '$', size_)));
  }

 private:
  explicit RowKey(const ChangeView& view)
      : database_(view.database),
        table_(view.table),
        size_(escaped_size(view.database) + 1 + escaped_size(view.table)) {}
  static Error error(const ChangeView& view, const ChangeView::Row& row, const std::string& what) {
    return Error{ErrorClass::poison, Errc::queue_message,
                 std::string(view.database) + "." + std::string(view.table) + " row " +
                     view.seq.with_row(row.index).to_string() + ": " + what};
  }

  std::string_view database_, table_;
  std::array<std::string_view, kMaxKeyColumns> values_;
  std::size_t count_ = 0;
  std::size_t size_;
};

void append_unlink(const RowKey& key, TextBuffer& out, CommandCounts& counts) {
  constexpr std::string_view kHead = "*2\r\n$6\r\nUNLINK\r\n";
  char* at = out.room(kHead.size() + key.size() + kBulkRoom);
  out.commit_to(key.write_as_bulk(write_bytes(at, kHead)));
  ++counts.commands;
  ++counts.unlink;
}

// Never without a field: the key columns are there and not NULL.
void append_hset(const RowKey& key, Fields fields, TextBuffer& out, CommandCounts& counts) {
  constexpr std::string_view kName = "$4\r\nHSET\r\n";
  std::size_t words = 2;
  std::size_t size = kHeadRoom + kName.size() + key.size() + kBulkRoom;
  for (const Field& f : fields) {
    if (f.is_null) continue;
    words += 2;
    size += f.name.size() + f.value.size() + 2 * kBulkRoom;
  }
  char* at = key.write_as_bulk(write_bytes(write_head(out.room(size), '*', words), kName));
  for (const Field& f : fields) {
    if (!f.is_null) at = write_bulk(write_bulk(at, f.name), f.value);
  }
  out.commit_to(at);
  ++counts.commands;
  ++counts.hset;
}

// Calls f with the name of each column of `old` that is NULL now.
template <class F>
void each_nulled(Fields old, Fields now, F f) {
  Finder in_now(now);
  for (const Field& o : old) {
    const Field* n = in_now.find(o.name);
    if (n != nullptr && n->is_null) f(o.name);
  }
}

void append_hdel(const RowKey& key, Fields old, Fields now, TextBuffer& out,
                 CommandCounts& counts) {
  constexpr std::string_view kName = "$4\r\nHDEL\r\n";
  std::size_t words = 2;
  std::size_t size = kHeadRoom + kName.size() + key.size() + kBulkRoom;
  each_nulled(old, now, [&](std::string_view name) {
    ++words;
    size += name.size() + kBulkRoom;
  });
  if (words == 2) return;
  char* at = key.write_as_bulk(write_bytes(write_head(out.room(size), '*', words), kName));
  each_nulled(old, now, [&](std::string_view name) { at = write_bulk(at, name); });
  out.commit_to(at);
  ++counts.commands;
  ++counts.hdel;
}

bool key_changed(const ChangeView& view, Fields old) {
  return std::any_of(old.begin(), old.end(), [&view](const Field& f) {
    return std::find(view.pk_names.begin(), view.pk_names.end(), f.name) != view.pk_names.end();
  });
}

bool is_row(ChangeKind kind) noexcept {
  return kind == ChangeKind::insert || kind == ChangeKind::update || kind == ChangeKind::remove;
}

}  // namespace

Status HashMapping::append(const ChangeView& view, const ChangeView::Row& row, TextBuffer& out,
                           CommandCounts& counts) const {
  if (view.pk_names.empty() || !is_row(view.kind)) return {};
  const Fields data = view.data(row);
  SLUICE_TRY_ASSIGN(const RowKey key, RowKey::make(view, row, data, {}));
  if (view.kind == ChangeKind::remove) {
    append_unlink(key, out, counts);
    return {};
  }
  if (view.kind == ChangeKind::insert) {
    append_hset(key, data, out, counts);
    return {};
  }
  const Fields old = view.old(row);
  if (key_changed(view, old)) {
    SLUICE_TRY_ASSIGN(const RowKey old_key, RowKey::make(view, row, old, data));
    append_unlink(old_key, out, counts);
    append_hset(key, data, out, counts);
    return {};
  }
  append_hset(key, data, out, counts);
  append_hdel(key, old, data, out, counts);
  return {};
}

Status HashMapping::append_keys(const ChangeView& view, const ChangeView::Row& row,
                                std::vector<std::string>& keys) const {
  if (view.pk_names.empty() || !is_row(view.kind)) return {};
  SLUICE_TRY_ASSIGN(const RowKey key, RowKey::make(view, row, view.data(row), {}));
  if (view.kind == ChangeKind::remove) return {};
  std::string& text = keys.emplace_back(key.size(), '\0');
  key.write(text.data());
  return {};
}

void append_key_part(TextBuffer& out, std::string_view value) {
  out.commit_to(write_escaped(out.room(2 * value.size()), value));
}

}  // namespace sluice::redis
