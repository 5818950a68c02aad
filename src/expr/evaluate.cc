#include <algorithm>

#include "expr/like.h"
#include "expr/program.h"

namespace sluice::expr {
namespace {

using Kind = Node::Kind;

Truth truth(bool holds) noexcept {
  return holds ? Truth::yes : Truth::no;
}

template <class T>
int order(const T& a, const T& b) noexcept {
  return a < b ? -1 : b < a ? 1 : 0;
}

int compare(const Value& a, const Value& b, Order how) noexcept {
  switch (how) {
    case Order::exact: return compare_exact(a, b);
    case Order::real: return order(to_double(a), to_double(b));
    case Order::moment: return order(a.moment, b.moment);
    case Order::text: break;
  }
  return order(a.text, b.text);
}

bool holds(Comparison comparison, int order) noexcept {
  switch (comparison) {
    case Comparison::equal: return order == 0;
    case Comparison::not_equal: return order != 0;
    case Comparison::less: return order < 0;
    case Comparison::less_or_equal: return order <= 0;
    case Comparison::greater: return order > 0;
    case Comparison::greater_or_equal: break;
  }
  return order >= 0;
}

class Evaluation {
 public:
  explicit Evaluation(std::span<const Value> values) noexcept : values_(values) {}

  Truth of(const Step& step) const noexcept {
    switch (step.kind) {
      case Kind::constant: return truth(step.flag);
      case Kind::all: return chain(step, Truth::no, Truth::yes);
      case Kind::any: return chain(step, Truth::yes, Truth::no);
      case Kind::negation: {
        const Truth inner = of(step.children[0]);
        return inner == Truth::unknown ? inner : truth(inner == Truth::no);
      }
      case Kind::is_null: return truth(value(step.items[0]).kind == Value::Kind::null);
      case Kind::comparison: return comparison(step);
      case Kind::in: return in(step);
      case Kind::like: break;
    }
    const Value& text = value(step.items[0]);
    if (text.kind == Value::Kind::null) return Truth::unknown;
    return truth(like(text.text, value(step.items[1]).text, step.flag));
  }

 private:
  // `decided` by one child; `otherwise` when all say so; else unknown.
  Truth chain(const Step& step, Truth decided, Truth otherwise) const noexcept {
    Truth out = otherwise;
    for (const Step& child : step.children) {
      const Truth t = of(child);
      if (t == decided) return decided;
      if (t == Truth::unknown) out = t;
    }
    return out;
  }

  Truth comparison(const Step& step) const noexcept {
    const Value& left = value(step.items[0]);
    const Value& right = value(step.items[1]);
    if (left.kind == Value::Kind::null || right.kind == Value::Kind::null) return Truth::unknown;
    return truth(holds(step.comparison, compare(left, right, step.items[1].order)));
  }

  Truth in(const Step& step) const noexcept {
    const Value& left = value(step.items[0]);
    if (left.kind == Value::Kind::null) return Truth::unknown;
    return truth(std::any_of(step.items.begin() + 1, step.items.end(), [&](const Item& item) {
      return compare(left, value(item), item.order) == 0;
    }));
  }

  const Value& value(const Item& item) const noexcept {
    return item.slot < values_.size() ? values_[item.slot] : item.literal;
  }

  std::span<const Value> values_;
};

}  // namespace

Truth Predicate::evaluate(std::span<const Value> values) const noexcept {
  return Evaluation(values).of(program_->root);
}

}  // namespace sluice::expr
