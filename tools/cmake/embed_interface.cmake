# Turns the control interface's file into the function that gives its text
# (control/manager_interface.h).
function(embed_interface out file)
  file(READ ${file} text)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
  file(GENERATE OUTPUT ${out} CONTENT "// Made from the interface file by embed_interface.cmake.
#include \"control/manager_interface.h\"

namespace onset {

std::string_view manager_interface_text() {
  return R\"varlink(${text})varlink\";
}

}  // namespace onset
")
endfunction()
