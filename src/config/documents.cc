// The example file and the reference, both made from the declarations alone.
#include <algorithm>
#include <type_traits>
#include <utility>
#include <vector>

#include "sluice/config/show.h"

namespace sluice {
namespace {

template <class Member>
constexpr bool kIsOption = std::is_same_v<std::remove_cvref_t<Member>, OptionBase>;
template <class Member>
constexpr bool kIsSection = std::is_same_v<std::remove_cvref_t<Member>, Section>;

// ---- the example

constexpr std::size_t kWidth = 100;

constexpr std::string_view kExampleHead =
    "# Sluice: every option with its default.  This file loads as it is; take the # off a line "
    "that\n"
    "# starts with #NAME to change it.  Made by `sluice config example`; explained in\n"
    "# docs/configuration.md.\n"
    "\n";

// Appends `text` as comment lines of at most kWidth characters.
void add_comment(std::string_view text, const std::string& indent, std::string& out) {
  std::size_t line = 0;  // length of the line being written, 0 before the first
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    if (line == 0 || line + 1 + end > kWidth) {
      if (line != 0) out += '\n';
      out.append(indent).append("#");
      line = indent.size() + 1;
    }
    out.append(" ").append(text.substr(0, end));
    line += 1 + end;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  out += '\n';
}

// "TCP port. (1..65535; default 3306)"
std::string sentence(const OptionBase& option) {
  std::string out(option.doc());
  out += " (";
  if (!option.range().empty()) out += option.range() + "; ";
  out += "default " + option.default_yaml();
  if (option.is_secret()) out += "; or " + std::string(option.name()) + "_file: PATH";
  return out + ")";
}

void add_example_option(const OptionBase& option, const std::string& indent, std::string& out) {
  add_comment(sentence(option), indent, out);
  out.append(indent).append("#").append(option.name());
  out.append(": ").append(option.default_yaml()).append("\n");
}

// One entry, whose first option carries the dash.
void add_example_entry(const Section& entry, const std::string& indent, std::string& out) {
  std::string_view dash = "- ";
  entry.each([&](const auto& member) {
    static_cast<void>(dash);
    if constexpr (kIsOption<decltype(member)>) {
      add_comment(sentence(member), indent, out);
      out.append(indent).append("#").append(dash).append(member.name());
      out.append(": ").append(member.default_yaml()).append("\n");
      dash = "  ";
    }
  });
}

void add_example(const Section& section, const std::string& indent, std::string& out) {
  section.each([&](const auto& member) {
    if constexpr (kIsOption<decltype(member)>) {
      add_example_option(member, indent, out);
    } else {
      out += '\n';
      add_comment(member.doc(), indent, out);
      out.append(indent).append(member.name()).append(":\n");
      if constexpr (kIsSection<decltype(member)>) {
        add_example(member, indent + "  ", out);
      } else {
        add_example_entry(member.sample(), indent + "  ", out);
      }
    }
  });
}

// ---- the reference

constexpr std::string_view kReferenceHead = R"(# Configuration

Made by `sluice config reference` from `include/sluice/config/options.h`; a test compares the two.

The configuration is one YAML file. Every option has a default, so an empty file is a valid one;
`config/sluice.example.yaml` holds them all. `sluice config show` prints what is in force, secrets as `***`.

A file is refused as a whole, with every problem in it as `FILE:LINE:COLUMN: message`: an unknown option, one
that is there twice, a value of another type or out of range, a variable or a file that is not there.

**Environment.** `${NAME}` in any value is replaced by the environment variable of that name, which must
exist. `$${` stands for the characters `${`.

**Secrets.** An option of the type secret, say `password`, can be given as `password_file: PATH` instead: the
secret is what the file holds, without the line end at its end. A relative path starts at the folder of the configuration
file. A file that everyone can read is warned of. `password` and `password_file` together are refused.

**Durations** are whole numbers with a unit: `100ms`, `30s`, `10min`, `1h`. There is no bare number but `0`.

**Sizes** are bytes, or whole numbers with a unit: `64KiB`, `1MiB`, `1GiB` (powers of 1024), `10kB`, `10MB`, `1GB`
(powers of 1000).

**Patterns** are regular expressions in RE2's syntax that have to fit the whole of `database.table`: `shop\..*` is all tables
of `shop`. Between single quotes YAML leaves backslashes alone: `include: ['shop\.orders', 'shop\.items']`.
)";

// A cell of a table: | would end it.
std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c;
  }
  return out;
}

std::string code(const std::string& text) {
  return text.empty() ? text : "`" + cell(text) + "`";
}

void add_reference(const Section& section, const std::string& path, std::string& out);

void add_table(const Section& section, std::string& out) {
  out += "\n| option | type | default | range | meaning |\n|---|---|---|---|---|\n";
  section.each([&out](const auto& member) {
    if constexpr (kIsOption<decltype(member)>) {
      std::string type = member.type();
      if (type.starts_with("a ")) type.erase(0, 2);
      if (type.starts_with("an ")) type.erase(0, 3);
      out += "| " + code(std::string(member.name())) + " | " + cell(type) + " | " +
             code(member.default_yaml()) + " | " + code(member.range()) + " | " +
             cell(member.doc()) + " |\n";
    }
  });
}

void add_parts(const Section& section, const std::string& path, std::string& out) {
  section.each([&](const auto& member) {
    if constexpr (!kIsOption<decltype(member)>) {
      const std::string inner =
          path.empty() ? std::string(member.name()) : path + "." + std::string(member.name());
      out += "\n## " + inner + "\n\n" + std::string(member.doc());
      if constexpr (kIsSection<decltype(member)>) {
        out += '\n';
        add_reference(member, inner, out);
      } else {
        out += " A list; each entry has these options.\n";
        add_reference(member.sample(), inner, out);
      }
    }
  });
}

void add_reference(const Section& section, const std::string& path, std::string& out) {
  add_table(section, out);
  add_parts(section, path, out);
}

}  // namespace

std::string example_yaml() {
  std::string out(kExampleHead);
  add_example(Options(), "", out);
  return out;
}

std::string reference_markdown() {
  std::string out(kReferenceHead);
  out += "\n## Top level\n";
  add_reference(Options(), "", out);
  return out;
}

}  // namespace sluice
