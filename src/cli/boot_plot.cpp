// plot: the boot as a picture. A row a unit, in the order in which they began; what a bar's
// colour says stands in the legend. Numbers are pixels with one decimal, classes stand for
// attributes, so that a boot of a hundred units stays small.
#include <algorithm>
#include <cmath>

#include "base/format.h"
#include "cli/boot_times.h"

namespace onset {
namespace {

constexpr double kWidth = 1000;  ///< of the axis
constexpr double kLeft = 24;
constexpr double kRight = 36;
constexpr double kTop = 64;
constexpr double kRow = 16;
constexpr double kBar = 11;
constexpr double kLegend = 40;
/// At most so many lines of the grid.
constexpr double kSteps = 20;

constexpr std::string_view kStyle =
    "<style>text{font:11px sans-serif;fill:#222}.t{font-size:15px}.e{text-anchor:end}"
    ".k{fill:#d9d9d9}.i{fill:#c9d8ee}.u{fill:#e6e0f0}.s{fill:#e8590c}.a{fill:#8fc9a0}"
    ".d{fill:#b08bc0}.f{fill:#c92a2a}.g{stroke:#e2e2e2}.x{fill:#777}</style>\n";

/// For text and for attributes of XML: no markup, nothing that XML 1.0 has no character for.
std::string xml_escaped(std::string_view text) {
  std::string escaped;
  for (const char c : printable(text)) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      case '\'':
        escaped += "&#39;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

/// 0.1, 0.2, 0.5, 1, 2, 5, … seconds: the first that gives few enough lines.
double grid_step(double seconds) {
  double step = 0.001;
  for (unsigned i = 0; seconds / step > kSteps; ++i) step *= i % 3 == 1 ? 2.5 : 2;
  return step;
}

class Plot {
 public:
  Plot(const BootRecord& record, std::string_view title)
      : record_(record), title_(title), origin_(record.marks.origin()), end_(record.marks.finish) {
    for (const UnitTimes& unit : record.units) {
      if (unit.activating.us == 0 || unit.activating < origin_) continue;
      if (record.marks.finish.us > 0 && unit.activating > record.marks.finish) continue;
      rows_.push_back(&unit);
      if (record.marks.finish.us == 0) end_ = std::max({end_, unit.activating, unit.activated});
    }
    std::ranges::stable_sort(rows_, {}, [](const UnitTimes* u) { return u->activating; });
    end_ = std::max(end_, origin_ + std::chrono::milliseconds(1));
  }

  std::string run() {
    const double height = kTop + kRow * static_cast<double>(rows_.size() + 1) + kLegend;
    out_ += format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:.0f}\" height=\"{1:.0f}\" "
        "viewBox=\"0 0 {0:.0f} {1:.0f}\">\n",
        kLeft + kWidth + kRight, height);
    out_ += format("<title>{}</title>\n", xml_escaped(title_));
    out_ += kStyle;
    out_ += "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n";
    out_ +=
        format("<text class=\"t\" x=\"{:.0f}\" y=\"22\">{}</text>\n", kLeft, xml_escaped(title_));
    add_grid(height - kLegend);
    add_phases();
    double y = kTop + kRow;
    for (const UnitTimes* unit : rows_) {
      add_unit(*unit, y);
      y += kRow;
    }
    add_legend(height - kLegend / 2);
    return std::move(out_ += "</svg>\n");
  }

 private:
  [[nodiscard]] double seconds() const {
    return static_cast<double>((end_ - origin_).count()) / 1e6;
  }
  [[nodiscard]] double x_of(MonoTime when) const {
    const auto span = static_cast<double>((std::clamp(when, origin_, end_) - origin_).count());
    return kLeft + span / 1e6 * kWidth / seconds();
  }

  void add_grid(double bottom) {
    const double step = grid_step(seconds());
    for (double at = 0; at <= seconds() + step / 1000; at += step) {
      const double x = kLeft + at * kWidth / seconds();
      out_ += format("<path class=\"g\" d=\"M{0:.1f} {1:.0f}V{2:.0f}\"/>", x, kTop - 12, bottom);
      out_ += format("<text class=\"x\" x=\"{:.1f}\" y=\"{:.0f}\">{:.6g}s</text>\n", x + 2,
                     kTop - 14, at);
    }
  }

  void bar(char kind, MonoTime from, MonoTime to, double y) {
    const double x = x_of(from);
    const double width = std::max(x_of(to) - x, 0.6);
    out_ +=
        format("<rect class=\"{}\" x=\"{:.1f}\" y=\"{:.0f}\" width=\"{:.1f}\" height=\"{:.0f}\"/>",
               kind, x, y, width, kBar);
  }

  void phase(char kind, std::string_view name, MonoTime from, MonoTime to) {
    if (to <= from) return;
    bar(kind, from, to, kTop);
    out_ += format("<text x=\"{:.1f}\" y=\"{:.0f}\">{} ({})</text>\n", x_of(from) + 3, kTop + 9,
                   name, format_lasting((to - from).count()));
  }

  void add_phases() {
    const BootPhases& marks = record_.marks;
    if (marks.has_kernel)
      phase('k', "kernel", origin_, marks.initrd.us > 0 ? marks.initrd : marks.userspace);
    if (marks.initrd.us > 0) phase('i', "initrd", marks.initrd, marks.userspace);
    phase('u', "userspace", marks.userspace, end_);
  }

  /// What is left at the edge is not told of any more.
  void add_unit(const UnitTimes& unit, double y) {
    const bool is_up = unit.activated >= unit.activating;
    const bool is_down = unit.deactivated >= unit.activating;
    const MonoTime up = is_up ? unit.activated : is_down ? unit.deactivated : end_;
    bar('s', unit.activating, up, y);
    if (is_up) {
      const bool goes_down = unit.deactivating >= unit.activated;
      const MonoTime leaves = goes_down ? unit.deactivating : end_;
      bar('a', up, leaves, y);
      if (goes_down) bar('d', leaves, unit.deactivated >= leaves ? unit.deactivated : end_, y);
    }
    const std::string took =
        unit.took() > Duration(0) ? format(" ({})", format_lasting(unit.took().count())) : "";
    // Beside the bar's beginning, on the side that has room.
    const double x = x_of(unit.activating);
    const bool is_left = x > kLeft + kWidth * 0.6;
    out_ += format("<text{} x=\"{:.1f}\" y=\"{:.0f}\">{}{}</text>\n", is_left ? " class=\"e\"" : "",
                   is_left ? x - 4 : x + 4, y + 9, xml_escaped(unit.name), took);
  }

  void add_legend(double y) {
    double x = kLeft;
    const auto entry = [&](char kind, std::string_view what) {
      out_ += format(
          "<rect class=\"{}\" x=\"{:.0f}\" y=\"{:.0f}\" width=\"22\" height=\"11\"/>"
          "<text x=\"{:.0f}\" y=\"{:.0f}\">{}</text>\n",
          kind, x, y - 9, x + 28, y, what);
      x += 130;
    };
    entry('s', "activating");
    entry('a', "active");
    entry('d', "deactivating");
  }

  const BootRecord& record_;
  std::string_view title_;
  MonoTime origin_;
  MonoTime end_;
  std::vector<const UnitTimes*> rows_;
  std::string out_;
};

}  // namespace

std::string plot_text(const BootRecord& record, std::string_view title) {
  return Plot(record, title).run();
}

}  // namespace onset
