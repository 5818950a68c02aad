#pragma once
// The pieces options.h is made of.  A section knows its members in the order of their declaration;
// loading, showing and the documents all walk along them.
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "sluice/config/codec.h"

namespace sluice {

// One option, whatever its type.  Belongs to the section it is a member of; name and doc are
// literals.
class OptionBase {
 public:
  OptionBase(std::string_view name, std::string_view doc) noexcept : name_(name), doc_(doc) {}
  virtual ~OptionBase() = default;
  OptionBase(const OptionBase&) = delete;
  OptionBase& operator=(const OptionBase&) = delete;

  std::string_view name() const noexcept { return name_; }
  // One sentence for people.
  std::string_view doc() const noexcept { return doc_; }
  // Takes the value from `node`, or notes what is wrong with it and stays as it is.
  virtual void read(const config::Node& node, config::Reader& reader) = 0;
  // The value in one line of YAML; a secret is "***".
  virtual std::string yaml() const = 0;
  // The default in one line of YAML.  Defaults are public, a secret's too.
  virtual std::string default_yaml() const = 0;
  // "a duration"
  virtual std::string type() const = 0;
  // "100ms..10min"; empty without bounds.
  virtual std::string range() const = 0;
  // Secrets can also come from a file: NAME_file.
  virtual bool is_secret() const = 0;

 private:
  std::string_view name_, doc_;
};

class Section;

// A list of sections of one kind, whatever that is.
class SectionListBase {
 public:
  SectionListBase(std::string_view name, std::string_view doc) noexcept : name_(name), doc_(doc) {}
  virtual ~SectionListBase() = default;
  SectionListBase(const SectionListBase&) = delete;
  SectionListBase& operator=(const SectionListBase&) = delete;

  std::string_view name() const noexcept { return name_; }
  std::string_view doc() const noexcept { return doc_; }
  virtual Section& add() = 0;
  virtual void clear() noexcept = 0;
  virtual std::size_t size() const noexcept = 0;
  // index < size().
  virtual const Section& at(std::size_t index) const = 0;
  // An entry with the defaults, for the documents.
  virtual const Section& sample() const noexcept = 0;

 private:
  std::string_view name_, doc_;
};

// A map of options.  Neither copied nor moved: its members are known by address. Thread-compatible;
// nobody writes to it after loading.
class Section {
 public:
  Section() = default;
  // A part of `parent`, or, when that is null, one that stands alone (an entry of a list, a
  // test's).
  Section(Section* parent, std::string_view name, std::string_view doc) : name_(name), doc_(doc) {
    if (parent != nullptr) parent->add_member(this);
  }
  Section(const Section&) = delete;
  Section& operator=(const Section&) = delete;
  ~Section() = default;

  std::string_view name() const noexcept { return name_; }
  std::string_view doc() const noexcept { return doc_; }

  // Calls f with each member, an OptionBase&, Section& or SectionListBase&, in the order of
  // declaration.
  template <class F>
  void each(F&& f) {
    for (const Member& m : members_) std::visit([&f](auto* member) { f(*member); }, m);
  }
  template <class F>
  void each(F&& f) const {
    for (const Member& m : members_) std::visit([&f](const auto* member) { f(*member); }, m);
  }

 private:
  template <class T>
  friend class Option;
  template <class T>
  friend class SectionList;
  using Member = std::variant<OptionBase*, Section*, SectionListBase*>;
  void add_member(Member member) { members_.push_back(member); }

  std::string_view name_, doc_;
  std::vector<Member> members_;
};

// Both ends are allowed.
template <class T>
struct Range {
  T min, max;
};

template <class T>
class Option final : public OptionBase {
 public:
  Option(Section* section, std::string_view name, T default_value, std::string_view doc)
      : OptionBase(name, doc), default_(std::move(default_value)), value_(default_) {
    section->add_member(this);
  }
  Option(Section* section, std::string_view name, T default_value, Range<T> range,
         std::string_view doc)
      : Option(section, name, std::move(default_value), doc) {
    range_ = range;
  }

  const T& operator()() const noexcept { return value_; }
  // For tests and the command line; the range is not checked.
  void set(T value) { value_ = std::move(value); }

  void read(const config::Node& node, config::Reader& reader) override {
    auto value = config::read_value<T>(node, reader);
    if (!value) return;
    if constexpr (std::totally_ordered<T>) {
      if (range_ && (*value < range_->min || range_->max < *value)) {
        config::add_problem(node, reader, Codec<T>::yaml(*value) + " is outside " + range());
        return;
      }
    }
    value_ = std::move(*value);
  }
  std::string yaml() const override { return Codec<T>::yaml(value_); }
  std::string default_yaml() const override {
    if constexpr (std::is_same_v<T, Secret>)
      return config::quote(default_.reveal());
    else
      return Codec<T>::yaml(default_);
  }
  std::string type() const override { return Codec<T>::type(); }
  std::string range() const override {
    return range_ ? Codec<T>::yaml(range_->min) + ".." + Codec<T>::yaml(range_->max)
                  : std::string();
  }
  bool is_secret() const override { return std::is_same_v<T, Secret>; }

 private:
  T default_;
  T value_;
  std::optional<Range<T>> range_;
};

// for (const TableOptions& table : options.tables()) ...
template <class T>
class SectionList final : public SectionListBase {
 public:
  SectionList(Section* section, std::string_view name, std::string_view doc)
      : SectionListBase(name, doc) {
    section->add_member(this);
  }
  const std::deque<T>& operator()() const noexcept { return entries_; }

  T& add() override { return entries_.emplace_back(nullptr, name(), doc()); }
  void clear() noexcept override { entries_.clear(); }
  std::size_t size() const noexcept override { return entries_.size(); }
  const T& at(std::size_t index) const override { return entries_.at(index); }
  const T& sample() const noexcept override { return sample_; }

 private:
  std::deque<T> entries_;
  T sample_{nullptr, name(), doc()};
};

}  // namespace sluice
