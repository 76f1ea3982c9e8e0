#include "properties/random_units.h"

#include <map>
#include <ostream>

#include "base/format.h"
#include "properties/within.h"

namespace onset::test {
namespace {

constexpr std::string_view kAnchor = "t.target";

std::string fragment(const std::string& name, const std::vector<std::string>& lines,
                     const std::string& service) {
  std::string text = "[Unit]\nDefaultDependencies=no\n";
  for (const std::string& line : lines) text += line + "\n";
  if (name.ends_with(".service")) text += "[Service]\n" + service + "ExecStart=/bin/true\n";
  return text;
}

DrawnEdge order_of(const std::string& earlier, const std::string& later) {
  if (*rc::gen::arbitrary<bool>()) return {earlier, "Before", later};
  return {later, "After", earlier};
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const DrawnUnits& units) {
  for (const DrawnEdge& e : units.edges) out << e.from << ": " << e.kind << "=" << e.to << "; ";
  return out;
}

std::vector<std::size_t> permutation(std::size_t count) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < count; ++i) order.push_back(i);
  for (std::size_t i = 0; i + 1 < count; ++i) std::swap(order[i], order[*within(i, count)]);
  return order;
}

rc::Gen<DrawnUnits> units(DrawnShape shape) {
  return rc::gen::exec([shape] {
    DrawnUnits units;
    const auto count = *within<std::size_t>(1, 10);
    for (std::size_t i = 0; i < count; ++i)
      units.names.push_back(format("{}.service", static_cast<char>('a' + static_cast<int>(i))));
    units.names = permuted(units.names);
    units.names.insert(units.names.begin(), std::string(kAnchor));
    std::vector<std::string> pulls = {"Wants", "Wants", "Requires", "BindsTo"};
    if (shape.only_wants) pulls = {"Wants"};
    const auto edges = *within<std::size_t>(0, 3 * count);
    for (std::size_t i = 0; i < edges; ++i) {
      std::size_t a = *within<std::size_t>(0, count + 1);
      std::size_t b = *within<std::size_t>(1, count + 1);
      if (a == b) continue;
      const int what = *within(0, shape.conflicts ? 7 : 6);
      if (what < 3) {
        units.edges.push_back({units.names[a], *rc::gen::elementOf(pulls), units.names[b]});
      } else if (what < 6) {
        if (shape.acyclic && a < b) std::swap(a, b);
        units.edges.push_back(order_of(units.names[b], units.names[a]));
      } else {
        units.edges.push_back({units.names[a], "Conflicts", units.names[b]});
      }
    }
    // Most units are in the transaction.
    for (std::size_t i = 1; i <= count; ++i)
      if (*within(0, 3) < 2)
        units.edges.push_back({units.names[0], *rc::gen::elementOf(pulls), units.names[i]});
    return units;
  });
}

UnitTable::Rows files(const DrawnUnits& units, const std::string& service) {
  std::map<std::string, std::vector<std::string>> lines;
  for (const DrawnEdge& e : units.edges) lines[e.from].push_back(e.kind + "=" + e.to);
  UnitTable::Rows rows;
  for (const std::string& name : units.names)
    rows.emplace_back(name, fragment(name, lines[name], service));
  return rows;
}

UnitTable::Rows other_files(const DrawnUnits& units, const std::string& service) {
  UnitTable::Rows rows;
  std::map<std::string, std::vector<std::string>> lines;
  for (const DrawnEdge& e : permuted(units.edges)) {
    const std::string line = e.kind + "=" + e.to;
    auto& own = lines[e.from];
    switch (*within(0, 4)) {
      case 0:  // one list in the place of two settings
        if (!own.empty() && own.back().starts_with(e.kind + "=")) {
          own.back() += " " + e.to;
          break;
        }
        [[fallthrough]];
      default:
        own.push_back(line);
        break;
      case 1:
        rows.emplace_back(format("{}.d/{:02}.conf", e.from, *within(0, 100)),
                          "[Unit]\n" + line + "\n");
    }
  }
  // Two drop-ins of one name are one file.
  std::map<std::string, std::string> dropins;
  for (const auto& [name, text] : rows) dropins[name] += text;
  rows = {dropins.begin(), dropins.end()};
  for (const std::string& name : permuted(units.names))
    rows.emplace_back(name, fragment(name, lines[name], service));
  return rows;
}

}  // namespace onset::test
