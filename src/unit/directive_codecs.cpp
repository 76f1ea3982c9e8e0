#include "unit/directive_codecs.h"

#include "unit/name.h"

namespace onset {

void complain(ParseContext& context, Severity severity, std::string message) {
  context.diagnostics.push_back(
      {severity, std::string(context.file), context.line, std::move(message)});
}

Parsed<std::string> expand_value(const ParseContext& context, std::string_view value,
                                 std::size_t limit) {
  if (value.find('%') == std::string_view::npos) {
    if (value.size() > limit) return Failure{format("at most {} bytes", limit)};
    return std::string(value);
  }
  auto text = expand_specifiers(value, context.scope, limit);
  if (!text) return Failure{format("valid specifiers ({})", text.error())};
  return text;
}

Parsed<std::string> expand_path(const ParseContext& context, std::string_view value) {
  auto path = expand_value(context, value, kPathMax);
  if (!path) return path;
  if (!path_is_absolute(*path)) return Failure{std::string("an absolute path")};
  if (!path_is_valid(*path)) return Failure{std::string("a valid path")};
  std::string simple = path_simplify(*path);
  if (!path_is_normalized(simple)) return Failure{std::string("a path without \"..\"")};
  return simple;
}

Parsed<std::string> expand_runtime_path(ParseContext& context, std::string_view value) {
  auto path = expand_path(context, value);
  if (!path) return path;
  constexpr std::string_view kOld = "/var/run";
  if (path->starts_with(kOld) && (path->size() == kOld.size() || (*path)[kOld.size()] == '/')) {
    std::string mended = "/run" + path->substr(kOld.size());
    complain(context, Severity::Note,
             format("{}= is below the old /var/run; {} is taken for it", context.key, mended));
    return mended;
  }
  return path;
}

std::string take_text(ParseContext& context, std::string_view value, std::string& member) {
  auto text = expand_value(context, value);
  if (!text) return std::move(text).error();
  member = std::move(*text);
  return {};
}

std::string take_path(ParseContext& context, std::string_view value, std::string& member) {
  if (value.empty()) {
    member.clear();
    return {};
  }
  auto path = expand_path(context, value);
  if (!path) return std::move(path).error();
  member = std::move(*path);
  return {};
}

std::string parse_dependencies(ParseContext& context, std::string_view value, DependencyKind kind) {
  auto words = split_words(value, WordFlags::Unquote | WordFlags::RetainEscapes);
  if (!words) return std::move(words).error();
  for (const std::string& word : *words) {
    auto name = expand_value(context, word, kUnitNameMax);
    if (!name || !unit_name_is_valid(*name)) {
      complain(context, Severity::Warning,
               format("{}={}: {}; ignored", context.key, c_escape(word),
                      name ? std::string("not a valid unit name") : name.error()));
      continue;
    }
    // A template among the dependencies stands for the sibling of this instance.
    if (is_template(*name)) {
      const std::string_view own = context.scope.unit_name;
      const std::string_view instance = is_instance(own) ? unit_instance(own) : unit_prefix(own);
      auto filled = instantiate(*name, instance);
      if (!filled) {
        complain(context, Severity::Warning,
                 format("{}={}: no valid unit name with the instance \"{}\"; ignored", context.key,
                        c_escape(word), c_escape(instance)));
        continue;
      }
      *name = std::move(*filled);
    }
    context.unit.config.dependencies.push_back({kind, std::move(*name), false});
  }
  return {};
}

std::string show_dependencies(const Unit& unit, DependencyKind kind) {
  std::string text;
  for (const NamedDependency& dependency : unit.config.dependencies) {
    if (dependency.kind != kind) continue;
    if (!text.empty()) text += ' ';
    text += dependency.name;
  }
  return text;
}

}  // namespace onset
