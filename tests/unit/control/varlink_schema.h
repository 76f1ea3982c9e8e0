#pragma once
// Reads a Varlink interface file and holds messages to it, so that the file
// can't say one thing and the methods do another.

#include <cctype>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "control/json.h"

namespace onset::test {

class VarlinkSchema {
 public:
  explicit VarlinkSchema(std::string_view text) : rest_(text) { read_interface(); }

  /// Empty: the text is an interface file.
  std::string problem;
  std::string name;
  std::vector<std::string> methods;
  std::vector<std::string> errors;

  /// Empty: the value is what the method takes, gives, or the error has.
  [[nodiscard]] std::string check_input(const std::string& method, const Json& v) const {
    return check_named(inputs_, method, v);
  }
  [[nodiscard]] std::string check_output(const std::string& method, const Json& v) const {
    return check_named(outputs_, method, v);
  }
  [[nodiscard]] std::string check_error(const std::string& error, const Json& v) const {
    return check_named(error_types_, error, v);
  }

 private:
  struct Field;
  struct Type {
    enum class Kind { Word, Struct, Enum, Array, Map, Optional } kind = Kind::Word;
    std::string word;
    std::vector<Field> fields;
    std::vector<Type> element;
  };
  struct Field {
    std::string name;
    Type type;
  };
  using Types = std::map<std::string, Type>;

  // ---- reading --------------------------------------------------------------
  void skip() {
    while (!rest_.empty()) {
      if (std::isspace(static_cast<unsigned char>(rest_.front())) != 0) {
        rest_.remove_prefix(1);
      } else if (rest_.front() == '#') {
        rest_.remove_prefix(std::min(rest_.find('\n'), rest_.size()));
      } else {
        return;
      }
    }
  }
  bool take(std::string_view token) {
    skip();
    if (!rest_.starts_with(token)) return false;
    rest_.remove_prefix(token.size());
    return true;
  }
  void expect(std::string_view token) {
    if (!take(token) && problem.empty()) {
      problem = "expected \"" + std::string(token) + "\" before \"" +
                std::string(rest_.substr(0, 30)) + "\"";
    }
  }
  std::string word(bool dots = false) {
    skip();
    std::size_t n = 0;
    while (n < rest_.size() && (std::isalnum(static_cast<unsigned char>(rest_[n])) != 0 ||
                                rest_[n] == '_' || (dots && rest_[n] == '.'))) {
      ++n;
    }
    if (n == 0 && problem.empty()) problem = "expected a name";
    std::string text(rest_.substr(0, n));
    rest_.remove_prefix(n);
    return text;
  }
  Type type() {
    Type t;
    if (take("?")) {
      t.kind = Type::Kind::Optional;
      t.element.push_back(type());
    } else if (take("[]")) {
      t.kind = Type::Kind::Array;
      t.element.push_back(type());
    } else if (take("[string]")) {
      t.kind = Type::Kind::Map;
      t.element.push_back(type());
    } else if (take("(")) {
      t = fields();
    } else {
      t.word = word();
    }
    return t;
  }
  /// Behind the "(".
  Type fields() {
    Type t;
    t.kind = Type::Kind::Struct;
    if (take(")")) return t;
    do {
      std::string field = word();
      if (take(":")) {
        t.fields.push_back({std::move(field), type()});
      } else {
        t.kind = Type::Kind::Enum;
        t.fields.push_back({std::move(field), Type{}});
      }
    } while (problem.empty() && take(","));
    expect(")");
    return t;
  }
  void read_interface() {
    expect("interface");
    name = word(true);
    for (skip(); problem.empty() && !rest_.empty(); skip()) {
      if (take("type ")) {
        const std::string alias = word();
        types_[alias] = type();
      } else if (take("method ")) {
        methods.push_back(word());
        inputs_[methods.back()] = type();
        expect("->");
        outputs_[methods.back()] = type();
      } else if (take("error ")) {
        errors.push_back(word());
        error_types_[errors.back()] = type();
      } else {
        problem = "unexpected \"" + std::string(rest_.substr(0, 30)) + "\"";
      }
    }
  }

  // ---- checking -------------------------------------------------------------
  [[nodiscard]] std::string check_named(const Types& types, const std::string& key,
                                        const Json& v) const {
    auto it = types.find(key);
    return it == types.end() ? key + " is not in the interface file" : check(it->second, v, key);
  }
  [[nodiscard]] std::string check(const Type& t, const Json& v, const std::string& at) const {
    switch (t.kind) {
      case Type::Kind::Optional:
        return v.is_null() ? std::string() : check(t.element[0], v, at);
      case Type::Kind::Array:
        if (!v.is_array()) return at + " is no array";
        for (const auto& e : v) {
          if (auto p = check(t.element[0], e, at + "[]"); !p.empty()) return p;
        }
        return {};
      case Type::Kind::Map:
        if (!v.is_object()) return at + " is no map";
        for (const auto& [k, e] : v.items()) {
          if (auto p = check(t.element[0], e, at + "[" + k + "]"); !p.empty()) return p;
        }
        return {};
      case Type::Kind::Enum:
        for (const auto& [field, unused] : t.fields) {
          if (v == field) return {};
        }
        return at + " is none of its words";
      case Type::Kind::Struct:
        return check_struct(t, v, at);
      case Type::Kind::Word:
        return check_word(t.word, v, at);
    }
    return {};
  }
  [[nodiscard]] std::string check_struct(const Type& t, const Json& v,
                                         const std::string& at) const {
    if (!v.is_object()) return at + " is no object";
    std::size_t seen = 0;
    for (const auto& [field, field_type] : t.fields) {
      auto it = v.find(field);
      if (it != v.end()) ++seen;
      if (auto p = check(field_type, it == v.end() ? Json() : *it, at + "." + field); !p.empty()) {
        return p;
      }
    }
    return seen == v.size() ? std::string() : at + " has members that it should not: " + v.dump();
  }
  [[nodiscard]] std::string check_word(const std::string& w, const Json& v,
                                       const std::string& at) const {
    bool ok = false;
    if (w == "string") {
      ok = v.is_string();
    } else if (w == "int") {
      ok = v.is_number_integer();
    } else if (w == "float") {
      ok = v.is_number();
    } else if (w == "bool") {
      ok = v.is_boolean();
    } else if (w == "object") {
      ok = v.is_object();
    } else {
      return check_named(types_, w, v);
    }
    return ok ? std::string() : at + " is no " + w + ": " + v.dump();
  }

  std::string_view rest_;
  Types types_;
  Types inputs_;
  Types outputs_;
  Types error_types_;
};

}  // namespace onset::test
