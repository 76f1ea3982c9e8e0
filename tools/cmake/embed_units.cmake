# Turns units/ and units/user/ into C++ tables of BuiltinUnit (unit/builtin.h).
# `aliases` in either folder has the second names: ALIAS UNIT, one a line.
function(embed_units out folder)
  set(text "// Made from units/ by embed_units.cmake.\n#include \"unit/builtin.h\"\n\nnamespace onset {\n")
  foreach(scope system user)
    set(here ${folder})
    if(scope STREQUAL user)
      set(here ${folder}/user)
    endif()
    file(GLOB files CONFIGURE_DEPENDS ${here}/*.target ${here}/*.service ${here}/*.slice
         ${here}/*.scope ${here}/*.mount ${here}/*.socket)
    list(SORT files)
    set(rows "")
    foreach(file ${files})
      get_filename_component(name ${file} NAME)
      file(READ ${file} unit)
      string(APPEND rows "    {\"${name}\", R\"unit(${unit})unit\", {}},\n")
    endforeach()
    file(STRINGS ${here}/aliases aliases REGEX "^[^#]")
    foreach(line ${aliases})
      string(REPLACE " " ";" pair ${line})
      list(GET pair 0 alias)
      list(GET pair 1 unit)
      string(APPEND rows "    {\"${alias}\", {}, \"${unit}\"},\n")
    endforeach()
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${files} ${here}/aliases)
    string(APPEND text "\nstatic constexpr BuiltinUnit k_${scope}[] = {\n${rows}};\n")
  endforeach()
  string(APPEND text "
std::span<const BuiltinUnit> builtin_units(bool user_manager) {
  if (user_manager) return k_user;
  return k_system;
}

}  // namespace onset\n")
  file(GENERATE OUTPUT ${out} CONTENT "${text}")
endfunction()
